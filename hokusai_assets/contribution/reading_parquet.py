"""Parquet, by pyarrow: only the task's columns are read, and their cells turned into text.

Text and back loses nothing: pyarrow writes floats in their shortest exact form, and times to
their last digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.columns import match_columns
from hokusai_assets.contribution.rows import (
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


class ParquetReader(RowReader):
    """A Parquet file; columns of types that no cell of a task can have are refused."""

    def __init__(self, path: Path, task: Task, source: SourceFile) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        super().__init__(source)
        self._path = path
        try:
            with pq.ParquetFile(path) as file:
                self._names = file.schema_arrow.names
        except (pa.ArrowException, OSError, UnicodeDecodeError):  # the last of columns' names
            raise self._damaged() from None
        self._positions, self.dropped_columns = match_columns(
            self._names, task, source.name, "its schema"
        )

    def parts(self) -> Iterator[RawRows]:
        """Consecutive rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = {name: self._names[index] for name, index in self._positions.items()}
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(names.values())):
                    batch.validate(full=True)
                    columns = {
                        name: _raw_column(batch.column(theirs), name, self.source.name)
                        for name, theirs in names.items()
                    }
                    numbers = range(self.read + 1, self.read + batch.num_rows + 1)
                    self.read += batch.num_rows
                    yield RawRows(self.source, columns, numbers, batch.num_rows, Rejections(), ())
        except (pa.ArrowException, OSError):
            # The library's message can quote cells, so it is not passed on.
            raise self._damaged() from None

    def _damaged(self) -> ContributionError:
        return ContributionError(
            f"The file {self.source.name} is a damaged or truncated Parquet file: send it again."
        )


def _raw_column(cells: Any, name: str, file: str) -> RawColumn:
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
    if is_type.is_timestamp(kind):
        utc = cells.cast(pa.timestamp(kind.unit, "UTC")) if kind.tz else cells
        return RawColumn(utc.cast(pa.string()), Kind.TIME)
    # A nested type's own text holds the names of its fields, which are the contributor's.
    plain = str(kind).partition("<")[0]
    raise ContributionError(
        f"The file {file} holds column {name!r} as {plain}, which no column of a task can be: "
        "convert it to text, numbers, booleans or times."
    )


def _empty_as_null(cells: Any) -> Any:
    """Null for empty text: a CSV file cannot tell them apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
