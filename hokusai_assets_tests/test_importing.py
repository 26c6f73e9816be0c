"""Libraries that others look for: not found for a while, and Arrow without pandas."""

import json
import subprocess
import sys
from typing import Any

import pytest

from hokusai_assets.importing import without

# In processes of their own: what one has imported stays.
FORGONE = """
import json, sys
from hokusai_assets.importing import forgo_pandas
forgo_pandas()
import pyarrow as pa
table = pa.table({"a": pa.array([1.5, None]), "b": ["x", "y"]})
pa.scalar(0.5), pa.array([{"a": 1}])
before = "pandas" in sys.modules
frame = table.to_pandas()
import pandas as pd
told = pa.array(pd.Series([1.0, float("nan")])).null_count
print(json.dumps([before, list(frame.b), told, [type(f).__name__ for f in sys.meta_path]]))
"""


def printed(program: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_a_refused_module_is_as_one_that_is_not_installed() -> None:
    with without("chunk"), pytest.raises(ModuleNotFoundError, match="chunk"):
        import chunk  # noqa: F401
    with without("os"):
        import os
    assert os.sep


def test_the_refusal_ends_with_the_block_whatever_happens() -> None:
    before = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), without("chunk"):
        raise ZeroDivisionError
    assert sys.meta_path == before


def test_arrow_forgoes_pandas_until_a_frame_is_asked_for() -> None:
    loaded_before, column, nulls, finders = printed(FORGONE)
    assert not loaded_before
    assert column == ["x", "y"]
    assert nulls == 1  # a Series is known again
    assert "_Refuse" not in finders
