"""From what a stranger sends (a file, folder, pattern or URL) to plain local files.

Plain: local, decompressed, and UTF-8 where it is text, so that a format's reader needs to know
neither networks, compression nor encodings. A file that is all this already is handed on as it
is, read once and never copied. Which format it has, and what its rows say, the readers find out.
Where files are found stands in finding.py, and what may be refused inside in decompressing.py and
text_encoding.py; every refusal is one sentence without a byte of content.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hokusai_assets.contribution import text_encoding
from hokusai_assets.contribution.decompressing import (
    Compression,
    Received,
    compression_of,
    plain_blocks,
)
from hokusai_assets.contribution.finding import (
    Found,
    State,
    find_files,
    local_state,
    reading,
    unreadable,
)
from hokusai_assets.contribution.first_look import name_and_notes, refuse_by_start
from hokusai_assets.errors import ContributionError, UsageError

_HEAD_BYTES = 64 << 10
# More zero bytes than this and it is no text; fewer may be a broken line, a reader's matter.
_MAX_NUL_SHARE = 0.001
_MAX_NULS_OF_SMALL_FILES = 16


@dataclass(frozen=True)
class Limits:
    """How much one contribution may be; each is named in the message when it is passed."""

    total_bytes: int = 64 << 30  # decompressed, over all files
    decompression_ratio: int = 200
    files: int = 10_000


@dataclass(frozen=True)
class PlainFile:
    """One file as a reader wants it, and what it was when it came."""

    path: Path  # local, decompressed; UTF-8 if it is text, perhaps with a byte order mark
    name: str  # masked; the part below the given folder or pattern, or the last part of the path
    hint: str  # the name as it came, without .gz or .zst: decides what content alone cannot
    size_bytes: int  # as it came
    sha256: str  # of the bytes that came and were read
    modified: str  # ISO 8601 in UTC, or empty if unknown
    compression: Compression | None
    encoding: str | None  # None for Parquet; "utf-8" also where some lines are not
    notes: tuple[str, ...] = ()


@contextmanager
def opened(path: str, limits: Limits | None = None) -> Iterator[tuple[PlainFile, ...]]:
    """The plain files of `path`, sorted by name, for as long as the context lasts.

    Raises MissingFileError if there are none, UsageError if the system does not give them, and
    ContributionError for what is wrong with them, also afterwards, if one was changed meanwhile.
    """
    limits = limits or Limits()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hokusai-")))
        budget = _Budget(limits)
        files, states = [], []
        for index, found in enumerate(find_files(path, limits.files)):
            try:
                plain, state = _prepare(found, folder / f"{index}", limits, budget)
            except OSError as error:
                raise translated(error, found.path, found.name) from None
            files.append(plain)
            states.append((found, state))
        yield tuple(files)
        for found, state in states:
            _check_unchanged(found, state)


class _Budget:
    """What is left of the bytes that all files together may decompress to."""

    def __init__(self, limits: Limits) -> None:
        self._limit = self._left = limits.total_bytes

    def take(self, size: int, name: str) -> None:
        self.check(size, name)
        self._left -= size

    def check(self, size: int, name: str) -> None:
        if size > self._left:
            raise ContributionError(
                f"The files up to {name} hold more than {self._limit} bytes in all, decompressed "
                "(the limit total_bytes): send fewer rows."
            )


def _prepare(
    found: Found, temporary: Path, limits: Limits, budget: _Budget
) -> tuple[PlainFile, State]:
    """The plain file, and the state in which it was read; what is made is `temporary`(.utf8)."""
    name = found.name
    with reading(found) as (stream, state):
        received = Received(stream)
        compression = compression_of(received.start())
        copied = found.fs is not None or compression is not None
        if not copied:
            budget.check(state.size or 0, name)  # before an hour is spent on reading it
        blocks = plain_blocks(received, compression, limits.decompression_ratio, name)
        with ExitStack() as stack:
            sink = stack.enter_context(temporary.open("wb")) if copied else None
            head, encoding = _pass(blocks, sink, budget, name)
    if state.size not in (None, received.count):
        raise _changed(name)
    path = temporary if copied else Path(found.path)
    if encoding not in (None, "utf-8"):
        path, head = _to_utf8(path, encoding, temporary, name)
    hint, notes = name_and_notes(found.part, compression, encoding, head)
    plain = PlainFile(
        path=path,
        name=name,
        hint=hint,
        size_bytes=received.count,
        sha256=received.sha256(),
        modified=state.modified,
        compression=compression,
        encoding=encoding,
        notes=notes,
    )
    return plain, state


def _pass(
    blocks: Iterator[bytes], sink: BinaryIO | None, budget: _Budget, name: str
) -> tuple[bytes, str | None]:
    """Go once over the content: into `sink`, against the budget, and for its start and encoding."""
    head = b""
    started = False
    encoding: str | None = None
    scan: text_encoding.TextScan | None = None

    def start() -> None:
        nonlocal started, encoding, scan
        started = True
        refuse_by_start(head, name)
        if head.startswith(b"PAR1"):
            return
        encoding = text_encoding.marked_encoding(head)
        if encoding is None:
            scan = text_encoding.TextScan()
            scan.feed(head)

    for block in blocks:
        budget.take(len(block), name)
        if sink is not None:
            sink.write(block)
        if not started:
            head += block
            if len(head) >= _HEAD_BYTES:
                start()
        elif scan is not None:
            scan.feed(block)
    if not started:
        start()
    if scan is not None:
        accepted = max(_MAX_NULS_OF_SMALL_FILES, scan.size_bytes * _MAX_NUL_SHARE)
        if scan.nul_bytes > accepted:
            raise ContributionError(
                f"The file {name} is binary, not text, and no Parquet: save it as CSV, JSON or "
                "Parquet."
            )
        encoding = scan.encoding()
    return head, encoding


def _to_utf8(path: Path, encoding: str, temporary: Path, name: str) -> tuple[Path, bytes]:
    """A copy in UTF-8, and its first bytes; a compressed file's own copy is removed."""
    target = temporary.with_name(f"{temporary.name}.utf8")
    head = b""
    with path.open("rb") as stream, target.open("wb") as sink:
        for block in text_encoding.transcoded(stream, encoding, name):
            sink.write(block)
            head = head or block[:_HEAD_BYTES]
    if path == temporary:
        temporary.unlink()
    return target, head


def _check_unchanged(found: Found, state: State) -> None:
    if found.fs is None:
        try:
            now: State | None = local_state(Path(found.path))
        except OSError:
            now = None
        if now != state:
            raise _changed(found.name)


def _changed(name: str) -> ContributionError:
    return ContributionError(f"The file {name} was changed while it was read: send it again.")


def translated(error: OSError, path: str, name: str) -> UsageError:
    """What the system said while a file of `path` was read, or copied, in our words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UsageError(
            f"There is no room to unpack the file {name} in {tempfile.gettempdir()}: free "
            "some, or set TMPDIR to a larger disk."
        )
    return unreadable(path, error)
