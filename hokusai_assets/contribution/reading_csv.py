"""CSV: the header read strictly here, the rows by DuckDB, which reports every line it rejects.

DuckDB because it is the only reader measured that neither aborts on a long line nor drops or
truncates it in silence. It is told everything (delimiter, columns, all text): what it would guess
could differ from file to file. The text of a rejected line is never asked for. Files whose lines
end in several ways, which it refuses, are copied first (line_ends.py).
"""

from __future__ import annotations

import bisect
import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from hokusai_assets.contribution.columns import match_columns, normalised, required_names
from hokusai_assets.contribution.line_ends import copy_with_line_feeds, has_mixed_ends, rows_in
from hokusai_assets.contribution.opening import translated
from hokusai_assets.contribution.rows import (
    ROWS_AT_ONCE,
    MalformedLine,
    RawColumn,
    RawRows,
    Rejections,
    RowReader,
    counted,
)
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
MAX_HEADER_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20
ENGINE_MEMORY = "300MB"

_REASONS = {
    "MISSING COLUMNS": "too few cells",
    "TOO MANY COLUMNS": "too many cells",
    "UNQUOTED VALUE": "broken quoting",
    "INVALID ENCODING": "not UTF-8",
    "INVALID STATE": "broken quoting",
    "LINE SIZE OVER MAXIMUM": f"a line of more than {MAX_LINE_BYTES >> 20} MiB",
}


_OF_QUOTES = {error for error, reason in _REASONS.items() if reason == "broken quoting"}
MIXED_ENDS = "its lines end in several ways, and were read as ending alike"


class CsvReader(RowReader):
    """A UTF-8 CSV file with a header; the delimiter is one of DELIMITERS."""

    def __init__(self, path: Path, task: Task, source: SourceFile) -> None:
        super().__init__(source)
        self._path = path
        header = _header_text(path, source.name)
        self._delimiter, names = _split_header(header, task, source.name)
        self._positions, self.dropped_columns = match_columns(
            names, task, source.name, f"its header, split at {DELIMITERS[self._delimiter]},"
        )
        self._width = len(names)
        self._mixed = has_mixed_ends(path, self._delimiter, MAX_LINE_BYTES)
        if self._mixed:
            notes = (*source.notes, MIXED_ENDS)
            self.source = source.model_copy(update={"notes": notes})

    def parts(self) -> Iterator[RawRows]:
        """Consecutive rows, all cells as text."""
        if not self._mixed:
            yield from self._parts(self._path)
            return
        with tempfile.TemporaryDirectory(prefix="hokusai-") as folder:
            path = Path(folder, "data.csv")
            try:
                copy_with_line_feeds(self._path, path, self._delimiter, MAX_LINE_BYTES)
            except OSError as error:
                raise translated(error, str(self._path), self.source.name) from None
            yield from self._parts(path)

    def _parts(self, path: Path) -> Iterator[RawRows]:
        import pyarrow as pa

        readable = 0
        rows = rows_in(path, self._delimiter)
        rejected: list[tuple[int, str, int | None, int | None]] = []
        wanted = sorted(self._positions.values())
        name = self.source.name
        for batch in _scan(path, self._delimiter, self._width, wanted, name, rejected):
            cells = {f"c{index}": batch.column(i) for i, index in enumerate(wanted)}
            columns = {
                name: RawColumn(cells[f"c{index}"].cast(pa.string()))
                for name, index in self._positions.items()
            }
            numbers = range(readable + 1, readable + batch.num_rows + 1)
            readable += batch.num_rows
            self.share = min(readable / rows, 1.0) if rows else None
            yield RawRows(self.source, columns, numbers, batch.num_rows, Rejections(), ())
        if self._mixed and any(error in _OF_QUOTES for _, error, _, _ in rejected):
            # Which line ends were text inside quotes is then not known.
            raise _unreadable(name)
        # Looked for only where they matter: it takes another look at the whole file.
        counts = bool(rejected) and self._width > 1
        blank = _blank_records(path, self._delimiter) if counts else []
        # DuckDB numbers records from the header, and counts blank lines, which are no rows.
        bad: dict[int, MalformedLine] = {}
        with path.open("rb") as stream:
            for record, error, position, size in sorted(rejected, key=lambda r: (r[0], r[1])):
                row = record - 1 - bisect.bisect_left(blank, record)
                reason = _REASONS.get(error, "malformed")
                # Of a copy with other line ends it would be a place in the copy.
                place = None if self._mixed else position
                start = None if place is None else _line_start(stream, place)
                line = MalformedLine(row, self.source.name, record, start, size, reason)
                bad.setdefault(row, line)  # one row, one reason: the first by name
        for reason in sorted({line.reason for line in bad.values()}):
            self.rejections.add(None, reason, (n for n, why in bad.items() if why.reason == reason))
        self.rejections.lines.extend(bad[row] for row in sorted(bad))
        self.read = readable + len(bad)


def _line_start(stream: BinaryIO, position: int) -> int:
    """The byte offset of a line that DuckDB places: it counts from 1, and from a CR's line feed."""
    stream.seek(position - 1)
    return position if stream.read(1) == b"\n" else position - 1


def _header_text(path: Path, name: str) -> str:
    """The first record, which may span lines inside quotes, without a byte order mark."""
    with path.open("rb") as stream:
        start = stream.read(MAX_HEADER_BYTES).removeprefix(b"\xef\xbb\xbf")
    quoted = False
    end = len(start)
    for index, byte in enumerate(start):
        if byte == 0x22:
            quoted = not quoted
        elif byte in b"\r\n" and not quoted:
            end = index
            break
    if end == MAX_HEADER_BYTES:
        raise ContributionError(
            f"The file {name} has a first line of more than 1 MiB: check that it is a CSV file "
            "with a header."
        )
    try:
        text = start[:end].decode("utf-8")
    except UnicodeDecodeError:
        raise ContributionError(
            f"The file {name} is not UTF-8, as its header shows: save it as UTF-8."
        ) from None
    if "\0" in text:
        raise ContributionError(
            f"The file {name} holds NUL characters in its first line, so it is no UTF-8 text: "
            "save it as UTF-8."
        )
    return text


def _split_header(header: str, task: Task, name: str) -> tuple[str, list[str]]:
    """The delimiter under which most of the task's columns are found, and the names."""
    required = {normalised(n) for n in required_names(task)}
    known = {normalised(c.name) for c in task.kept_columns}
    splits = []
    csv.field_size_limit(2**31 - 1)  # all of a header is one cell by a delimiter it does not use
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter), [])
        except csv.Error:
            raise ContributionError(
                f"The file {name} has a header that is no CSV: check its quotes."
            ) from None
        found = {normalised(n) for n in names}
        splits.append((len(known & found), required <= found, delimiter, names))
    best = max(splits, key=lambda s: s[:2])
    if not best[1]:
        missing = sorted(required - {normalised(n) for n in best[3]})
        counts = ", ".join(f"{len(names)} by {DELIMITERS[d]}" for _, _, d, names in splits)
        raise ContributionError(
            f"The file {name} lacks the required {counted(len(missing), 'column')} "
            f"{', '.join(map(repr, missing))}: its header has {counts}, and at best "
            f"{best[0]} of them are the task's. Add the missing columns, or check that the first "
            "line is the header."
        )
    return best[2], best[3]


def _scan(
    path: Path,
    delimiter: str,
    width: int,
    wanted: Sequence[int],
    name: str,
    rejected: list[tuple[int, str, int | None, int | None]],
) -> Iterator[Any]:
    """The wanted columns of all rows as text, in order; then `rejected` holds each error.

    An error is its record's number, type, byte offset and size.
    """
    import duckdb
    import pyarrow as pa

    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(width))
    selected = ", ".join(f"c{index}" for index in wanted)
    with tempfile.TemporaryDirectory(prefix="hokusai-") as folder, duckdb.connect() as connection:
        # A name of our own: DuckDB would expand a pattern in the given one.
        link = Path(folder, "data.csv")
        link.symlink_to(path.absolute())
        connection.execute("SET autoinstall_known_extensions=false")
        connection.execute("SET autoload_known_extensions=false")
        connection.execute("SET temp_directory=''")
        connection.execute(f"SET memory_limit='{ENGINE_MEMORY}'")
        try:
            yield from connection.sql(
                f"SELECT {selected} FROM read_csv(?, auto_detect=false, header=true, "
                f"delim='{delimiter}', quote='\"', escape='\"', comment='', "
                f"columns={{{columns}}}, store_rejects=true, "
                "rejects_limit=0, strict_mode=true, null_padding=false, "
                f"max_line_size={MAX_LINE_BYTES}, buffer_size={2 * MAX_LINE_BYTES})",
                params=[str(link)],
            ).to_arrow_reader(ROWS_AT_ONCE)
            rejected.extend(
                connection.execute(
                    # The line's text stays where it is; only its length is asked for.
                    "SELECT line, error_type::VARCHAR, line_byte_position, "
                    "strlen(trim(csv_line, chr(13) || chr(10))) FROM reject_errors"
                ).fetchall()
            )
        except (duckdb.Error, pa.ArrowException):
            # The library's message quotes the file, so it is not passed on.
            raise _unreadable(name) from None


def _unreadable(name: str) -> ContributionError:
    return ContributionError(
        f"The file {name} cannot be read as CSV: its line ends are mixed or its quotes do "
        'not pair. Save it again with one kind of line end and cells quoted by ".'
    )


def _blank_records(path: Path, delimiter: str) -> list[int]:
    """Record numbers of blank lines, ascending; 1 is the header."""
    if not _has_blank_lines(path):
        return []
    csv.field_size_limit(2**31 - 1)  # a longer line is rejected by now
    # Latin-1 decodes any byte, and bytes are all that is needed to find blank lines.
    with path.open(encoding="latin-1", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        blank = []
        number = 0
        for number, record in enumerate(reader, 1):
            if not record:
                blank.append(number)
    # Those at the end are before no record.
    while blank and blank[-1] == number:
        blank.pop()
        number -= 1
    return blank


def _has_blank_lines(path: Path) -> bool:
    import numpy as np

    last = b""
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            content = last + block
            # A tenth of the time of looking for pairs as texts: line ends are many.
            data = np.frombuffer(content, np.uint8)
            feeds = data == 0x0A
            if (feeds[1:] & feeds[:-1]).any():
                return True
            if b"\r" in content:
                returns = data == 0x0D
                if (returns[1:] & returns[:-1]).any():
                    return True
                if (feeds[2:] & returns[1:-1] & feeds[:-2]).any():
                    return True
            last = content[-2:]
    return False
