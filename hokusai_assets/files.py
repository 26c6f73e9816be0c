"""Files of a folder: written once, whole or not at all, never over what is there; and read.

Local paths or fsspec URLs. What is in the files is the caller's business.
"""

import fcntl
import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hokusai_assets.errors import AlreadyWrittenError, MissingFileError, OutputDirError


def is_url(path: str) -> bool:
    """Whether `path` is an fsspec URL rather than a local path."""
    return "://" in path


def is_missing(path: str) -> bool:
    """Whether a local path names nothing; of URLs and patterns, reading will tell."""
    return not is_url(path) and not glob.has_magic(path) and not Path(path).exists()


def join(folder: str, *names: str) -> str:
    """`names` below `folder`, which is a local path or a URL."""
    if is_url(folder):
        return "/".join((folder.rstrip("/"), *names))
    return str(Path(folder, *names))


def write_once(folder: str, name: str, content: bytes) -> str:
    """Write `content` to `folder`/`name` and return its path; raise AlreadyWrittenError if taken.

    Locally the bytes go to a temporary file that is linked into place, so that a reader sees the
    whole file or none, and two writers cannot both win. Object stores publish whole objects.
    """
    target = join(folder, name)
    if is_url(folder):
        import fsspec

        fs, path = fsspec.core.url_to_fs(target)
        try:
            if fs.exists(path):
                raise AlreadyWrittenError(f"{target} was written before and is never overwritten.")
            fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            fs.pipe_file(path, content)
        except (OSError, NotImplementedError) as error:  # the latter: its protocol only reads
            raise OutputDirError(
                f"Outputs cannot be written to {folder} ({type(error).__name__}): check the "
                "address and the permissions."
            ) from error
        return target
    Path(folder).mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)  # noqa: PTH101 - mkstemp's 0600 would hide it from readers
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise AlreadyWrittenError(
                f"{target} was written before and is never overwritten."
            ) from None
    finally:
        Path(temporary).unlink()
    return target


def names_in(folder: str) -> set[str]:
    """Names of what lies in a folder, a local path or a URL; empty if it is not there."""
    import fsspec

    fs, root = fsspec.core.url_to_fs(folder)
    if not fs.isdir(root):
        return set()
    return {path.rstrip("/").rsplit("/", 1)[-1] for path in fs.ls(root, detail=False)}


def read_file(folder: str, name: str) -> bytes:
    """The content of a file in a folder; raise MissingFileError if there is none of that name."""
    import fsspec

    if name not in names_in(folder):
        raise MissingFileError(f"There is no file {name} in {folder}: check the folder.")
    fs, path = fsspec.core.url_to_fs(join(folder, name))
    return bytes(fs.cat_file(path))


@contextmanager
def exclusive(lock: str | Path) -> Iterator[None]:
    """Hold a lock file while inside: one process at a time, released even by a crash."""
    with Path(lock).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def check_writable(folder: str) -> None:
    """Raise OutputDirError unless files can be made in `folder`; leaves nothing behind.

    Tried by making a file, because permission bits do not tell (root, read-only mounts, quotas). In
    an object store, where that may cost or stay as a version, writing the results will tell.
    """
    if not folder.strip():
        raise OutputDirError("The output folder has no name: give one, such as outputs.")
    if is_url(folder):
        import fsspec

        try:
            fs, root = fsspec.core.url_to_fs(folder)
        except (ValueError, ImportError) as error:
            raise OutputDirError(
                f"Outputs cannot be written to {folder}: its protocol is unknown, or the package "
                "for it is not installed."
            ) from error
        if not getattr(fs, "local_file", False):
            return
        folder = root
    path = Path(folder).absolute()
    existing = next(p for p in (path, *path.parents) if p.exists())
    try:
        if not existing.is_dir():
            raise NotADirectoryError
        with tempfile.TemporaryDirectory(dir=existing, prefix=".hokusai-"):
            pass
    except OSError as error:
        what = "is not a folder" if isinstance(error, NotADirectoryError) else "is not writable"
        raise OutputDirError(
            f"Outputs cannot be written to {folder}: {existing} {what}. Choose another folder or "
            "change its permissions."
        ) from None
