"""Rows on disk: Arrow tables to and from folders of Parquet, local or any fsspec URL.

Every stored dataset holds the task's kept columns plus four of this program's own:
`_row_digest` (32 bytes, the SHA-256 of the row content), `_source` (where the row comes from),
`_feature_key` (32 bytes, the SHA-256 of the normalised features, by which leakage is found) and
`_row_number` (the row's number in its file; 1 is the first data row).
pyarrow is imported late: modules that only handle records must not pay for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
PARTS = "part-{}.parquet"
PART = PARTS.format(0)
_LOOKED_AT = 1000
ROW_GROUP_ROWS = 30_000  # what a reader holds at a time

_PART_NAME = re.compile(r"(?:^|/)part-([0-9]+)\.parquet$")


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


def in_one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array, without a copy of what is one already."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def write_table(table: pa.Table, folder: str | Path, part: int = 0) -> None:
    """Write `table` as one Parquet file, the `part`-th, into a local folder."""
    import pyarrow.parquet as pq

    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    # Dictionaries where values repeat; digests are as long compressed as they are. Snappy takes a
    # third of zstd's time for a ninth more bytes, and ranges are asked of the feature key alone.
    names = table.column_names
    pq.write_table(
        table,
        path / PARTS.format(part),
        compression={n: "none" if n in (ROW_DIGEST, FEATURE_KEY) else "snappy" for n in names},
        write_statistics=[FEATURE_KEY] if FEATURE_KEY in names else False,
        use_dictionary=[n for n in names if _repeats(table.column(n))],
        row_group_size=ROW_GROUP_ROWS,
    )


def read_table(folder: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read all rows of a folder of Parquet files, in the order of the parts."""
    import pyarrow as pa

    return pa.concat_tables(read_parts(folder, columns))


def read_parts(folder: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of a folder of Parquet files, a row group at a time; at least one table."""
    names = columns and list(columns)
    with _storage_errors(folder):
        for file in _files(folder):
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=names)
            if not file.num_row_groups:
                yield file.read(columns=names)


def row_group_count(folder: str) -> int:
    """How many row groups a folder of Parquet files has, in all its parts."""
    with _storage_errors(folder):
        return sum(file.num_row_groups for file in _files(folder))


def read_row_group(folder: str, index: int, columns: Sequence[str]) -> pa.Table:
    """The `index`-th row group of a folder of Parquet files."""
    with _storage_errors(folder):
        for file in _files(folder):
            if index < file.num_row_groups:
                return file.read_row_group(index, columns=list(columns))
            index -= file.num_row_groups
        raise FileNotFoundError


def read_key_range(
    folder: str, first: bytes, end: bytes | None, columns: Sequence[str] | None = None
) -> pa.Table:
    """The rows whose feature keys lie from `first` to before `end`; of stored, sorted rows.

    Only row groups that can hold such keys are read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    names = columns and list(columns)
    tables = []
    with _storage_errors(folder):
        for file in _files(folder):
            column = file.schema_arrow.get_field_index(FEATURE_KEY)
            for group in range(file.num_row_groups):
                known = file.metadata.row_group(group).column(column).statistics
                if known is not None and known.has_min_max:
                    after = end is not None and known.min[: len(end)] >= end
                    if after or known.max[: len(first)] < first:
                        continue
                tables.append(file.read_row_group(group, columns=names))
            if not tables:
                none = file.schema_arrow.empty_table()
                tables.append(none.select(names) if names else none)
    table = pa.concat_tables(tables)
    key = table.column(FEATURE_KEY).cast(pa.binary())
    inside = pc.greater_equal(key, pa.scalar(first, pa.binary()))
    if end is not None:
        inside = pc.and_(inside, pc.less(key, pa.scalar(end, pa.binary())))
    return table.filter(inside)


def _files(folder: str) -> Iterator[Any]:
    """The open Parquet files of a folder, in the order of the parts."""
    import fsspec
    import pyarrow.parquet as pq

    fs, root = fsspec.core.url_to_fs(folder)
    names = [(_part_number(p), p) for p in fs.ls(root, detail=False) if _part_number(p) >= 0]
    if not names:
        raise FileNotFoundError
    for _, name in sorted(names):
        with fs.open(name, "rb") as stream, pq.ParquetFile(stream) as file:
            yield file


@contextmanager
def _storage_errors(folder: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise StorageError(
            f"The stored rows in {folder} are gone: materialize the asset again."
        ) from None
    except pa.ArrowInvalid as error:
        raise StorageError(
            f"The stored rows in {folder} are damaged ({error}): materialize the asset again."
        ) from error


def _repeats(cells: pa.ChunkedArray) -> bool:
    """Whether the first cells hold few different values."""
    import pyarrow.compute as pc

    some = cells.slice(0, _LOOKED_AT)
    if some.null_count == len(some):
        return True
    different: int = pc.count_distinct(some, mode="all").as_py()
    return 10 * different < len(some)


def _part_number(path: str) -> int:
    """The number in a part's name, or -1 for other files."""
    match = _PART_NAME.search(path)
    return int(match[1]) if match else -1
