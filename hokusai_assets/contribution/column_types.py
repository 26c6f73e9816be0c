"""Which type of a task a column's cells fit, told by the code that types them in an evaluation.

A type is proposed only if every filled cell of the sample fits it. Digits are not always a number:
a zero in front, or more digits than 64 bits hold, say that they are a code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hokusai_assets.contribution.rows import Kind
from hokusai_assets.contribution.sampling_files import Cell
from hokusai_assets.contribution.typing_cells import CellError, type_cell
from hokusai_assets.task import ColumnType

MAX_LABEL_LENGTH = 64
MAX_CATEGORIES = 50
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_CODE = re.compile(r"[+-]?(0[0-9].*|[0-9]{19,})", re.DOTALL)


def type_of(cells: Sequence[Cell]) -> ColumnType:
    """The narrowest type that every filled cell fits; text where there is none."""
    texts = [text for text, _ in cells if text]
    if not texts:
        return "text"
    if not any(_CODE.fullmatch(text) for text in texts):
        if fits("integer", cells) and not any("." in t or "e" in t.lower() for t in texts):
            return "integer"
        if fits("number", cells):
            return "number"
    if fits("boolean", cells):
        return "boolean"
    if fits("timestamp", cells):
        return "timestamp"
    few = len(set(texts)) <= min(MAX_CATEGORIES, max(2, len(texts) // 10))
    return "category" if few and max(map(len, texts)) <= MAX_LABEL_LENGTH else "text"


def fits(column_type: ColumnType, cells: Sequence[Cell]) -> bool:
    """Whether every cell is null or has a value in the type, and at least one has a value."""
    values = 0
    for text, kind in set(cells):
        try:
            values += value_of(column_type, text, kind) is not None
        except CellError:
            return False
    return values > 0


def value_of(column_type: ColumnType, text: str | None, kind: Kind) -> object:
    """The cell's value, None where it is empty or says that there is none; raises CellError."""
    return type_cell(column_type, text, kind) if text else None
