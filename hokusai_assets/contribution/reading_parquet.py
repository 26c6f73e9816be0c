"""Parquet, by pyarrow: only the task's columns are read, and their cells turned into text.

Text and back loses nothing: pyarrow writes floats in their shortest exact form, and times to
their last digit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hokusai_assets.contribution.columns import match_columns
from hokusai_assets.contribution.rows import Kind, RawColumn, RawRows, Rejections
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task


def read_parquet(path: Path, task: Task, source: SourceFile) -> RawRows:
    """Read a Parquet file; columns of types that no cell of a task can have are refused."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            positions, dropped = match_columns(names, task, source.name, "its schema")
            table = file.read(columns=[names[index] for index in positions.values()])
        table.validate(full=True)
    except (pa.ArrowException, OSError):
        # The library's message can quote cells, so it is not passed on.
        raise ContributionError(
            f"The file {source.name} is a damaged or truncated Parquet file: send it again."
        ) from None
    columns = {
        name: _raw_column(table.column(names[index]).combine_chunks(), name, source.name)
        for name, index in positions.items()
    }
    return RawRows(
        source=source,
        columns=columns,
        numbers=range(1, table.num_rows + 1),
        read=table.num_rows,
        rejections=Rejections(),
        dropped_columns=dropped,
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
