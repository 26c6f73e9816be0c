"""From raw rows to typed rows: the task's columns, each cell of its type and within its limits.

A row with a cell that does not fit is rejected, and counted under (column, reason); a file with
too many of them is refused. What a cell's text means stands in typing_cells.py, how columns are
typed at once in typing_columns.py; the same demands on stored data, as an independent check, in
checks_schema.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai_assets.contribution.rows import (
    RawRows,
    Rejections,
    TypedRows,
    as_numbers,
    counted,
    describe,
)
from hokusai_assets.contribution.typing_columns import type_column, unmatched
from hokusai_assets.errors import ContributionError
from hokusai_assets.tables import arrow_type
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

STOPPED_AT = 10  # rows that the refusal of a file lists
UNMATCHED = "does not match the task's pattern"


def type_rows(raw: RawRows, task: Task) -> TypedRows:
    """Type every cell; raise ContributionError if too many rows, or too many cells, do not fit.

    The table holds the task's kept columns by name, in the file's row order; optional columns
    that the file lacks are null throughout.
    """
    part = type_part(raw, task)
    rejections = raw.rejections.copy()
    rejections.include(part.rejections)
    refuse_too_many(raw.source.name, raw.read, rejections, task)
    empty = {c.name: part.table.column(c.name).null_count for c in task.kept_columns}
    refuse_nulls(raw.source.name, part.table.num_rows, empty, task)
    return TypedRows(
        source=raw.source,
        table=part.table,
        numbers=part.numbers,
        read=raw.read,
        rejected=len(rejections.rows),
        rejections=rejections.reasons(),
        dropped_columns=raw.dropped_columns,
    )


@dataclass(frozen=True)
class TypedPart:
    """Typed rows of a part of a file, their numbers, and which others do not fit."""

    table: pa.Table
    numbers: Sequence[int]
    rejections: Rejections


def type_part(raw: RawRows, task: Task) -> TypedPart:
    """Type every cell of consecutive rows; what is too much is for the whole file to say."""
    import numpy as np
    import pyarrow as pa

    rejections = Rejections()
    count = len(raw.numbers)
    numbers = as_numbers(raw.numbers)
    fits = np.ones(count, bool)
    arrays: dict[str, pa.Array] = {}
    for column in task.kept_columns:
        if column.name not in raw.columns:
            arrays[column.name] = pa.nulls(count, arrow_type(column.type))
            continue
        arrays[column.name], bad = type_column(column, raw.columns[column.name], task)
        if column.pattern is not None:
            bad[UNMATCHED] = unmatched(column, arrays[column.name])
        for reason, positions in bad.items():
            rejections.add(column.name, reason, numbers[positions].tolist())
            fits[positions] = False
    table = pa.table(arrays)
    if not fits.all():
        table = table.filter(pa.array(fits))
        numbers = numbers[fits]
        return TypedPart(table=table, numbers=numbers.tolist(), rejections=rejections)
    return TypedPart(table=table, numbers=raw.numbers, rejections=rejections)


def refuse_too_many(name: str, read: int, rejections: Rejections, task: Task) -> None:
    """Raise ContributionError if more rows were rejected than the task accepts, or all."""
    rejected, limit = len(rejections.rows), task.reading.max_rejected_share
    first = ", ".join(map(str, sorted(rejections.rows)[:STOPPED_AT]))
    if rejected > limit * read or rejected == read:
        raise ContributionError(
            f"The file {name} is refused: {rejected:,} of {counted(read, 'row')} "
            f"({rejected / read:.2%}) do not fit the task (the first of them: {first}), more than "
            f"the accepted {limit:.2%}. {describe(rejections.reasons())}. Correct these rows, or "
            "raise max_rejected_share under [reading] in the task."
        )


def refuse_nulls(name: str, rows: int, empty: Mapping[str, int], task: Task) -> None:
    """Raise ContributionError if a column is empty in more of the fitting rows than accepted."""
    problems = []
    for column in task.kept_columns:
        limit, count = column.max_null_share, empty.get(column.name, 0)
        if limit is not None and count > limit * rows:
            problems.append(
                f"column {column.name!r} is empty in {count:,} of {rows:,} rows "
                f"({count / rows:.2%}, at most {limit:.2%} is accepted)"
            )
    if problems:
        raise ContributionError(
            f"The file {name} is refused: {'; '.join(problems)}. Fill these cells, or raise the "
            "column's max_null_share in the task."
        )
