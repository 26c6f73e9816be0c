"""Tables and frames are cleaned as the file that holds the same rows is."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from hokusai_assets.contribution.in_memory import on_disk
from hokusai_assets.contribution.reference_rows import load_reference
from hokusai_assets.errors import UsageError


def test_rows_in_memory_are_those_of_their_file(tmp_path, make_task, write, rows):
    own = rows(20)
    own[3]["note"] = None
    path = write(tmp_path / "r.csv", own)
    expected = load_reference(str(path), make_task(), key=None)[1].data_hash
    for given in (path, str(path), pa.Table.from_pylist(own), pd.DataFrame(own)):
        with on_disk(given) as found:
            table, manifest = load_reference(found, make_task(), key=None)
            assert manifest.data_hash == expected and table.num_rows == 20
        assert Path(found).exists() == (found == str(path))


@pytest.mark.parametrize("wrong", [[{"a": 1}], 7, None, pd.DataFrame({"a": [object()]})])
def test_other_things_are_refused_by_their_name(wrong):
    with pytest.raises(UsageError, match=type(wrong).__name__), on_disk(wrong):
        pass
