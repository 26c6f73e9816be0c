"""Row digests of Arrow columns, vectorised: what digests.row_digests says, at a tenth of the time.

The encoding is put together by Arrow column by column, so that Python meets each row once, for its
SHA-256. A test holds it against the reference. pyarrow and numpy are imported late: modules that
only handle records must not pay for them.
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hokusai_assets.digests import encode_cell

if TYPE_CHECKING:
    import pyarrow as pa

DIGEST_BYTES = 32
_ROWS_AT_ONCE = 1 << 16  # bounds the encoding's memory, and keeps Arrow's 32-bit offsets far away


def digest_rows(columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Array:
    """The SHA-256 of each row as a fixed-size binary array; see digests.row_digests.

    `columns` maps names to equally long Arrow columns of the types that tables.arrow_type gives.
    """
    import pyarrow as pa

    names = sorted(columns, key=_label)
    if not names:
        return pa.array([], pa.binary(DIGEST_BYTES))
    count = len(columns[names[0]])
    parts: list[bytes] = []
    for start in range(0, count, _ROWS_AT_ONCE):
        encoded = _encode({n: columns[n].slice(start, _ROWS_AT_ONCE) for n in names})
        sha256 = hashlib.sha256
        parts.extend([sha256(row).digest() for row in encoded])
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(DIGEST_BYTES), count, [None, pa.py_buffer(b"".join(parts))]
    )


def sort_digests(rows: Any) -> Any:
    """Digests, a table of bytes with a row each, in ascending order."""
    import numpy as np

    # As four big-endian numbers: numpy's own byte strings lose zeros at their ends.
    words = np.ascontiguousarray(rows).view(">u8").astype(np.uint64)
    order = np.argsort(words[:, 0], kind="stable")
    first = words[order, 0]
    same = first[1:] == first[:-1]
    tied = np.zeros(len(rows), bool)
    tied[1:] |= same
    tied[:-1] |= same
    if tied.any():
        among = order[tied]
        order[tied] = among[np.lexsort(words[among].T[::-1])]
    return rows[order]


def _label(name: str) -> bytes:
    return unicodedata.normalize("NFC", name).encode()


def _encode(columns: dict[str, Any]) -> list[bytes]:
    """Each row's bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces: list[Any] = []
    for name, cells in columns.items():
        if isinstance(cells, pa.ChunkedArray):
            cells = cells.combine_chunks()
        label = _label(name)
        pieces.append(pa.scalar(struct.pack(">I", len(label)) + label, pa.large_binary()))
        pieces.extend(_cells(cells))
    rows: list[bytes] = pc.binary_join_element_wise(
        *pieces, pa.scalar(b"", pa.large_binary())
    ).to_pylist()
    return rows


def composed(text: pa.Array) -> pa.Array:
    """The text in form NFC, by Python's tables as in the reference; ASCII is so already.

    Not by Arrow's utf8_normalize, which was seen to leave "e" and U+0301 apart under form NFC.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    other = pc.indices_nonzero(pc.invert(pc.fill_null(pc.string_is_ascii(text), True)))
    if not len(other):
        return text
    normalised = [unicodedata.normalize("NFC", cell) for cell in text.take(other).to_pylist()]
    mask = pc.invert(pc.fill_null(pc.string_is_ascii(text), True))
    return pc.replace_with_mask(text, mask, pa.array(normalised, text.type))


def _cells(cells: pa.Array) -> list[pa.Array]:
    """The cells' encoding as binary arrays that stand one after another; null is one zero byte."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    null = pa.scalar(b"\x00", pa.large_binary())
    kind = cells.type
    valid = cells.is_valid()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = composed(cells).cast(pa.large_binary())
        lengths = pc.fill_null(pc.binary_length(text), 0).to_numpy(zero_copy_only=False)
        head = _tagged(b"\x03", lengths.astype(">u8"))
        empty = pa.scalar(b"", pa.large_binary())
        return [pc.if_else(valid, head, null), pc.fill_null(text, empty)]
    if pa.types.is_boolean(kind):
        true, false = (pa.scalar(b, pa.large_binary()) for b in (b"\x06\x01", b"\x06\x00"))
        return [pc.if_else(valid, pc.if_else(pc.fill_null(cells, False), true, false), null)]
    if pa.types.is_int64(kind):
        values = pc.fill_null(cells, 0).to_numpy(zero_copy_only=False)
        return [pc.if_else(valid, _tagged(b"\x01", values.astype(">i8")), null)]
    if pa.types.is_float64(kind):
        numbers = pc.fill_null(cells, 0.0).to_numpy(zero_copy_only=False) + 0.0
        bits = numbers.astype(">f8").view(">u8")
        bits[np.isnan(numbers)] = 0x7FF8000000000000
        return [pc.if_else(valid, _tagged(b"\x02", bits), null)]
    if pa.types.is_timestamp(kind) and kind.unit == "us":
        moments = pc.fill_null(cells.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        return [pc.if_else(valid, _tagged(b"\x05", moments.astype(">i8")), null)]
    return [_by_reference(cells)]


def _tagged(tag: bytes, values: Any) -> pa.Array:
    """A tag byte and 8 big-endian bytes for each value."""
    import numpy as np
    import pyarrow as pa

    count = len(values)
    cells = np.empty((count, 9), np.uint8)
    cells[:, 0] = tag[0]
    cells[:, 1:] = np.frombuffer(values.tobytes(), np.uint8).reshape(count, 8)
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(9), count, [None, pa.py_buffer(cells.tobytes())]
    )
    return fixed.cast(pa.large_binary())


def _by_reference(cells: pa.Array) -> pa.Array:
    """Types that no task column has: one cell at a time."""
    import pyarrow as pa

    return pa.array([encode_cell(cell) for cell in cells.to_pylist()], pa.large_binary())
