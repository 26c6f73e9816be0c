"""CSV: the header read strictly here, the rows by DuckDB, which reports every line it rejects.

DuckDB because it is the only reader measured that neither aborts on a long line nor drops or
truncates it in silence. It is told everything (delimiter, columns, all text): what it would guess
could differ from file to file. The text of a rejected line is never asked for.
"""

from __future__ import annotations

import bisect
import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.columns import match_columns, normalised, required_names
from hokusai_assets.contribution.rows import RawColumn, RawRows, Rejections, counted
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
MAX_HEADER_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20

_REASONS = {
    "MISSING COLUMNS": "too few cells",
    "TOO MANY COLUMNS": "too many cells",
    "UNQUOTED VALUE": "broken quoting",
    "INVALID ENCODING": "not UTF-8",
    "INVALID STATE": "broken quoting",
    "LINE SIZE OVER MAXIMUM": f"a line of more than {MAX_LINE_BYTES >> 20} MiB",
}


def read_csv(path: Path, task: Task, source: SourceFile) -> RawRows:
    """Read a UTF-8 CSV file with a header; the delimiter is one of DELIMITERS."""
    header = _header_text(path, source.name)
    delimiter, names = _split_header(header, task, source.name)
    positions, dropped = match_columns(
        names, task, source.name, f"its header, split at {DELIMITERS[delimiter]},"
    )
    table, rejected = _scan(path, delimiter, len(names), source.name)
    blank = _blank_records(path, delimiter) if len(names) > 1 else []
    rejections = Rejections()
    # DuckDB numbers records from the header, and counts blank lines, which are no rows.
    bad: dict[int, str] = {}
    for record, error in sorted(rejected):  # one row, one reason: the first by name
        number = record - 1 - bisect.bisect_left(blank, record)
        bad.setdefault(number, _REASONS.get(error, "malformed"))
    for reason in sorted(set(bad.values())):
        rejections.add(None, reason, (n for n, why in bad.items() if why == reason))
    read = table.num_rows + len(bad)
    return RawRows(
        source=source,
        columns={
            name: RawColumn(table.column(index).combine_chunks())
            for name, index in positions.items()
        },
        numbers=[n for n in range(1, read + 1) if n not in bad],
        read=read,
        rejections=rejections,
        dropped_columns=dropped,
    )


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


def _scan(path: Path, delimiter: str, width: int, name: str) -> tuple[Any, list[tuple[int, str]]]:
    """All rows as text, and (record number, error type) of each error."""
    import duckdb

    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(width))
    with tempfile.TemporaryDirectory(prefix="hokusai-") as folder, duckdb.connect() as connection:
        # A name of our own: DuckDB would expand a pattern in the given one.
        link = Path(folder, "data.csv")
        link.symlink_to(path.absolute())
        connection.execute("SET autoinstall_known_extensions=false")
        connection.execute("SET autoload_known_extensions=false")
        connection.execute("SET temp_directory=''")
        try:
            table = connection.sql(
                f"SELECT * FROM read_csv(?, auto_detect=false, header=true, delim='{delimiter}', "
                f"quote='\"', escape='\"', comment='', columns={{{columns}}}, store_rejects=true, "
                "rejects_limit=0, strict_mode=true, null_padding=false, "
                f"max_line_size={MAX_LINE_BYTES}, buffer_size={4 * MAX_LINE_BYTES})",
                params=[str(link)],
            ).to_arrow_table()
            errors = connection.execute(
                "SELECT line, error_type::VARCHAR FROM reject_errors"
            ).fetchall()
        except duckdb.Error:
            # The library's message quotes the file, so it is not passed on.
            raise ContributionError(
                f"The file {name} cannot be read as CSV: its line ends are mixed or its quotes do "
                'not pair. Save it again with one kind of line end and cells quoted by ".'
            ) from None
    return table, errors


def _blank_records(path: Path, delimiter: str) -> list[int]:
    """Record numbers of blank lines, ascending; 1 is the header."""
    # Only line ends: a last line of spaces is a record, before which blank ones still count.
    content = path.read_bytes().rstrip(b"\r\n")
    if not any(pair in content for pair in (b"\n\n", b"\r\r", b"\n\r\n")):
        return []
    # Latin-1 decodes any byte, and bytes are all that is needed to find blank lines.
    reader = csv.reader(io.StringIO(content.decode("latin-1"), newline=""), delimiter=delimiter)
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    return [number for number, record in enumerate(reader, 1) if not record]
