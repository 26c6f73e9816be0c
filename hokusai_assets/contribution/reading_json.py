"""JSON arrays and JSON Lines, by the standard library; numbers keep their text until typing.

Keeping a number's text means that 1e999, integers past 64 bits and 0.1 are judged by the same
code as in a CSV file, not by what a parser made of them.
"""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.columns import match_columns, normalised
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

MAX_ELEMENT_BYTES = 16 << 20

_LINES_ENDINGS = (".jsonl", ".ndjson")


class _Number(str):
    """The text of a JSON number."""


class _Malformed:
    """What stands for a row that is no JSON object, with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


_DUPLICATED = _Malformed("a key twice")
_INVALID_KEY = _Malformed("a key that is not valid Unicode")


class JsonReader(RowReader):
    """A JSON array of objects or JSON Lines, as `source.format` says."""

    def __init__(self, path: Path, task: Task, source: SourceFile) -> None:
        super().__init__(source)
        self._path = path
        self._task = task
        self._names: set[str] = set()
        self._wanted = {normalised(c.name): c.name for c in task.kept_columns}

    def parts(self) -> Iterator[RawRows]:
        """Consecutive objects; which columns the file has is known when all were read."""
        absent = self._absent()
        rows = self._rows()
        readable = 0
        bad: dict[str, list[int]] = {}
        while chunk := list(itertools.islice(rows, ROWS_AT_ONCE)):
            good: list[dict[str, Any]] = []
            for row in chunk:
                self.read += 1
                if isinstance(row, dict):
                    good.append(row)
                    self._names.update(row)
                else:
                    reason = row.reason if isinstance(row, _Malformed) else "not a JSON object"
                    bad.setdefault(reason, []).append(self.read)
            # Before more are gathered: every object could bring new ones.
            if len(self._names) > self._task.reading.max_columns:
                break
            numbers = range(readable + 1, readable + len(good) + 1)
            readable += len(good)
            columns = {
                name: _column(row.get(key) for row in good)
                for key, name in self._wanted.items()
                if key not in absent
            }
            yield RawRows(self.source, columns, numbers, len(chunk), Rejections(), ())
        for reason, where in bad.items():
            self.rejections.add(None, reason, where)
        if self._names:
            _, self.dropped_columns = match_columns(
                sorted(self._names), self._task, self.source.name, "the set of its objects' keys"
            )
        elif bad.keys() == {_DUPLICATED.reason}:
            raise ContributionError(
                f"The file {self.source.name} has a key twice in each of its objects: give every "
                "column a name of its own."
            )
        elif self.read:
            raise ContributionError(
                f"The file {self.source.name} holds no JSON object at all: send an array of "
                "objects or one object a line."
            )

    def _rows(self) -> Iterator[Any]:
        if self.source.format == "jsonl":
            return _lines(self._path)
        return _elements(self._path, self.source.name)

    def _absent(self) -> set[str]:
        """Keys of optional columns that no object has, of those for which it matters.

        A column that may be missing but not be empty: the rows are right if none has it, so all
        must be looked at before the first is judged.
        """
        absent = {
            normalised(c.name) for c in self._task.kept_columns if not (c.required or c.nullable)
        }
        if absent:
            for row in self._rows():
                absent.difference_update(row if isinstance(row, dict) else ())
                if not absent:
                    break
        return absent


def is_json_lines(path: Path, name: str, hint: str) -> bool:
    """True for a file that starts with "{" and is JSON Lines; raises if it is one JSON object.

    One object on one line is both; the ending of `hint` decides that case only.
    """
    with path.open("rb") as stream:
        start = stream.read(MAX_ELEMENT_BYTES + 1)
    content = start.removeprefix(b"\xef\xbb\xbf").strip()
    whole = len(start) <= MAX_ELEMENT_BYTES
    if b"\n" not in content and hint.lower().endswith(_LINES_ENDINGS):
        return True
    first, _, rest = content.partition(b"\n")
    if isinstance(_parsed(first), dict) and rest.strip():
        return True
    parsed = _parsed(content) if whole else None
    if isinstance(parsed, dict) or parsed in (_DUPLICATED, _INVALID_KEY):
        raise ContributionError(
            f"The file {name} is one JSON object: send an array of objects, or JSON Lines (one "
            "object a line, the name ending in .jsonl)."
        )
    return True


def _elements(path: Path, name: str) -> Iterator[Any]:
    """The elements of a JSON array, one after another, without holding the file.

    What follows is parsed as soon as a closing bracket was seen after it, so that an element is
    tried few times however it falls between two reads.
    """
    decoder = json.JSONDecoder(
        parse_int=_Number,
        parse_float=_Number,
        parse_constant=_Number,
        object_pairs_hook=_unique,
    )
    with path.open("rb") as binary:
        if binary.read(3) != b"\xef\xbb\xbf":
            binary.seek(0)
        window = _Window(io.TextIOWrapper(binary, encoding="utf-8", newline=""), name)
        window.skip()
        if window.take() != "[":
            raise ContributionError(
                f"The file {name} is JSON but no array of objects: send an array."
            )
        window.skip()
        if window.peek() == "]":
            window.take()
        else:
            while True:
                yield window.element(decoder)
                window.skip()
                mark = window.take()
                if mark == "]":
                    break
                if mark != ",":
                    raise window.broken()
                window.skip()
        window.skip()
        if window.peek():
            raise window.broken()


class _Window:
    """The part of a text file that is being parsed."""

    _BLOCK = 1 << 20
    _SPACES = re.compile(r"[ \t\n\r]*")

    def __init__(self, stream: io.TextIOBase, name: str) -> None:
        self._stream = stream
        self._name = name
        self._text = ""
        self._position = 0
        self._lines = 1
        self._ended = False

    def skip(self) -> None:
        """Go past white space."""
        while True:
            match = self._SPACES.match(self._text, self._position)
            assert match is not None  # the pattern matches nothing too
            self._position = match.end()
            if self._position < len(self._text) or not self._more():
                return

    def peek(self) -> str:
        """The next character, or nothing at the end."""
        if self._position == len(self._text):
            self._more()
        return self._text[self._position : self._position + 1]

    def take(self) -> str:
        """The next character, which is then behind."""
        character = self.peek()
        self._position += len(character)
        return character

    def element(self, decoder: json.JSONDecoder) -> Any:
        """The next value."""
        wanted = self._BLOCK
        while True:
            try:
                value, end = decoder.raw_decode(self._text, self._position)
                # A number that ends where the window ends may go on behind it.
                if end < len(self._text) or self._ended or not self._more():
                    self._position = end
                    return value
            except json.JSONDecodeError:
                held = len(self._text) - self._position
                if held > MAX_ELEMENT_BYTES:
                    raise ContributionError(
                        f"The file {self._name} has an element of more than "
                        f"{MAX_ELEMENT_BYTES >> 20} MiB, or breaks off: one object a row."
                    ) from None
                # Twice as much each time, so that a long element is not tried again and again.
                if not self._more(max(wanted, held)):
                    raise self.broken() from None
            except RecursionError:
                raise ContributionError(
                    f"The file {self._name} is not a valid JSON array: nested too deeply. Send "
                    "flat objects."
                ) from None

    def broken(self) -> ContributionError:
        """The error for a text that is no JSON here."""
        line = self._lines + self._text.count("\n", 0, self._position)
        start = self._text.rfind("\n", 0, self._position)
        return ContributionError(
            f"The file {self._name} is not a valid JSON array: it breaks off or errs after line "
            f"{line}, column {self._position - start}. Check that the file is complete and UTF-8."
        )

    def _more(self, size: int = _BLOCK) -> bool:
        if self._ended:
            return False
        try:
            block = self._stream.read(size)
        except UnicodeDecodeError:
            raise ContributionError(
                f"The file {self._name} is not a valid JSON array: not UTF-8. Check that the file "
                "is complete and UTF-8."
            ) from None
        self._ended = not block
        self._lines += self._text.count("\n", 0, self._position)
        self._text = self._text[self._position :] + block
        self._position = 0
        return bool(block)


def _lines(path: Path) -> Iterator[Any]:
    # A binary file's lines end at line feeds only; text would also be split at characters that
    # may stand inside a JSON string.
    with path.open("rb") as stream:
        first = True
        while line := stream.readline(MAX_ELEMENT_BYTES + 1):
            if first:
                line = line.removeprefix(b"\xef\xbb\xbf")
                first = False
            if len(line) > MAX_ELEMENT_BYTES:
                while not line.endswith(b"\n") and (line := stream.readline(MAX_ELEMENT_BYTES)):
                    pass
                yield _Malformed(f"a line of more than {MAX_ELEMENT_BYTES >> 20} MiB")
            elif line.strip():
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
