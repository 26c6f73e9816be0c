"""What to do about a row or a file that does not fit: reasons of cleaning with their remedies.

Reasons come from reading and typing as fixed words and hold no cell, so words are looked up here
and nothing is parsed out of data. An unknown reason gets the remedy that is always right.
"""

from __future__ import annotations

import re

from hokusai_assets.records import Record

_ALWAYS = "Correct these rows or leave them out."
# By the beginning of the reason; the first that fits.
_REMEDIES = (
    ("empty", "Fill these cells or leave the rows out."),
    ("not one of the task's labels", "Use the labels as the task spells them."),
    ("not one of the task's allowed", "Use the texts as the task spells them."),
    ("does not match", "Write it as the task's pattern demands."),
    ("a cell of more than", "Shorten the text, or leave the row out."),
    ("below ", "Check the unit; leave the rows out if the value is right."),
    ("above ", "Check the unit; leave the rows out if the value is right."),
    ("an integer beyond", "Write at most 64 bits; ids of more digits are text."),
    ("not an integer", "Write whole numbers, without separators of thousands."),
    ("not a number", "Write digits with a point, without units or separators of thousands."),
    ("not a finite", "Leave the cell empty if there is no number."),
    ("not an ISO 8601", "Write times as 2024-12-31T23:59:59Z."),
    ("a time finer", "Round times to microseconds."),
    ("neither true nor false", "Write true or false."),
    ("too few cells", "Quote cells that hold line ends or the delimiter."),
    ("too many cells", "Quote cells that hold the delimiter."),
    ("broken quoting", 'Quote cells by " and write a " inside as "".'),
    ("not UTF-8", "Save the file as UTF-8."),
    ("not valid Unicode", "Save the file as UTF-8."),
    ("a line of more than", "Look for a quote that is never closed."),
    ("not valid JSON", "Write one whole JSON object a line."),
    ("not a JSON object", "Write every row as a JSON object."),
    ("a key twice", "Give every key of an object once."),
    ("a list or an object", "Write text, a number, a boolean or null."),
)

# "The file F is refused: 3 of 9 rows do not fit, more than the accepted 1.00%. REASONS. REMEDY"
_OF_ROWS = re.compile(r"(.+?%\.) (.+)\. ([A-Z].+)", re.DOTALL)
# "The file F is refused: column 'a' REASON; column 'b' REASON. REMEDY"
_OF_COLUMNS = re.compile(r"(.+?): (column .+)\. ([A-Z].+)", re.DOTALL)


class Refusal(Record):
    """Why a file is refused: what is wrong, each reason, and what to do (may be empty)."""

    message: str
    reasons: tuple[str, ...]
    remedy: str


def remedy_for(reason: str) -> str:
    """What to do about rows that were rejected for `reason`."""
    return next((what for start, what in _REMEDIES if reason.startswith(start)), _ALWAYS)


def refusal_of(error: str, contributor_id: str) -> Refusal:
    """A ContributionError's message in parts, in which all its words stand in their order.

    Errors list their reasons between semicolons. Where there are none the message is the whole.
    """
    text = error.removeprefix(f"The contribution of {contributor_id} is refused: ")
    text = text[:1].upper() + text[1:]
    parts = _OF_ROWS.fullmatch(text) or _OF_COLUMNS.fullmatch(text)
    if parts is None:
        return Refusal(message=text, reasons=(), remedy="")
    message, reasons, remedy = parts.groups()
    return Refusal(message=message.strip(), reasons=tuple(reasons.split("; ")), remedy=remedy)
