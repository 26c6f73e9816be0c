"""Compressed bytes to plain ones, in bounded steps, told by content and never by a name.

Memory stays at a few blocks whatever is sent. How much may come out is the caller's `take`; how
much may come out of how little stands here, because only here both are known.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal

from hokusai_assets.errors import ContributionError

Compression = Literal["gzip", "zstd"]

BLOCK_BYTES = 1 << 20
# A short file of one repeated line reaches any ratio and harms nobody.
RATIO_FREE_BYTES = 16 << 20

_FEED_BYTES = 64 << 10


class Received(io.RawIOBase):
    """A stream that remembers what was read of it: how many bytes, and their SHA-256."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._head = b""
        self._digest = hashlib.sha256()
        self.count = 0
        self.error: OSError | None = None  # to tell a failed disk from a broken archive

    def readable(self) -> bool:
        return True

    def start(self, size: int = BLOCK_BYTES) -> bytes:
        """The first bytes, which the next read gives again; before any other read."""
        self._head = self._fetch(size)
        return self._head

    def read(self, size: int = -1, /) -> bytes:
        if self._head:
            size = len(self._head) if size < 0 else size
            block, self._head = self._head[:size], self._head[size:]
        else:
            block = self._fetch(size)
        self.count += len(block)
        self._digest.update(block)
        return block

    def sha256(self) -> str:
        """Of all bytes read so far."""
        return self._digest.hexdigest()

    def _fetch(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            self.error = error
            raise


def compression_of(start: bytes) -> Compression | None:
    """The compression that the first bytes of a file show."""
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    # The second is a skippable frame, with which parallel zstd begins.
    if start.startswith(b"\x28\xb5\x2f\xfd") or (
        start[1:4] == b"\x2a\x4d\x18" and 0x50 <= start[0] <= 0x5F
    ):
        return "zstd"
    return None


def plain_blocks(
    received: Received, compression: Compression | None, max_ratio: int, name: str
) -> Iterator[bytes]:
    """The decompressed content, in blocks of at most BLOCK_BYTES.

    Raises ContributionError for broken, cut or padded archives, and for one that grows more than
    `max_ratio` times; `name` is what it calls the file.
    """
    if compression is None:
        while block := received.read(BLOCK_BYTES):
            yield block
        return
    out = 0
    for block in _gunzip(received, name) if compression == "gzip" else _unzstd(received, name):
        if not out and compression_of(block):
            raise ContributionError(
                f"The file {name} is compressed twice: decompress it once before sending it."
            )
        out += len(block)
        if out > RATIO_FREE_BYTES and out > max_ratio * received.count:
            raise ContributionError(
                f"The file {name} grows more than {max_ratio} times when decompressed (the limit "
                "decompression_ratio), as files made to fill disks do: send it uncompressed."
            )
        yield block


def _gunzip(received: Received, name: str) -> Iterator[bytes]:
    data = received.read(_FEED_BYTES)
    while data:  # one turn a member: gzip files may be several, one after another
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                block = member.decompress(data, BLOCK_BYTES)
            except zlib.error:
                raise _broken(name, "gzip", "its content or what follows it is damaged") from None
            if block:
                yield block
            data = member.unconsumed_tail
            # After a full block more may wait inside, so it is asked once more before it is fed.
            if not data and not member.eof and len(block) < BLOCK_BYTES:
                data = received.read(_FEED_BYTES)
                if not data:
                    raise _broken(name, "gzip", "it ends too early")
        data = member.unused_data or received.read(_FEED_BYTES)


def _unzstd(received: Received, name: str) -> Iterator[bytes]:
    import pyarrow as pa

    stream = pa.CompressedInputStream(pa.PythonFile(received, mode="r"), "zstd")
    while True:
        try:
            block: bytes = stream.read(BLOCK_BYTES)
        except OSError as error:  # Arrow's one class for both, told apart by what we saw
            if received.error is not None:
                raise received.error from None
            cut = "Truncated" in str(error)
            reason = "it ends too early" if cut else "its content or what follows it is damaged"
            raise _broken(name, "zstd", reason) from None
        if not block:
            return
        yield block


def _broken(name: str, compression: str, reason: str) -> ContributionError:
    return ContributionError(
        f"The file {name} is {compression}-compressed, but {reason}: compress it again and send "
        "all of it."
    )
