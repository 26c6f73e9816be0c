"""What a cell's text means in a column of each type: a value, null, or a reason for refusal.

Safe coercions only: "1.0" is the integer 1, "TRUE" and "1" are true, an ISO 8601 time is a moment
in UTC. Each function takes a cell's text and kind and returns the value (None for null) or raises
CellError with a reason that holds no part of the cell. Independent of file formats, so that equal
content has equal digests whatever file held it.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
import unicodedata
from collections.abc import Callable

from hokusai_assets.contribution.rows import Kind
from hokusai_assets.digests import Cell
from hokusai_assets.task import ColumnType

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_NAN = {"nan", "+nan", "-nan"}
_INFINITE = {"inf", "infinity"}
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_TRUE = {"true", "1", "1.0"}
_FALSE = {"false", "0", "0.0"}
_INT64 = range(-(2**63), 2**63)
_MAX_DIGITS = 400  # more than any double or 64-bit integer needs, and cheap to parse


class CellError(ValueError):
    """A cell that does not fit its column; the message is the reason, without the cell."""


def text(cell: str, kind: Kind) -> Cell:
    """Text in form NFC, as digests see it; integers of formats that know them become digits.

    Rows that are equal by digest must be equal to a model too, or the order of a file would decide
    which of two spellings it is trained on.
    """
    if kind is Kind.NUMBER and not _INTEGER.fullmatch(cell):
        # 1.50 and 1.5 are one number and two texts: the file must say which text is meant.
        raise CellError("a number where text is due")
    if kind in {Kind.BOOLEAN, Kind.TIME}:
        raise CellError(f"a {'boolean' if kind is Kind.BOOLEAN else 'time'} where text is due")
    return unicodedata.normalize("NFC", cell)


def integer(cell: str, kind: Kind) -> Cell:
    """A 64-bit integer; "7.0" and "7e0" are 7, NaN is null as in files of data frames."""
    stripped = _numeral(cell, kind, "an integer")
    if stripped is None:
        return None
    number = decimal.Decimal(stripped)
    # The magnitude comes first: 0e999999999 and 1e999999999 must not be written out.
    if not number:
        return 0
    if number.adjusted() > 19:
        raise CellError("an integer beyond 64 bits")
    if number.adjusted() < 0 or number != number.to_integral_value():
        raise CellError("not an integer")
    if int(number) not in _INT64:
        raise CellError("an integer beyond 64 bits")
    return int(number)


def number(cell: str, kind: Kind) -> Cell:
    """The nearest IEEE 754 double, -0 as 0; NaN is null, infinities are refused."""
    stripped = _numeral(cell, kind, "a number")
    if stripped is None:
        return None
    value = float(stripped)
    if math.isinf(value):
        raise CellError("not a finite number")
    return value + 0.0


def boolean(cell: str, kind: Kind) -> Cell:
    """true, false, 1 or 0, in any case."""
    lower = cell.strip().lower()
    if not lower:
        return None
    if kind is not Kind.TIME and lower in _TRUE | _FALSE:
        return lower in _TRUE
    raise CellError("neither true nor false")


def timestamp(cell: str, kind: Kind) -> Cell:
    """A date or time of ISO 8601 in its extended form, in UTC unless it names an offset."""
    stripped = cell.strip()
    if not stripped:
        return None
    match = _TIME.fullmatch(stripped)
    if match is None or kind in {Kind.NUMBER, Kind.BOOLEAN}:
        raise CellError("not an ISO 8601 time")
    date, clock, seconds, fraction, offset = match.groups()
    if fraction and fraction[6:].strip("0"):
        raise CellError("a time finer than a microsecond")
    written = f"{date}T{clock or '00:00'}:{seconds or '00'}.{(fraction or '')[:6]:0<6}"
    try:
        moment = datetime.datetime.fromisoformat(written + (offset or "Z").upper())
        return moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise CellError("not an ISO 8601 time") from None


TYPERS: dict[ColumnType, Callable[[str, Kind], Cell]] = {
    "text": text,
    "category": text,
    "integer": integer,
    "number": number,
    "boolean": boolean,
    "timestamp": timestamp,
}


def type_cell(column_type: ColumnType, cell: str, kind: Kind) -> Cell:
    """The value of a non-empty cell in a column of this type; raises CellError."""
    if kind is Kind.NESTED:
        raise CellError("a list or an object")
    if kind is Kind.INVALID:
        raise CellError("not valid Unicode")
    return TYPERS[column_type](cell, kind)


def _numeral(cell: str, kind: Kind, due: str) -> str | None:
    stripped = cell.strip()
    lower = stripped.lower()
    if not stripped or lower in _NAN:
        return None
    if kind in {Kind.BOOLEAN, Kind.TIME}:
        what = "a boolean" if kind is Kind.BOOLEAN else "a time"
        raise CellError(f"{what} where {due} is due")
    if lower.lstrip("+-") in _INFINITE:
        raise CellError("not a finite number")
    if not _NUMBER.fullmatch(stripped) or len(stripped) > _MAX_DIGITS:
        raise CellError(f"not {due}")
    return stripped
