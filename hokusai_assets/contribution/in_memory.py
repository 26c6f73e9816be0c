"""Rows that are in memory already, as the file that every step takes: for notebooks and scripts.

Written as Parquet, so that what an evaluation would read of the same rows is what is read here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai_assets.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@contextmanager
def on_disk(rows: str | Path | pa.Table | pd.DataFrame, name: str = "rows") -> Iterator[str]:
    """A path to `rows` while this is open: a path as it is, a table or frame as a Parquet file.

    A frame's index is no column. Raises UsageError for what is neither, or what Parquet cannot
    hold.
    """
    if isinstance(rows, str | Path):
        yield str(rows)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = rows
    if not isinstance(table, pa.Table):
        try:
            table = pa.Table.from_pandas(rows, preserve_index=False)
        except (AttributeError, TypeError, pa.ArrowException) as error:
            raise UsageError(
                f"Rows must be a path, an Arrow table or a pandas frame of plain values, and "
                f"{type(rows).__name__} is none ({type(error).__name__})."
            ) from None
    with tempfile.TemporaryDirectory(prefix="hokusai-") as folder:
        path = Path(folder, f"{name}.parquet")
        pq.write_table(table, path)
        yield str(path)
