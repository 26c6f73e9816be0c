"""From a file to raw rows: finds the file and its format, and hands over to the format's reader.

The format is told by content; the name's ending is only a hint where content can be read both
ways. Every refusal is a ContributionError, whoever owns the file: cleaning.py translates for base
and benchmark. Typing of cells stands in schema.py.
"""

from __future__ import annotations

import contextlib
import datetime
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from hokusai_assets.contribution import reading_csv, reading_json, reading_parquet
from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.contribution.rows import RawRows, RowReader
from hokusai_assets.errors import ContributionError, MissingFileError, UsageError
from hokusai_assets.files import is_url
from hokusai_assets.records import SourceFile
from hokusai_assets.task import Task

Format = Literal["csv", "json", "jsonl", "parquet"]

_BOM = b"\xef\xbb\xbf"
_REFUSED_STARTS = {
    b"\x1f\x8b": "gzip-compressed: decompress it first",
    b"\x28\xb5\x2f\xfd": "zstd-compressed: decompress it first",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet: extract it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save it as CSV",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}


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
    """The file's reader, which gives its rows part by part while this is open."""
    with _local_copy(path) as (local, modified):
        name = mask_text(path.rstrip("/").rsplit("/", 1)[-1])
        try:
            found = detect_format(local, name, hint=path)
        except OSError as error:
            raise _unreadable(path, error) from None
        source = SourceFile(
            name=name,
            size_bytes=local.stat().st_size,
            modified=modified,
            format=found,
            encoding=None if found == "parquet" else "utf-8",
        )
        readers: dict[Format, Callable[[Path, Task, SourceFile], RowReader]] = {
            "csv": reading_csv.CsvReader,
            "parquet": reading_parquet.ParquetReader,
            "json": reading_json.JsonReader,
            "jsonl": reading_json.JsonReader,
        }
        yield readers[found](local, task, source)


def refuse_no_rows(reader: RowReader) -> None:
    """Raise ContributionError for a file that was read and has no data rows."""
    if not reader.read:
        raise ContributionError(
            f"The file {reader.source.name} holds no data rows: check that it is complete."
        )


def detect_format(path: Path, name: str, hint: str = "") -> Format:
    """The format of a local file, by its first bytes; `name` is what errors call it.

    The ending of `hint` decides what content alone cannot: a single object on a single line.
    """
    with path.open("rb") as stream:
        start = stream.read(4096)
    for magic, advice in _REFUSED_STARTS.items():
        if start.startswith(magic):
            raise ContributionError(f"The file {name} is {advice}.")
    if start.startswith(b"PAR1"):
        return "parquet"
    start = start.removeprefix(_BOM).lstrip()
    if not start:
        raise ContributionError(f"The file {name} is empty: send a file with a header and rows.")
    if start.startswith(b"["):
        return "json"
    if start.startswith(b"{"):
        return "jsonl" if reading_json.is_json_lines(path, name, hint or name) else "json"
    return "csv"


@contextlib.contextmanager
def _local_copy(path: str) -> Iterator[tuple[Path, str]]:
    """The file as a local one, and when it was changed (ISO 8601 in UTC, or empty if unknown)."""
    try:
        if not is_url(path):
            local = Path(path)
            if local.is_dir():
                raise IsADirectoryError
            if local.exists() and not local.is_file():  # a pipe would be waited for, without end
                raise UsageError(f"{mask_text(path)} is no regular file: copy its content to one.")
            moment = datetime.datetime.fromtimestamp(local.stat().st_mtime, datetime.UTC)
            yield local, moment.isoformat(timespec="seconds")
            return
        import fsspec

        with tempfile.TemporaryDirectory(prefix="hokusai-") as folder:
            try:
                fs, remote = fsspec.core.url_to_fs(path)
            except (ValueError, ImportError):
                raise UsageError(
                    f"The file {mask_text(path)} cannot be read: its protocol is unknown, or the "
                    "package for it is not installed."
                ) from None
            copy = Path(folder, "data")
            fs.get_file(remote, str(copy))
            try:
                moment = fs.modified(remote)
                modified = moment.astimezone(datetime.UTC).isoformat(timespec="seconds")
            except NotImplementedError:
                modified = ""
            yield copy, modified
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: OSError) -> UsageError:
    # Masked: URLs may carry credentials, names of files people.
    shown = mask_text(path)
    if isinstance(error, FileNotFoundError):
        return MissingFileError(f"There is no file {shown}: check the path.")
    if isinstance(error, IsADirectoryError):
        return MissingFileError(f"{shown} is a folder: name a file in it.")
    return UsageError(
        f"The file {shown} cannot be read ({type(error).__name__}): check its permissions and the "
        "connection."
    )
