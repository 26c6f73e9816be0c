"""Rows on disk: Arrow tables to and from folders of Parquet, local or any fsspec URL.

Every stored dataset holds the task's kept columns plus four of this program's own:
`_row_digest` (32 bytes, the SHA-256 of the row content), `_source` (where the row comes from),
`_feature_key` (32 bytes, the SHA-256 of the normalised features, by which leakage is found) and
`_row_number` (the row's number in its file; 1 is the first data row).
pyarrow is imported late: modules that only handle records must not pay for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.errors import StorageError

if TYPE_CHECKING:
    import pyarrow as pa

ROW_DIGEST = "_row_digest"
FEATURE_KEY = "_feature_key"
SOURCE = "_source"
ROW_NUMBER = "_row_number"
OWN_COLUMNS = (ROW_DIGEST, FEATURE_KEY, SOURCE, ROW_NUMBER)
PART = "part-0.parquet"


def arrow_type(column_type: str) -> pa.DataType:
    """The Arrow type that cells of a task column are stored as."""
    import pyarrow as pa

    return {
        "text": pa.string(),
        "category": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }[column_type]


def write_table(table: pa.Table, folder: str | Path) -> None:
    """Write `table` as one Parquet file into a new local folder."""
    import pyarrow.parquet as pq

    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path / PART, compression="zstd", row_group_size=30_000)


def read_table(folder: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a folder of Parquet files, in the order of their names."""
    import fsspec
    import pyarrow as pa
    import pyarrow.parquet as pq

    fs, root = fsspec.core.url_to_fs(folder)
    try:
        parts = sorted(p for p in fs.ls(root, detail=False) if p.endswith(".parquet"))
        if not parts:
            raise FileNotFoundError
        tables: list[Any] = []
        for part in parts:
            with fs.open(part, "rb") as stream:
                tables.append(pq.read_table(stream, columns=columns and list(columns)))
    except FileNotFoundError:
        raise StorageError(
            f"The stored rows in {folder} are gone: materialize the asset again."
        ) from None
    except pa.ArrowInvalid as error:
        raise StorageError(
            f"The stored rows in {folder} are damaged ({error}): materialize the asset again."
        ) from error
    return pa.concat_tables(tables)
