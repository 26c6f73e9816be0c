"""Reading a file that must be one canonical JSON object, byte for byte (RFC 8785).

A file that parses but is written differently than this program would write it is refused: no byte
of a signed folder is free, so nobody can hide or vary anything in one.
"""

import json
import re
from typing import Any

from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError

# Far above anything that stands in a public folder, far below what parsing could be stalled by.
MAX_BYTES = 4 << 20
MAX_DEPTH = 64

_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def strict_object(content: bytes, name: str) -> dict[str, Any]:
    """The object in `content`; raises AttestationError, naming the file, unless it is canonical.

    Duplicate keys, floats, escapes, spaces and big integers all re-serialise to other bytes.
    """
    if len(content) > MAX_BYTES:
        raise AttestationError(
            f"{name} has {len(content):,} bytes; at most {MAX_BYTES:,} are read: it is no file of "
            "this format."
        )
    try:
        value = parse_json(content)
    except ValueError:
        raise AttestationError(
            f"{name} is not JSON of at most {MAX_DEPTH} levels: it was cut off or changed."
        ) from None
    try:
        same = isinstance(value, dict) and canonical_json(value) == content
    except (TypeError, ValueError):
        same = False
    if not same:
        raise AttestationError(
            f"{name} is not a canonical JSON object: it was changed after it was written."
        )
    return dict(value)


def parse_json(content: bytes) -> Any:
    """JSON in UTF-8, of at most `MAX_DEPTH` levels; raises ValueError, and nothing else.

    The library's parser counts on Python's recursion limit, which other libraries raise (importing
    eth-account does): past what the stack then holds the process dies without any verdict. So the
    levels are counted first, and UTF-16, in which quotes are found elsewhere, is not guessed at.
    """
    text = content.decode("utf-8")
    depth = 0
    for bracket in _BRACKET.findall(_TEXT.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")
    return json.loads(text)
