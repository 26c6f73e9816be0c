"""From a file to raw rows: finds the file and its format, and hands over to the format's reader.

The format is told by content; the name's ending is only a hint where content can be read both
ways. Every refusal is a ContributionError, whoever owns the file: reference_rows.py translates for
base and benchmark. Typing of cells stands in schema.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from hokusai_assets.contribution import reading_csv, reading_json, reading_parquet
from hokusai_assets.contribution.opening import Limits, PlainFile, opened
from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.contribution.rows import RawRows, RowReader
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task

Format = Literal["csv", "json", "jsonl", "parquet"]

_BOM = b"\xef\xbb\xbf"


def read_rows(path: str, task: Task) -> RawRows:
    """Read the task's kept columns of a CSV, JSON, JSON Lines or Parquet file, all at once.

    `path` is local or any fsspec URL. Raises MissingFileError, or ContributionError with what is
    wrong with the content; rows that are malformed on their own are rejected and counted.
    """
    with open_reader(path, task) as reader:
        rows = reader.whole()
    refuse_no_rows(reader)
    return rows


@contextlib.contextmanager
def open_reader(path: str, task: Task) -> Iterator[RowReader]:
    """The reader of a file, or of all files of a folder or pattern, while this is open.

    Row numbers run on through the files in the order of their names.
    """
    with opened(path, _limits(task)) as files:
        readers = [_reader(file, task) for file in files]
        if len(readers) == 1:
            yield readers[0]
        else:
            name = mask_text(path.rstrip("/").rsplit("/", 1)[-1])
            yield _Chain(readers, _together(name, readers))


def _limits(task: Task) -> Limits:
    reading = task.reading
    return Limits(
        total_bytes=reading.max_bytes,
        decompression_ratio=reading.max_decompression_ratio,
        files=reading.max_files,
    )


def _reader(file: PlainFile, task: Task) -> RowReader:
    found = detect_format(file.path, file.name, task.reading.max_depth, hint=file.hint)
    source = SourceFile(
        name=file.name,
        size_bytes=file.size_bytes,
        modified=file.modified,
        format=found,
        encoding=file.encoding,
        compression=file.compression,
        sha256=file.sha256,
        notes=file.notes,
    )
    readers: dict[Format, Callable[[Path, Task, SourceFile], RowReader]] = {
        "csv": reading_csv.CsvReader,
        "parquet": reading_parquet.ParquetReader,
        "json": reading_json.JsonReader,
        "jsonl": reading_json.JsonReader,
    }
    return readers[found](file.path, task, source)


class _Chain(RowReader):
    """Several files as one."""

    def __init__(self, readers: list[RowReader], source: SourceFile) -> None:
        super().__init__(source)
        self._readers = readers

    def parts(self) -> Iterator[RawRows]:
        """Consecutive rows of one file after another."""
        readable = 0
        dropped: set[str] = set()
        # By the files' sizes as they came: how far each decompresses is known when it was read.
        whole = max(sum(reader.source.size_bytes for reader in self._readers), 1)
        done = 0
        for reader in self._readers:
            for part in reader.parts():
                numbers = range(readable + 1, readable + len(part.numbers) + 1)
                readable += len(part.numbers)
                self.share = (done + (reader.share or 0.0) * reader.source.size_bytes) / whole
                yield dataclasses.replace(part, source=self.source, numbers=numbers)
            self.rejections.include(reader.rejections.placed(self.read))
            self.read += reader.read
            done += reader.source.size_bytes
            dropped.update(reader.dropped_columns)
        self.dropped_columns = tuple(sorted(dropped))


def _together(name: str, readers: list[RowReader]) -> SourceFile:
    sources = [reader.source for reader in readers]

    def common(values: set[Any]) -> Any:
        return values.pop() if len(values) == 1 else "mixed"

    listed = "".join(f"{source.sha256}\n" for source in sources)
    return SourceFile(
        name=name,
        size_bytes=sum(source.size_bytes for source in sources),
        modified=max(source.modified for source in sources),
        format=common({source.format for source in sources}),
        encoding=common({source.encoding for source in sources}),
        compression=common({source.compression for source in sources}),
        sha256=hashlib.sha256(listed.encode()).hexdigest(),
        files=len(sources),
        notes=tuple(f"{source.name}: {note}" for source in sources for note in source.notes),
    )


def refuse_no_rows(reader: RowReader) -> None:
    """Raise ContributionError for a file that was read and has no data rows."""
    if not reader.read:
        raise ContributionError(
            f"The file {reader.source.name} holds no data rows: check that it is complete."
        )


def detect_format(path: Path, name: str, max_depth: int, hint: str = "") -> Format:
    """The format of a local file, by its first bytes; `name` is what errors call it.

    The ending of `hint` decides what content alone cannot: a single object on a single line.
    """
    with path.open("rb") as stream:
        start = stream.read(4096)
    if start.startswith(b"PAR1"):
        return "parquet"
    start = start.removeprefix(_BOM).lstrip()
    if not start:
        raise ContributionError(f"The file {name} is empty: send a file with a header and rows.")
    if start.startswith(b"["):
        return "json"
    if start.startswith(b"{"):
        return (
            "jsonl" if reading_json.is_json_lines(path, name, hint or name, max_depth) else "json"
        )
    return "csv"
