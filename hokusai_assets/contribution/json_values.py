"""JSON as rows: one object a row, numbers as their text, and nothing kept of what is nested.

Keeping a number's text means that 1e999, integers past 64 bits and 0.1 are judged by the same
code as in a CSV file, not by what a parser made of them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hokusai_assets.contribution.columns import normalised
from hokusai_assets.contribution.rows import Kind

# A text without its end is one to the end of all, so that nothing is looked through twice.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_OPENING, _CLOSING = ("[", "{"), ("]", "}")


class Number(str):
    """The text of a JSON number."""


class Malformed:
    """What stands for a row that is no JSON object, with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class _Nested:
    """What stands for a list or an object inside a row: no column of a task can be one."""


DUPLICATED = Malformed("a key twice")
INVALID_KEY = Malformed("a key that is not valid Unicode")
_NESTED = _Nested()


def decoder() -> json.JSONDecoder:
    """What makes a value of each JSON text: a dict by normalised key, or what stands for it."""
    return json.JSONDecoder(
        parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=_row
    )


def parse(content: bytes, max_depth: int, invalid: str = "") -> Any:
    """The value, or a Malformed whose reason is `invalid` or else says where the text errs."""
    try:
        text = content.decode("utf-8")
        return too_deep(text, max_depth) or json.loads(
            text,
            parse_int=Number,
            parse_float=Number,
            parse_constant=Number,
            object_pairs_hook=_row,
        )
    except UnicodeDecodeError:
        return Malformed("not UTF-8")
    except json.JSONDecodeError as error:
        # Its message is left out: it can quote what stands there.
        where = f"it breaks off or errs at line {error.lineno}, column {error.colno}"
        return Malformed(invalid or where)


def too_deep(text: str, max_depth: int) -> Malformed | None:
    """What stands for a text whose brackets are nested more than `max_depth` deep."""
    # Most rows have one bracket, so nearly none is looked through.
    if text.count("[") + text.count("{") <= max_depth:
        return None
    depth = 0
    for found in _BRACKETS.finditer(text):
        mark = found.group()
        depth += (mark in _OPENING) - (mark in _CLOSING)
        if depth > max_depth:
            return Malformed(f"nested more than {max_depth} deep (max_depth under [reading])")
    return None


def raw_cell(cell: Any) -> tuple[str | None, Kind]:
    """A cell's text, which is kept only where a column can hold it, and what JSON says it is."""
    if cell is None:
        return None, Kind.TEXT
    if isinstance(cell, Number):
        return str(cell), Kind.NUMBER
    if isinstance(cell, bool):
        return str(cell).lower(), Kind.BOOLEAN
    if isinstance(cell, str):
        return (cell or None, Kind.TEXT) if is_unicode(cell) else ("?", Kind.INVALID)
    return "?", Kind.NESTED


def is_unicode(text: str) -> bool:
    """Without lone surrogates, which JSON can escape and UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _row(pairs: list[tuple[str, Any]]) -> Any:
    if not all(is_unicode(key) for key, _ in pairs):
        return INVALID_KEY
    row = {
        normalised(key): cell if cell is None or isinstance(cell, str | bool) else _NESTED
        for key, cell in pairs
    }
    return row if len(row) == len(pairs) else DUPLICATED
