"""Reading a file that must be one canonical JSON object, byte for byte (RFC 8785).

A file that parses but is written differently than this program would write it is refused: no byte
of a signed folder is free, so nobody can hide or vary anything in one.
"""

import json
from typing import Any

from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError

# Far above anything that stands in a public folder, far below what parsing could be stalled by.
MAX_BYTES = 4 << 20


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
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise AttestationError(f"{name} is not JSON: it was cut off or changed.") from None
    try:
        same = isinstance(value, dict) and canonical_json(value) == content
    except (TypeError, ValueError, RecursionError):
        same = False
    if not same:
        raise AttestationError(
            f"{name} is not a canonical JSON object: it was changed after it was written."
        )
    return dict(value)
