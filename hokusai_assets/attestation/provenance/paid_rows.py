"""The digests of contributed rows that were left out because they had been paid for.

Which rows those are a ledger and its store say. An auditor without them takes this list as given:
a file of gzip (as leaves are, see rows/leaves.py), one row digest a line as hex, in ascending
order, and as many as the core counts. Where no row was paid for before there is no file.
"""

import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any, BinaryIO

from hokusai_assets.attestation.bundle import PROVENANCE
from hokusai_assets.attestation.rows.leaves import GZIP_HEADER
from hokusai_assets.attestation.rows.reading import lines_of
from hokusai_assets.errors import AttestationError

ALREADY_PAID = f"{PROVENANCE}/already_paid.txt.gz"

_DIGEST = re.compile(rb"[0-9a-f]{64}")
_AT_ONCE = 20_000  # lines


def write_paid_digests(digests: Sequence[bytes], stream: BinaryIO) -> None:
    """Write row digests, 32 bytes each, in any order; a digest stands once a row."""
    pack = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    ordered = sorted(digests)
    checksum = size = 0
    stream.write(GZIP_HEADER)
    for first in range(0, len(ordered), _AT_ONCE):
        lines = "".join(f"{d.hex()}\n" for d in ordered[first : first + _AT_ONCE]).encode()
        checksum, size = zlib.crc32(lines, checksum), size + len(lines)
        stream.write(pack.compress(lines))
    stream.write(pack.flush() + struct.pack("<II", checksum, size & 0xFFFFFFFF))


def read_paid_digests(stream: BinaryIO, core: dict[str, Any]) -> tuple[bytes, ...]:
    """The row digests of the file, 32 bytes each.

    Raises AttestationError unless they are in their form, and as many as the core counts.
    """
    counted = sum(counts["already_paid"] for counts in core["counts"])
    found: list[bytes] = []
    last = b""
    for index, line in enumerate(lines_of(stream, ALREADY_PAID)):
        if index >= counted:
            break
        if not _DIGEST.fullmatch(line):
            raise AttestationError(f"{ALREADY_PAID}: line {index + 1} is no SHA-256 in hex.")
        if line < last:
            raise AttestationError(f"{ALREADY_PAID}: line {index + 1} is out of order.")
        last = line
        found.append(bytes.fromhex(line.decode()))
    else:
        if len(found) == counted:
            return tuple(found)
    raise AttestationError(
        f"{ALREADY_PAID} does not hold {counted:,} digests, which is how many rows the core "
        "counts as already paid."
    )
