"""JSON arrays and JSON Lines, by the standard library; what a value means says json_values.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.columns import match_columns, normalised
from hokusai_assets.contribution.json_arrays import MAX_ELEMENT_BYTES, elements
from hokusai_assets.contribution.json_values import (
    DUPLICATED,
    INVALID_KEY,
    Malformed,
    parse,
    raw_cell,
)
from hokusai_assets.contribution.rows import (
    PART_BYTES,
    ROWS_AT_ONCE,
    RawColumn,
    RawRows,
    Rejections,
    RowReader,
)
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task

_LINES_ENDINGS = (".jsonl", ".ndjson")


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
        readable = 0
        bad: dict[str, list[int]] = {}
        size = max(self._path.stat().st_size, 1)
        taken = 0
        for chunk, held in _chunks(self._rows()):
            taken += held
            self.share = min(taken / size, 1.0)
            good: list[dict[str, Any]] = []
            for row in chunk:
                self.read += 1
                if isinstance(row, dict):
                    good.append(row)
                    self._names.update(row)
                else:
                    reason = row.reason if isinstance(row, Malformed) else "not a JSON object"
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
        elif bad.keys() == {DUPLICATED.reason}:
            raise ContributionError(
                f"The file {self.source.name} has a key twice in each of its objects: give every "
                "column a name of its own."
            )
        elif self.read:
            raise ContributionError(
                f"The file {self.source.name} holds no JSON object at all: send an array of "
                "objects or one object a line."
            )

    def _rows(self) -> Iterator[tuple[Any, int]]:
        depth = self._task.reading.max_depth
        if self.source.format == "jsonl":
            return _lines(self._path, depth)
        return elements(self._path, self.source.name, depth)

    def _absent(self) -> set[str]:
        """Keys of optional columns that no object has, of those for which it matters.

        A column that may be missing but not be empty: the rows are right if none has it, so all
        must be looked at before the first is judged.
        """
        absent = {
            normalised(c.name) for c in self._task.kept_columns if not (c.required or c.nullable)
        }
        if absent:
            for row, _ in self._rows():
                absent.difference_update(row if isinstance(row, dict) else ())
                if not absent:
                    break
        return absent


def is_json_lines(path: Path, name: str, hint: str, max_depth: int) -> bool:
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
    if isinstance(parse(first, max_depth), dict) and rest.strip():
        return True
    parsed = parse(content, max_depth) if whole else None
    if isinstance(parsed, dict) or parsed in (DUPLICATED, INVALID_KEY):
        raise ContributionError(
            f"The file {name} is one JSON object: send an array of objects, or JSON Lines (one "
            "object a line, the name ending in .jsonl)."
        )
    return True


def _chunks(rows: Iterable[tuple[Any, int]]) -> Iterator[tuple[list[Any], int]]:
    """Consecutive rows, as many as a part may hold by number and by the length of their text.

    And that length.
    """
    chunk: list[Any] = []
    held = 0
    for row, size in rows:
        chunk.append(row)
        held += size
        if len(chunk) >= ROWS_AT_ONCE or held >= PART_BYTES:
            yield chunk, held
            chunk, held = [], 0
    if chunk:
        yield chunk, held


def _lines(path: Path, max_depth: int) -> Iterator[tuple[Any, int]]:
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
                yield Malformed(f"a line of more than {MAX_ELEMENT_BYTES >> 20} MiB"), 0
            elif line.strip():
                yield parse(line, max_depth, "not valid JSON"), len(line)


def _column(cells: Iterable[Any]) -> RawColumn:
    import pyarrow as pa

    texts: list[str | None] = []
    kinds: list[int] = []
    for cell in cells:
        text, kind = raw_cell(cell)
        texts.append(text)
        kinds.append(kind)
    return RawColumn(pa.array(texts, pa.string()), pa.array(kinds, pa.int8()))
