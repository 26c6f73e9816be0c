"""Rows between two steps, spilled to local files and split into buckets by their feature key.

Every part of a file that was mapped becomes one file with an Arrow record batch a bucket; a bucket
is then read from all of them. Buckets are ranges of the key's first two bytes, so that buckets in
order, each in canonical order, are the whole in canonical order. An engine on many machines would
exchange the same batches in another way.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.tables import FEATURE_KEY, in_one

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
        path = self.folder / f"{part:06}.rows"
        # Uncompressed: it is read soon, and most of it from the page cache. Each bucket as a
        # message of its own, and where each begins at the end: an Arrow file's footer says it ten
        # times slower, to each bucket of each part.
        places = [0]
        with path.open("wb") as sink:
            for start, end in itertools.pairwise(starts):
                message = _one_batch(table.slice(start, end - start)).serialize()
                places.append(places[-1] + sink.write(message))
            sink.write(self._places.pack(*places))
        schema = table.schema.serialize().to_pybytes()
        if not self._schema.exists():
            whole = self._schema.with_suffix(f".{part}")
            whole.write_bytes(schema)
            whole.replace(self._schema)
        elif self._schema.read_bytes() != schema:
            raise ValueError("parts of one exchange have the same columns")

    def read(self, bucket: int, columns: list[str] | None = None) -> pa.Table:
        """A bucket's rows, part after part; there was at least one part."""
        import pyarrow as pa

        table = pa.Table.from_batches(list(self._batches(range(bucket, bucket + 1))))
        return table if columns is None else table.select(columns)

    def column(self, name: str) -> Iterator[pa.Array]:
        """All cells of a column, some at a time, in whatever order."""
        for batch in self._batches(range(self.buckets)):
            yield batch.column(name)

    def _batches(self, buckets: range) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        schema = pa.ipc.read_schema(pa.py_buffer(self._schema.read_bytes()))
        for path in sorted(map(str, self.folder.glob("*.rows"))):
            # Mapped: of what is not looked at nothing is read.
            with pa.memory_map(path) as source:
                end = source.size() - self._places.size
                places = self._places.unpack(source.read_at(self._places.size, end))
                for bucket in buckets:
                    source.seek(places[bucket])
                    message = source.read_buffer(places[bucket + 1] - places[bucket])
                    yield pa.ipc.read_record_batch(message, schema)

    @property
    def _places(self) -> struct.Struct:
        return struct.Struct(f"<{self.buckets + 1}q")

    @property
    def _schema(self) -> Path:
        return self.folder / "schema"

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
    """A folder with a file of rows for each bucket that has some."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, bucket: int, table: pa.Table) -> None:
        """Store a bucket's rows."""
        write_batch(self._path(bucket), table)

    def read(self, bucket: int) -> pa.Table:
        """A bucket's rows."""
        import pyarrow as pa

        return pa.Table.from_batches([read_batch(self._path(bucket))])

    def __contains__(self, bucket: int) -> bool:
        """Whether rows of a bucket were ever written."""
        return self._path(bucket).exists()

    def _path(self, bucket: int) -> Path:
        return self.folder / f"{bucket:06}.arrow"


def write_batch(path: str | Path, table: pa.Table) -> None:
    """Write a table as an Arrow file of one record batch."""
    import pyarrow as pa

    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_batch(_one_batch(table))


def read_batch(path: str | Path) -> pa.RecordBatch:
    """The record batch of such a file, mapped: of what is not looked at nothing is read."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).get_batch(0)


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

    column = in_one(column)
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
