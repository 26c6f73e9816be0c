"""JSON arrays and JSON Lines, by the standard library; numbers keep their text until typing.

Keeping a number's text means that 1e999, integers past 64 bits and 0.1 are judged by the same
code as in a CSV file, not by what a parser made of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.columns import match_columns, normalised
from hokusai_assets.contribution.rows import Kind, RawColumn, RawRows, Rejections
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task

_LINES_ENDINGS = (".jsonl", ".ndjson")


class _Number(str):
    """The text of a JSON number."""


class _Malformed:
    """What stands for a row that is no JSON object, with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


_DUPLICATED = _Malformed("a key twice")
_INVALID_KEY = _Malformed("a key that is not valid Unicode")


def read_json(path: Path, task: Task, source: SourceFile) -> RawRows:
    """Read a JSON array of objects or JSON Lines, as `source.format` says."""
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if source.format == "jsonl":
        rows = list(_lines(content))
    else:
        rows = list(_elements(content, source.name))
    rejections = Rejections()
    good: list[dict[str, Any]] = []
    numbers: list[int] = []
    bad: dict[str, list[int]] = {}
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict):
            good.append(row)
            numbers.append(number)
        else:
            reason = row.reason if isinstance(row, _Malformed) else "not a JSON object"
            bad.setdefault(reason, []).append(number)
    for reason, where in bad.items():
        rejections.add(None, reason, where)
    columns: dict[str, RawColumn] = {}
    dropped: tuple[str, ...] = ()
    if good:
        names = sorted({key for row in good for key in row})
        positions, dropped = match_columns(names, task, source.name, "the set of its objects' keys")
        columns = {name: _column(row.get(normalised(name)) for row in good) for name in positions}
    elif rows:
        raise ContributionError(
            f"The file {source.name} holds no JSON object at all: send an array of objects or one "
            "object a line."
        )
    return RawRows(
        source=source,
        columns=columns,
        numbers=numbers,
        read=len(rows),
        rejections=rejections,
        dropped_columns=dropped,
    )


def is_json_lines(path: Path, name: str, hint: str) -> bool:
    """True for a file that starts with "{" and is JSON Lines; raises if it is one JSON object.

    One object on one line is both; the ending of `hint` decides that case only.
    """
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
    if b"\n" not in content and hint.lower().endswith(_LINES_ENDINGS):
        return True
    parsed = _parsed(content)
    if isinstance(parsed, dict) or parsed in (_DUPLICATED, _INVALID_KEY):
        raise ContributionError(
            f"The file {name} is one JSON object: send an array of objects, or JSON Lines (one "
            "object a line, the name ending in .jsonl)."
        )
    return True


def _elements(content: bytes, name: str) -> list[Any]:
    parsed = _parsed(content)
    if isinstance(parsed, _Malformed):
        raise ContributionError(
            f"The file {name} is not a valid JSON array: {parsed.reason}. Check that the file is "
            "complete and UTF-8."
        )
    if not isinstance(parsed, list):
        raise ContributionError(f"The file {name} is JSON but no array of objects: send an array.")
    return parsed


def _lines(content: bytes) -> Iterator[Any]:
    # Not splitlines(): it also splits at characters that may stand inside a JSON string.
    for line in content.split(b"\n"):
        if line.strip():
            yield _parsed(line, "not valid JSON")


def _parsed(content: bytes, invalid: str = "") -> Any:
    """The value, or a _Malformed whose reason is `invalid` or else says where the text errs."""
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError:
        return _Malformed("not UTF-8")
    except json.JSONDecodeError as error:
        # Its message is left out: it can quote what stands there.
        where = f"it breaks off or errs at line {error.lineno}, column {error.colno}"
        return _Malformed(invalid or where)
    except RecursionError:
        return _Malformed("nested too deeply")


def _unique(pairs: list[tuple[str, Any]]) -> Any:
    if not all(_is_unicode(key) for key, _ in pairs):
        return _INVALID_KEY
    row = {normalised(key): cell for key, cell in pairs}
    return row if len(row) == len(pairs) else _DUPLICATED


def _column(cells: Iterable[Any]) -> RawColumn:
    import pyarrow as pa

    texts: list[str | None] = []
    kinds: list[int] = []
    for cell in cells:
        text, kind = _raw(cell)
        texts.append(text or None)
        kinds.append(kind)
    return RawColumn(pa.array(texts, pa.string()), pa.array(kinds, pa.int8()))


def _raw(cell: Any) -> tuple[str | None, Kind]:
    if cell is None:
        return None, Kind.TEXT
    if isinstance(cell, _Number):
        return str(cell), Kind.NUMBER
    if isinstance(cell, bool):
        return str(cell).lower(), Kind.BOOLEAN
    if isinstance(cell, str):
        return (cell, Kind.TEXT) if _is_unicode(cell) else ("?", Kind.INVALID)
    return "?", Kind.NESTED


def _is_unicode(text: str) -> bool:
    """Without lone surrogates, which JSON can escape and UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
