"""Parquet, by pyarrow: only the task's columns are read, and their cells turned into text.

Text and back loses nothing: pyarrow writes floats in their shortest exact form, and times to
their last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.columns import match_columns
from hokusai_assets.contribution.rows import (
    PART_BYTES,
    ROWS_AT_ONCE,
    Kind,
    RawColumn,
    RawRows,
    Rejections,
    RowReader,
)
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task

# Encodings in which a cell takes next to no room, however long it is.
_REPEATING = {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}
_FRONT_CODED = {"DELTA_BYTE_ARRAY"}
_FRONT_CODED_ROWS = 64  # at once: nothing tells how long their cells are before they are there
_CHUNK_BYTES = 64 << 20  # of a column's piece, below which its compression ratio is no matter


class ParquetReader(RowReader):
    """A Parquet file; columns of types that no cell of a task can have are refused."""

    def __init__(self, path: Path, task: Task, source: SourceFile) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        super().__init__(source)
        self._path = path
        self._limits = task.reading
        try:
            with pq.ParquetFile(path) as file:
                schema, metadata = file.schema_arrow, file.metadata
                self._names = schema.names
                self._rows = metadata.num_rows
                groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
                chunks = [g.column(i) for g in groups for i in range(metadata.num_columns)]
        except (pa.ArrowException, OSError, UnicodeDecodeError):  # the last of columns' names
            raise self._damaged() from None
        self._positions, self.dropped_columns = match_columns(
            self._names, task, source.name, "its schema"
        )
        theirs = {self._names[index]: name for name, index in self._positions.items()}
        for their_name, name in theirs.items():
            _refuse_type(schema.field(their_name).type, name, source.name)
        self._encodings: dict[str, set[str]] = {}
        for chunk in chunks:
            if chunk.path_in_schema in theirs:
                self._encodings.setdefault(chunk.path_in_schema, set()).update(chunk.encodings)
                self._refuse_bomb(chunk)
        self._at_once = _rows_at_once(groups, set(theirs))

    def parts(self) -> Iterator[RawRows]:
        """Consecutive rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = {name: self._names[index] for name, index in self._positions.items()}
        repeating = [name for name, kinds in self._encodings.items() if kinds & _REPEATING]
        fronted = any(kinds & _FRONT_CODED for kinds in self._encodings.values())
        try:
            with pq.ParquetFile(self._path, read_dictionary=repeating) as file:
                batches = file.iter_batches(
                    _FRONT_CODED_ROWS if fronted else self._at_once, columns=list(names.values())
                )
                for batch in self._of_part_size(batches):
                    batch.validate(full=True)
                    columns = {
                        name: _raw_column(batch.column(theirs)) for name, theirs in names.items()
                    }
                    numbers = range(self.read + 1, self.read + batch.num_rows + 1)
                    self.read += batch.num_rows
                    self.share = self.read / max(self._rows, 1)
                    yield RawRows(self.source, columns, numbers, batch.num_rows, Rejections(), ())
        except (pa.ArrowException, OSError):
            # The library's message can quote cells, so it is not passed on.
            raise self._damaged() from None

    def _of_part_size(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The same rows in pieces of at most PART_BYTES of cells, or of one row."""
        import numpy as np
        import pyarrow as pa

        held: list[Any] = []
        rows = size = total = 0
        for batch in batches:
            ends = np.cumsum(_row_bytes(batch))
            total += int(ends[-1]) if len(ends) else 0
            if total > self._limits.max_bytes:
                raise ContributionError(
                    f"The file {self.source.name} is refused: its cells are more than the "
                    f"accepted {self._limits.max_bytes:,} bytes. Send less, or raise max_bytes "
                    "under [reading] in the task."
                )
            start = 0
            while start < batch.num_rows:
                before = int(ends[start - 1]) if start else 0
                room = max(PART_BYTES - size, 0)
                end = int(np.searchsorted(ends, before + room, side="right"))
                end = min(max(end, start + (not held)), start + ROWS_AT_ONCE - rows)
                if end > start:
                    held.append(batch.slice(start, end - start))
                    rows += end - start
                    size += int(ends[end - 1]) - before
                if end < batch.num_rows or rows == ROWS_AT_ONCE:
                    yield pa.concat_batches(held) if len(held) > 1 else held[0]
                    held, rows, size = [], 0, 0
                start = end
        if held:
            yield pa.concat_batches(held) if len(held) > 1 else held[0]

    def _refuse_bomb(self, chunk: Any) -> None:
        ratio = self._limits.max_decompression_ratio
        size = chunk.total_uncompressed_size
        if size > _CHUNK_BYTES and size > ratio * chunk.total_compressed_size:
            raise ContributionError(
                f"The file {self.source.name} is refused: it decompresses to more than {ratio:,} "
                "times its size. Send it with less compression, or raise max_decompression_ratio "
                "under [reading] in the task."
            )

    def _damaged(self) -> ContributionError:
        return ContributionError(
            f"The file {self.source.name} is a damaged or truncated Parquet file: send it again."
        )


def _rows_at_once(groups: Sequence[Any], names: set[str]) -> int:
    """How many rows come to PART_BYTES by the file's average, and by that of any large group."""
    told = []
    for group in groups:
        chunks = (group.column(place) for place in range(group.num_columns))
        size = sum(c.total_uncompressed_size for c in chunks if c.path_in_schema in names)
        told.append((size, group.num_rows))
    large = [one for one in told if one[0] > PART_BYTES]
    whole = (sum(size for size, _ in told), sum(rows for _, rows in told))
    fitting = (PART_BYTES * rows // size for size, rows in [whole, *large] if size > 0)
    return min(ROWS_AT_ONCE, max(_FRONT_CODED_ROWS, min(fitting, default=ROWS_AT_ONCE)))


def _row_bytes(batch: Any) -> Any:
    """How many bytes of text each row comes to once it is decoded (int64)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as is_type

    total = np.zeros(batch.num_rows, np.int64)
    for cells in batch.columns:
        texts = cells.dictionary if is_type.is_dictionary(cells.type) else cells
        if not (is_type.is_string(texts.type) or is_type.is_large_string(texts.type)):
            continue
        lengths = pc.fill_null(pc.binary_length(texts), 0)
        if texts is not cells:
            lengths = pc.fill_null(lengths.take(cells.indices), 0)
        total += lengths.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return total


def _refuse_type(kind: Any, name: str, file: str) -> None:
    """Raise ContributionError for a type whose cells are no text, number, boolean or time."""
    import pyarrow.types as is_type

    if is_type.is_dictionary(kind):
        kind = kind.value_type
    accepted = (
        *(is_type.is_null, is_type.is_string, is_type.is_large_string, is_type.is_string_view),
        *(is_type.is_boolean, is_type.is_integer, is_type.is_decimal, is_type.is_floating),
        *(is_type.is_date, is_type.is_timestamp),
    )
    if not any(check(kind) for check in accepted):
        # A nested type's own text holds the names of its fields, which are the contributor's.
        plain = str(kind).partition("<")[0]
        raise ContributionError(
            f"The file {file} holds column {name!r} as {plain}, which no column of a task can be: "
            "convert it to text, numbers, booleans or times."
        )


def _raw_column(cells: Any) -> RawColumn:
    import pyarrow as pa
    import pyarrow.types as is_type

    kind = cells.type
    if is_type.is_dictionary(kind):
        cells = cells.dictionary_decode()
        kind = cells.type
    if is_type.is_null(kind) or is_type.is_string(kind):
        return RawColumn(_empty_as_null(cells.cast(pa.string())))
    if is_type.is_large_string(kind) or is_type.is_string_view(kind):
        return RawColumn(_empty_as_null(cells.cast(pa.string())))
    if is_type.is_boolean(kind):
        return RawColumn(cells.cast(pa.string()), Kind.BOOLEAN)
    if is_type.is_integer(kind) or is_type.is_decimal(kind):
        return RawColumn(cells.cast(pa.string()), Kind.NUMBER)
    if is_type.is_floating(kind):
        return RawColumn(cells.cast(pa.float64()).cast(pa.string()), Kind.NUMBER)
    if is_type.is_date(kind):
        return RawColumn(cells.cast(pa.date32()).cast(pa.string()), Kind.TIME)
    utc = cells.cast(pa.timestamp(kind.unit, "UTC")) if kind.tz else cells
    return RawColumn(utc.cast(pa.string()), Kind.TIME)


def _empty_as_null(cells: Any) -> Any:
    """Null for empty text: a CSV file cannot tell them apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
