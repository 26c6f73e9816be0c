"""From a path, folder, pattern or URL to the files it names, in a fixed order, none opened for its
content yet.

A folder stands for all files below it. Left out are hidden files and folders (a leading dot) and
the markers that writers of datasets leave beside the data. Nothing else is left out in silence:
what cannot be read is refused. A symlink given as the path is followed, for the operator chose it;
one inside a folder may come from a stranger's archive, so it may not lead out of the folder.
"""

from __future__ import annotations

import datetime
import fnmatch
import glob
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.errors import ContributionError, MissingFileError, UsageError
from hokusai_assets.files import is_url

_MOST_LEVELS = 100
_HTTP = ("http://", "https://")
_MARKERS = ("_SUCCESS", "_metadata", "_common_metadata", "_committed_*", "_started_*")


@dataclass(frozen=True)
class Found:
    """One file: local if `fs` is None, else the file `path` of that fsspec file system."""

    path: str
    part: str  # below the given folder or pattern, or the last part of the path; not masked
    fs: Any = None

    @property
    def name(self) -> str:
        """What people are shown."""
        # Names of files are a stranger's too: no line end or escape of theirs reaches a terminal.
        return mask_text("".join(c if c.isprintable() else "?" for c in self.part))


@dataclass(frozen=True)
class State:
    """What a file is known to be like without reading it; two equal ones hold the same bytes."""

    size: int | None
    modified: str
    identity: tuple[int, ...] = ()


def find_files(path: str, max_files: int) -> tuple[Found, ...]:
    """The files that `path` names, sorted by their place below it; at least one."""
    try:
        files = _remote(path) if is_url(path) else _local(path)
        found = _collect(files, path, max_files)
    except OSError as error:
        raise unreadable(path, error) from None
    if not found:
        raise MissingFileError(
            f"{shown_path(path)} names no file: check the folder or pattern, and that its files "
            "are not hidden."
        )
    return found


@contextmanager
def reading(found: Found) -> Iterator[tuple[BinaryIO, State]]:
    """The open file and its state."""
    if found.fs is None:
        # Not blocking and checked once open: a pipe put there since would be waited for forever.
        check_regular(os.stat(found.path).st_mode, found.name)  # noqa: PTH116 - one call, no Path
        handle = os.open(found.path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb", buffering=0) as stream:
            status = os.fstat(handle)
            check_regular(status.st_mode, found.name)
            yield stream, _local_state(status)
        return
    info = found.fs.info(found.path)
    try:
        moment = found.fs.modified(found.path)
        modified = moment.astimezone(datetime.UTC).isoformat(timespec="seconds")
    except (NotImplementedError, KeyError, AttributeError):  # as file systems say "unknown"
        modified = ""
    try:
        with found.fs.open(found.path, "rb") as stream:
            yield stream, State(info.get("size"), modified)
    except _http_errors() as error:  # its own message holds the whole URL, with any token in it
        raise OSError(type(error).__name__) from None


def _http_errors() -> tuple[type[Exception], ...]:
    try:
        from aiohttp import ClientError
    except ImportError:  # then fsspec reads no HTTP either
        return ()
    return (ClientError,)


def local_state(path: Path) -> State:
    """The state of a local file now."""
    return _local_state(path.stat())


def check_regular(mode: int, name: str) -> None:
    """Raise UsageError for pipes, sockets and devices, which are never opened."""
    if not stat.S_ISREG(mode):
        raise UsageError(f"{name} is no regular file: copy its content to one.")


def shown_path(path: str) -> str:
    """A path for messages: URLs may carry credentials, names of files people."""
    return mask_text(path.split("?")[0] if path.startswith(_HTTP) else path)


def unreadable(path: str, error: OSError) -> UsageError:
    """The error for a file that the system does not give us."""
    shown = shown_path(path)
    if isinstance(error, FileNotFoundError):
        if is_url(path):  # servers say so of what they will not show, too
            return MissingFileError(
                f"There is no file {shown}, or it is not shown to us: check the address and the "
                "permissions."
            )
        return MissingFileError(f"There is no file {shown}: check the path.")
    return UsageError(
        f"The file {shown} cannot be read ({type(error).__name__}): check its permissions and the "
        "connection."
    )


def _local_state(status: os.stat_result) -> State:
    moment = datetime.datetime.fromtimestamp(status.st_mtime, datetime.UTC)
    # The change time too: a writer can set the modification time back, but not this one.
    identity = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return State(status.st_size, moment.isoformat(timespec="seconds"), identity)


def _collect(files: Iterator[Found], path: str, max_files: int) -> tuple[Found, ...]:
    found: dict[str, Found] = {}  # by path: a link inside a folder names no second file
    for file in files:
        found.setdefault(file.path, file)
        if len(found) > max_files:
            raise ContributionError(
                f"{shown_path(path)} names more than {max_files} files (the limit files): join "
                "them, or send fewer."
            )
    return tuple(sorted(found.values(), key=lambda f: f.part))


def _local(path: str) -> Iterator[Found]:
    given = Path(path)
    if given.is_dir():
        pattern: tuple[str, ...] = ("**", "*")
        root = given
    elif not glob.has_magic(path) or os.path.lexists(path):
        check_regular(given.stat().st_mode, shown_path(path))
        yield Found(str(given.resolve()), given.name)
        return
    else:
        parts = given.parts
        first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
        root, pattern = Path(*parts[:first]), parts[first:]
    resolved = root.resolve()
    for file in _matches(root, resolved, pattern):
        target = file.resolve()
        check_regular(target.stat().st_mode, mask_text(str(file.relative_to(root))))
        yield Found(str(target), file.relative_to(root).as_posix())


def _matches(folder: Path, root: Path, pattern: tuple[str, ...]) -> Iterator[Path]:
    """Like glob, which would follow links to folders without end and out of the root."""
    head, rest = pattern[0], pattern[1:]
    if len(folder.parts) - len(root.parts) > _MOST_LEVELS:
        raise UsageError(
            f"There are folders more than {_MOST_LEVELS} levels deep: name the one with the files."
        )
    if head == "**":
        while rest[:1] == ("**",):
            rest = rest[1:]
        rest = rest or ("*",)
        yield from _matches(folder, root, rest)
        for entry in _entries(folder, "*"):
            if _is_folder(entry, root) and not entry.is_symlink():
                yield from _matches(entry, root, ("**", *rest))
        return
    for entry in _entries(folder, head):
        is_folder = _is_folder(entry, root)
        if rest and is_folder:
            yield from _matches(entry, root, rest)
        elif not rest and not is_folder:
            yield entry


def _entries(folder: Path, pattern: str) -> list[Path]:
    if not folder.is_dir():
        return []
    names = sorted(entry.name for entry in folder.iterdir())
    return [
        folder / name
        for name in names
        if fnmatch.fnmatchcase(name, pattern) and (not _hidden(name) or pattern[0] in "._")
    ]


def _is_folder(entry: Path, root: Path) -> bool:
    if entry.is_symlink() and not entry.resolve().is_relative_to(root):
        raise ContributionError(
            f"{mask_text(entry.name)} is a link that leads out of its folder: send the file itself."
        )
    return entry.is_dir()


def _hidden(name: str) -> bool:
    return name.startswith(".") or any(fnmatch.fnmatchcase(name, m) for m in _MARKERS)


def _remote(path: str) -> Iterator[Found]:
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    try:
        fs, remote = fsspec.core.url_to_fs(path)
    except (ValueError, ImportError):
        raise UsageError(
            f"The file {shown_path(path)} cannot be read: its protocol is unknown, or the package "
            "for it is not installed."
        ) from None
    if isinstance(fs, LocalFileSystem):
        yield from _local(remote)
        return
    try:
        is_folder = fs.info(remote)["type"] == "directory"
    except FileNotFoundError:
        if not glob.has_magic(remote) or remote.startswith(_HTTP):  # there ? starts a query
            raise
        prefix = re.split(r"[*?\[]", remote)[0]
        root, infos = prefix.rpartition("/")[0], fs.glob(remote, detail=True)
    else:
        if not is_folder:
            last = shown_path(path).rstrip("/").rsplit("/", 1)[-1]
            yield Found(remote, last, fs)
            return
        root, infos = remote.rstrip("/"), fs.find(remote, detail=True)
    explicit = any(part.startswith(".") for part in remote[len(root) :].split("/"))
    for name, info in infos.items():
        part = str(name)[len(root) :].lstrip("/")
        hidden = not explicit and any(map(_hidden, part.split("/")))
        if not hidden and info["type"] == "file":
            yield Found(name, part, fs)
