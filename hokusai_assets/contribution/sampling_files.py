"""The first rows of a file whose columns nobody has described: names and cells, no more.

An evaluation reads files strictly and by their task (reading.py). Here there is no task, a sample
is enough, and whatever does not fit is skipped and counted. Errors hold no cell: a file without a
header has a row of data in its place, and its names are checked before anybody sees them.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.json_values import Number, is_unicode, raw_cell
from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.contribution.rows import Kind
from hokusai_assets.errors import MissingFileError, UsageError

SAMPLE_ROWS = 10_000
MAX_JSON_BYTES = 256 << 20
_MAX_CELL = 16 << 20
_MAX_NAME = 80
_NUMERAL = re.compile(r"[+-]?[0-9.,]+")
_DELIMITERS = ",;\t|"

Cell = tuple[str | None, Kind]


@dataclass(frozen=True)
class Sample:
    """At most SAMPLE_ROWS rows by column; `skipped` rows could not be read."""

    names: tuple[str, ...]
    columns: tuple[tuple[Cell, ...], ...]
    rows: int
    whole_file: bool
    skipped: int

    @property
    def cells(self) -> dict[str, tuple[Cell, ...]]:
        """The cells of each column by its name."""
        return dict(zip(self.names, self.columns, strict=True))


def sample_file(path: str | Path) -> Sample:
    """The first rows of a local CSV, JSON, JSON Lines or Parquet file, told by its content.

    Raises MissingFileError, or UsageError with what cannot be read.
    """
    path = Path(path)
    name = mask_text(path.name)
    if not path.is_file():
        raise MissingFileError(f"There is no file {mask_text(str(path))}: check the path.")
    with path.open("rb") as stream:
        start = stream.read(64)
    if start.startswith(b"PAR1"):
        return _parquet(path, name)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    try:
        if text.startswith(b"["):
            return _json(path, name)
        if text.startswith(b"{"):
            return _json_lines(path, name)
        return _csv(path, name)
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(
            f"The file {name} is neither Parquet nor readable UTF-8 text: save it as UTF-8, "
            "decompressed."
        ) from None


def _csv(path: Path, name: str) -> Sample:
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = stream.readline()
        delimiter = max(_DELIMITERS, key=header.count)
        stream.seek(0)
        reader = csv.reader(stream, delimiter=delimiter)
        names = _checked(next(reader, []), name)
        rows = [row for row in itertools.islice(reader, SAMPLE_ROWS + 1) if row]
    whole = len(rows) <= SAMPLE_ROWS
    good = [row for row in rows[:SAMPLE_ROWS] if len(row) == len(names)]
    cells = ([(cell or None, Kind.TEXT) for cell in row] for row in good)
    return _sample(names, list(cells), whole, min(len(rows), SAMPLE_ROWS) - len(good), name)


def _json_lines(path: Path, name: str) -> Sample:
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        filled = (line for line in stream if line.strip())
        lines = list(itertools.islice(filled, SAMPLE_ROWS + 1))
    rows = []
    for line in lines[:SAMPLE_ROWS]:
        try:
            rows.append(json.loads(line, parse_float=Number, parse_int=Number))
        except (ValueError, RecursionError):
            rows.append(None)
    return _objects(rows, len(lines) <= SAMPLE_ROWS, name)


def _json(path: Path, name: str) -> Sample:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise UsageError(
            f"The file {name} is a JSON array of more than {MAX_JSON_BYTES >> 20} MiB, which "
            "must be read whole: save it as JSON Lines."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = json.loads(text, parse_float=Number, parse_int=Number)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"The file {name} is no valid JSON: it errs at line {error.lineno}, column "
            f"{error.colno}."
        ) from None
    except RecursionError:
        raise UsageError(f"The file {name} is JSON nested too deeply.") from None
    return _objects(rows[:SAMPLE_ROWS], len(rows) <= SAMPLE_ROWS, name)


def _objects(rows: Sequence[Any], whole: bool, name: str) -> Sample:
    good = [row for row in rows if isinstance(row, dict)]
    names = _checked(list(dict.fromkeys(key for row in good for key in row)), name)
    cells = [[raw_cell(row.get(column)) for column in names] for row in good]
    return _sample(names, cells, whole, len(rows) - len(good), name)


def _parquet(path: Path, name: str) -> Sample:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            total = file.metadata.num_rows
            batch = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
            names = _checked(file.schema_arrow.names, name)
        columns = [_arrow_cells(column) for column in batch.columns] if batch is not None else []
    except (pa.ArrowException, OSError):
        raise UsageError(f"The file {name} is a damaged Parquet file.") from None
    rows = [list(row) for row in zip(*columns, strict=True)]
    return _sample(names, rows, total <= SAMPLE_ROWS, 0, name)


def _arrow_cells(column: Any) -> list[Cell]:
    import pyarrow as pa
    import pyarrow.types as is_type

    if is_type.is_dictionary(column.type):
        column = column.dictionary_decode()
    of = column.type
    if is_type.is_nested(of) or is_type.is_binary(of) or is_type.is_duration(of):
        return [("?", Kind.NESTED)] * len(column)
    kind = Kind.TEXT
    if is_type.is_boolean(of):
        kind = Kind.BOOLEAN
    elif is_type.is_temporal(of):
        kind = Kind.TIME
    elif is_type.is_primitive(of) or is_type.is_decimal(of):
        kind = Kind.NUMBER
    return [(text or None, kind) for text in column.cast(pa.string()).to_pylist()]


def _sample(
    names: Sequence[str], rows: Sequence[Sequence[Cell]], whole: bool, skipped: int, file: str
) -> Sample:
    if not rows:
        raise UsageError(f"The file {file} holds no rows that can be read: check its delimiter.")
    columns = tuple(tuple(row[index] for row in rows) for index in range(len(names)))
    return Sample(tuple(names), columns, len(rows), whole, skipped)


def _checked(names: Iterable[str], file: str) -> list[str]:
    """The columns' names in NFC; raises UsageError if a task could not name them."""
    checked = [unicodedata.normalize("NFC", name) for name in names]
    if any(mask_text(name) != name for name in checked):
        raise UsageError(
            f"The file {file} has personal data in place of a column's name: check that its first "
            "line is the header."
        )
    if any(len(name) > _MAX_NAME or _NUMERAL.fullmatch(name) for name in checked):
        raise UsageError(
            f"The file {file} has a number or a long text in place of a column's name: check that "
            "its first line is the header."
        )
    if len(set(checked)) != len(checked):
        raise UsageError(f"The file {file} has a column's name twice: rename one.")
    wrong = sum(not name or name.startswith("_") or not is_unicode(name) for name in checked)
    if wrong:
        raise UsageError(
            f"The file {file} has {wrong} columns without a name, or with one that starts with an "
            "underscore, which a task cannot have: rename them."
        )
    return checked
