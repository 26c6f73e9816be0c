"""From raw rows to typed rows: the task's columns, each cell of its type and within its limits.

A row with a cell that does not fit is rejected, and counted under (column, reason); a file with
too many of them is refused. What a cell's text means stands in typing_cells.py; the same demands
on stored data, as an independent check, in checks_schema.py.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.rows import (
    Kind,
    RawColumn,
    RawRows,
    Rejections,
    TypedRows,
    counted,
    describe,
)
from hokusai_assets.contribution.typing_cells import CellError, type_cell
from hokusai_assets.digests import Cell
from hokusai_assets.errors import ContributionError
from hokusai_assets.tables import arrow_type
from hokusai_assets.task import Column, Task

if TYPE_CHECKING:
    import pyarrow as pa


def type_rows(raw: RawRows, task: Task) -> TypedRows:
    """Type every cell; raise ContributionError if too many rows, or too many cells, do not fit.

    The table holds the task's kept columns by name, in the file's row order; optional columns
    that the file lacks are null throughout.
    """
    import pyarrow as pa

    rejections = raw.rejections.copy()
    typed: dict[str, list[Cell]] = {}
    for column in task.kept_columns:
        if column.name in raw.columns:
            typed[column.name] = _typed_column(column, raw, task, rejections)
        else:
            typed[column.name] = [None] * len(raw.numbers)
    rejected = len(rejections.rows)
    _refuse_too_many(raw, task, rejections)
    keep = [index for index, n in enumerate(raw.numbers) if n not in rejections.rows]
    arrays = {
        c.name: pa.array([typed[c.name][i] for i in keep], arrow_type(c.type))
        for c in task.kept_columns
    }
    table = pa.table(arrays)
    _refuse_nulls(table, task, raw.source.name)
    return TypedRows(
        source=raw.source,
        table=table,
        numbers=[raw.numbers[i] for i in keep],
        read=raw.read,
        rejected=rejected,
        rejections=rejections.reasons(),
        dropped_columns=raw.dropped_columns,
    )


def _typed_column(column: Column, raw: RawRows, task: Task, rejections: Rejections) -> list[Cell]:
    """The column's values by position; positions of rejected rows hold None."""
    cells: list[Cell] = []
    bad: dict[str, list[int]] = {}
    seen: dict[tuple[str, int], Cell | CellError] = {}
    spelling = _closed_list(column, task)
    for position, (text, kind) in enumerate(_cells(raw.columns[column.name])):
        key = (text or "", kind)
        if key not in seen:
            seen[key] = _value(column, spelling, text, kind)
        value = seen[key]
        if isinstance(value, CellError):
            bad.setdefault(str(value), []).append(raw.numbers[position])
            value = None
        cells.append(value)
    for reason, numbers in bad.items():
        rejections.add(column.name, reason, numbers)
    return cells


def _value(
    column: Column, spelling: dict[Any, Any] | None, text: str | None, kind: int
) -> Cell | CellError:
    try:
        value = type_cell(column.type, text, Kind(kind)) if text else None
    except CellError as reason:
        return reason
    if value is None:
        return None if column.nullable else CellError("empty")
    if spelling is not None:
        key = unicodedata.normalize("NFC", value) if isinstance(value, str) else value
        if key not in spelling:
            what = "labels" if column.role == "target" else "allowed texts"
            return CellError(f"not one of the task's {what}")
        value = spelling[key]
    if isinstance(value, int | float):
        if column.minimum is not None and value < column.minimum:
            return CellError(f"below {column.minimum:g}")
        if column.maximum is not None and value > column.maximum:
            return CellError(f"above {column.maximum:g}")
    return value


def _closed_list(column: Column, task: Task) -> dict[Any, Any] | None:
    """Accepted values in NFC, each with the task's own spelling, which is what models see."""
    accepted: list[Any] = []
    if column.allowed is not None:
        accepted.extend(column.allowed)
    if column.role == "target":
        accepted = [x for x in task.data.labels if column.allowed is None or x in column.allowed]
    elif column.allowed is None:
        return None
    return {unicodedata.normalize("NFC", x) if isinstance(x, str) else x: x for x in accepted}


def _cells(column: RawColumn) -> Any:
    texts = column.text.to_pylist()
    if isinstance(column.kind, Kind):
        return ((text, int(column.kind)) for text in texts)
    return zip(texts, column.kind.to_pylist(), strict=True)


def _refuse_too_many(raw: RawRows, task: Task, rejections: Rejections) -> None:
    rejected, limit = len(rejections.rows), task.reading.max_rejected_share
    if rejected > limit * raw.read or rejected == raw.read:
        raise ContributionError(
            f"The file {raw.source.name} is refused: {rejected:,} of {counted(raw.read, 'row')} "
            f"({rejected / raw.read:.2%}) do not fit the task, more than the accepted "
            f"{limit:.2%}. {describe(rejections.reasons())}. Correct these rows, or raise "
            "max_rejected_share under [reading] in the task."
        )


def _refuse_nulls(table: pa.Table, task: Task, name: str) -> None:
    problems = []
    for column in task.kept_columns:
        limit = column.max_null_share
        empty = table.column(column.name).null_count
        if limit is not None and empty > limit * table.num_rows:
            problems.append(
                f"column {column.name!r} is empty in {empty:,} of {table.num_rows:,} rows "
                f"({empty / table.num_rows:.2%}, at most {limit:.2%} is accepted)"
            )
    if problems:
        raise ContributionError(
            f"The file {name} is refused: {'; '.join(problems)}. Fill these cells, or raise the "
            "column's max_null_share in the task."
        )
