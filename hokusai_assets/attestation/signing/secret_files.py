"""Secrets as files and environment variables: read safely, written once, never repeated.

No message, repr or traceback of this module holds any part of a secret.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from hokusai_assets.errors import AlreadyWrittenError, KeyFileError

MAX_BYTES = 16_384  # a key is some hundred bytes; whatever is larger is another file

# Shorter than any key in hexadecimal, so that a key given in the place of a name is not repeated.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_KEY_TEXT = re.compile(r"PRIVATE KEY|[\r\n]|^(0x)?[0-9a-fA-F]{64}$", re.ASCII)


def read_secret_file(path: str | Path) -> bytes:
    """The content of a key file; raises KeyFileError unless only its owner can read it.

    The opened file is what is looked at, so that nobody can swap it between look and read.
    """
    if _KEY_TEXT.search(str(path)):
        raise KeyFileError(
            "A key's text was given where the path of its file belongs: it now stands in the "
            "shell's history. Make a new key, revoke this one, and name the file."
        )
    try:
        # Non-blocking: a named pipe in the place of a key would otherwise hang the command.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyFileError(f"There is no key file {path}: check the path.") from None
    except OSError as error:
        raise KeyFileError(
            f"The key file {path} cannot be read ({type(error).__name__}): check its owner and "
            "mode."
        ) from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"The key {path} is not a file: name the file that holds the key.")
        if status.st_mode & 0o077:
            raise KeyFileError(
                f"The key file {path} has mode {stat.S_IMODE(status.st_mode):04o}: others than its "
                f"owner can read or change it. Run: chmod 600 {path}; and if others had access, "
                "make a new key and revoke this one."
            )
        content = os.read(handle, MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(content) > MAX_BYTES:
        raise KeyFileError(
            f"The key file {path} has more than {MAX_BYTES:,} bytes: it holds no single key."
        )
    return content


def read_secret_variable(name: str, environment: Mapping[str, str] | None = None) -> bytes:
    """A secret from an environment variable; a literal backslash and n stands for a line feed.

    Env files of containers cannot hold line feeds, which PEM needs.
    """
    if not _VARIABLE.fullmatch(name):
        raise KeyFileError(
            "What was given as the name of an environment variable is none: 1 to 63 letters, "
            "digits and underscores. Give the variable's name, never the key itself."
        )
    text = (os.environ if environment is None else environment).get(name, "")
    if not text.strip():
        raise KeyFileError(
            f"The environment variable {name} is not set or empty: set it to the key's text."
        )
    if len(text) > MAX_BYTES:
        raise KeyFileError(f"The environment variable {name} is too long: it holds no single key.")
    return text.replace("\\n", "\n").encode("utf-8", "surrogateescape")


def write_new_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file of exactly this mode; raises AlreadyWrittenError if the name is taken."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise AlreadyWrittenError(
            f"{path} is there already and is never overwritten: a lost key cannot be made again. "
            "Choose another folder."
        ) from None
    except OSError as error:
        raise KeyFileError(
            f"{path} cannot be written ({type(error).__name__}): choose another folder or change "
            "its permissions."
        ) from None
    with os.fdopen(handle, "wb") as stream:
        os.fchmod(stream.fileno(), mode)  # the umask may have taken bits that readers need
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
