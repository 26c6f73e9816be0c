"""Digests that a stranger can compute again: row content, content roots, canonical JSON, files.

Standard library and rfc8785 only, and written for reading: this is the reference that
docs/content_digest.md describes and that any faster version must equal.
"""

import datetime
import hashlib
import math
import struct
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

Cell = None | bool | int | float | str | bytes | datetime.datetime

_CANONICAL_NAN = bytes.fromhex("7ff8000000000000")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def encode_cell(value: Cell) -> bytes:
    """A tag byte and the value, so that equal values have equal bytes whatever file held them.

    0 null; 1 integer (64 bit, two's complement, big-endian); 2 IEEE 754 double (big-endian, -0 as
    0, one NaN); 3 text (8 bytes of length, UTF-8 of the NFC form); 4 bytes (8 bytes of length);
    5 time (microseconds since 1970 UTC, as integer); 6 boolean (1 byte).
    """
    if value is None:
        return b"\x00"
    if isinstance(value, bool):  # before int, of which it is a subclass
        return b"\x06\x01" if value else b"\x06\x00"
    if isinstance(value, int):
        return b"\x01" + struct.pack(">q", value)
    if isinstance(value, float):
        if math.isnan(value):
            return b"\x02" + _CANONICAL_NAN
        return b"\x02" + struct.pack(">d", value + 0.0)  # -0.0 + 0.0 is 0.0
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value).encode()
        return b"\x03" + struct.pack(">Q", len(text)) + text
    if isinstance(value, bytes):
        return b"\x04" + struct.pack(">Q", len(value)) + value
    moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    return b"\x05" + struct.pack(">q", (moment - _EPOCH) // _MICROSECOND)


def row_digests(columns: Mapping[str, Sequence[Cell]]) -> list[bytes]:
    """The SHA-256 of each row: columns by name (as UTF-8 bytes), each name before its cell.

    `columns` maps names to equally long sequences of typed cells; the order of the mapping does
    not matter. Returns 32 bytes a row, in row order.
    """
    encoded = []
    for name in sorted(columns, key=lambda n: unicodedata.normalize("NFC", n).encode()):
        label = unicodedata.normalize("NFC", name).encode()
        prefix = struct.pack(">I", len(label)) + label
        encoded.append((prefix, columns[name]))
    if not encoded:
        return []
    prefixes = [prefix for prefix, _ in encoded]
    return [
        hashlib.sha256(
            b"".join(p + encode_cell(c) for p, c in zip(prefixes, cells, strict=True))
        ).digest()
        for cells in zip(*(cells for _, cells in encoded), strict=True)
    ]


def content_root(digests: Iterable[bytes]) -> str:
    """The SHA-256 over the sorted row digests, as hex: the same for any order of the rows."""
    root = hashlib.sha256()
    for digest in sorted(digests):
        root.update(digest)
    return root.hexdigest()


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of `value`; raises TypeError on floats, whose text is a matter of taste."""
    import rfc8785

    _refuse_floats(value, "$")
    return rfc8785.dumps(value)


def digest_json(value: Any) -> str:
    """The SHA-256 of the canonical JSON of `value`, as hex."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_file(path: str | Path) -> str:
    """The SHA-256 of a local file's bytes, as hex."""
    with Path(path).open("rb") as stream:
        return digest_stream(stream)


def digest_stream(stream: BinaryIO) -> str:
    """The SHA-256 of what remains in `stream`, as hex."""
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _refuse_floats(value: Any, where: str) -> None:
    if isinstance(value, float):
        raise TypeError(f"{where} is a float; canonical records hold integers and text only")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_floats(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{where}[{index}]")
