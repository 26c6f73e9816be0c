"""Rows between two steps, spilled to local files and split into buckets by their feature key.

Every part of a file that was mapped becomes one Arrow file with a record batch a bucket; a bucket
is then read from all of them. Buckets are ranges of the key's first two bytes, so that buckets in
order, each in canonical order, are the whole in canonical order. An engine on many machines would
exchange the same batches in another way.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.tables import FEATURE_KEY

if TYPE_CHECKING:
    import pyarrow as pa

_KEY_RANGE = 1 << 16
_BYTES_PER_BUCKET = 32 << 20
MOST_BUCKETS = 256


def bucket_count(size_bytes: int) -> int:
    """How many buckets rows of a file of this size go to: a power of two, 1 for small files."""
    count = 1
    while count < MOST_BUCKETS and count * _BYTES_PER_BUCKET < size_bytes:
        count *= 2
    return count


class Exchange:
    """A folder of spilled rows. Paths only, so that it can be handed to another process."""

    def __init__(self, folder: str | Path, buckets: int) -> None:
        self.folder = Path(folder)
        self.buckets = buckets
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, part: int, table: pa.Table) -> None:
        """Spill rows, in whatever order."""
        import numpy as np
        import pyarrow as pa

        # In a bucket rows stay as they came; what is sorted is one byte or two a row.
        bucket = np.searchsorted(self._bounds()[1:], key_prefixes(table), side="right")
        order = np.argsort(bucket.astype(np.uint16), kind="stable")
        table = table.take(pa.array(order))
        starts = np.searchsorted(bucket[order], range(self.buckets + 1)).tolist()
        # Uncompressed: it is read once, soon, and most of it from the page cache.
        with (
            pa.OSFile(str(self.folder / f"{part:06}.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            for start, end in itertools.pairwise(starts):
                writer.write_batch(_one_batch(table.slice(start, end - start)))

    def read(self, bucket: int, columns: list[str] | None = None) -> pa.Table:
        """A bucket's rows, part after part; there was at least one part."""
        import pyarrow as pa

        return pa.Table.from_batches(
            [_batch(path, bucket, columns) for path in sorted(self.folder.glob("*.arrow"))]
        )

    def key_range(self, bucket: int) -> tuple[bytes, bytes | None]:
        """The first key prefix of a bucket, and that of the next one (None after the last)."""
        return key_ranges(self.buckets)[bucket]

    def _bounds(self) -> list[int]:
        return _bounds(self.buckets)


def key_ranges(count: int) -> list[tuple[bytes, bytes | None]]:
    """`count` ranges of equal size that hold all keys: first prefix, and that of the next one."""
    edges = [bound.to_bytes(2, "big") for bound in _bounds(count)[:-1]]
    return list(itertools.zip_longest(edges, edges[1:]))


def _bounds(count: int) -> list[int]:
    return [_KEY_RANGE * index // count for index in range(count + 1)]


class Buckets:
    """A folder with one file of rows a bucket: what is left of an exchange's buckets."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, bucket: int, table: pa.Table) -> None:
        """Store a bucket's rows."""
        import pyarrow as pa

        with (
            pa.OSFile(self._path(bucket), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_batch(_one_batch(table))

    def read(
        self, bucket: int, columns: list[str] | None = None, *, whole: bool = False
    ) -> pa.Table:
        """A bucket's rows; those that were left out later only if it is to be whole."""
        import numpy as np
        import pyarrow as pa

        table = pa.Table.from_batches([_batch(self._path(bucket), 0, columns)])
        if whole or not self._left_out(bucket).exists():
            return table
        kept = np.ones(table.num_rows, bool)
        kept[self.left_out(bucket)] = False
        return table.filter(pa.array(kept))

    def __contains__(self, bucket: int) -> bool:
        """Whether rows of a bucket were ever written."""
        return Path(self._path(bucket)).exists()

    def leave_out(self, bucket: int, positions: list[int]) -> None:
        """Leave out rows of a bucket too, by their positions in all of it."""
        import numpy as np

        gone = np.union1d(self.left_out(bucket), np.array(positions, np.int64))
        np.save(self._left_out(bucket), gone)

    def left_out(self, bucket: int) -> Any:
        """The positions in all of a bucket of those rows that were left out (int64)."""
        import numpy as np

        path = self._left_out(bucket)
        return np.load(path) if path.exists() else np.zeros(0, np.int64)

    def _left_out(self, bucket: int) -> Path:
        return self.folder / f"{bucket:06}.left-out.npy"

    def _path(self, bucket: int) -> str:
        return str(self.folder / f"{bucket:06}.arrow")


def _batch(path: str | Path, index: int, columns: list[str] | None) -> pa.RecordBatch:
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source:
        file = pa.ipc.open_file(source)
        if not columns:
            return file.get_batch(index)
        # Of the others nothing is read.
        places = [file.schema.get_field_index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=places)
        return pa.ipc.open_file(source, options=options).get_batch(index).select(columns)


def key_numbers(table: pa.Table) -> Any:
    """The first eight bytes of each feature key, as numbers (uint64)."""
    import numpy as np

    keys = fixed_bytes(table.column(FEATURE_KEY))
    return np.ascontiguousarray(keys[:, :8]).view(">u8").astype(np.uint64).reshape(-1)


def key_prefixes(table: pa.Table) -> Any:
    """The first two bytes of each feature key, as numbers."""
    import numpy as np

    keys = fixed_bytes(table.column(FEATURE_KEY))
    return keys[:, 0].astype(np.int64) * 256 + keys[:, 1]


def fixed_bytes(column: pa.Array | pa.ChunkedArray) -> Any:
    """Fixed-size binary cells as a table of bytes, a row a cell."""
    import numpy as np
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    width = column.type.byte_width
    data = column.buffers()[1]
    if not data:
        return np.zeros((0, width), np.uint8)
    cells = np.frombuffer(data, np.uint8).reshape(-1, width)
    return cells[column.offset : column.offset + len(column)]


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    """The table as one batch, without a copy of what is one already."""
    batches = table.to_batches()
    if len(batches) > 1:
        batches = table.combine_chunks().to_batches()
    return batches[0] if batches else _no_rows(table.schema)


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=schema)
