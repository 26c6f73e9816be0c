"""Leaves: one line of canonical JSON a benchmark row, written once, in bounded memory.

Leaf v1 = [index, row_ref, group_ref or null, label, baseline, candidate, slices, salt]: `label` a
class index, or millionths of the target's scale, as predictions are; `baseline` and `candidate`
[[prediction, scores...] per seed], scores in millionths, only where the rule needs them; `slices`
the indices of the guarded slices that the row is in, in the rule's order of guards; the references
and the salt 64 hex digits. Rows stand by row digest,
then id. The file is gzip of the lines, each with a line feed; a leaf's bytes are its line without
it. Reading them is reading.py's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, BinaryIO

from hokusai_assets.attestation.rows.references import (
    LeafSecret,
    group_references,
    row_references,
    salts,
)
from hokusai_assets.attestation.rows.tree import RootBuilder
from hokusai_assets.scoring.prediction_lines import needs_scores, prediction_cells

if TYPE_CHECKING:
    from hokusai_assets.scoring.rows import ScoredRows

LEAF_VERSION = 1

# RFC 1952: deflate, no name, no time, no hint of how hard it was tried, no operating system, so
# that the same leaves are the same file wherever the same zlib is.
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LEVEL = 1  # most of a line is hash, which nothing shortens below half its hex
_AT_ONCE = 4_000  # lines


@dataclass(frozen=True)
class RowsRoot:
    """What the core says of the rows: root in hex, count, and whether their references hide."""

    root: str
    count: int
    hides: bool

    def body(self) -> dict[str, Any]:
        """As it stands in the core."""
        return {
            "root": self.root,
            "count": self.count,
            "hides": self.hides,
            "leaf_version": LEAF_VERSION,
        }


def guarded_slices(rule: Mapping[str, Any]) -> tuple[str, ...]:
    """The slices that guards of the rule are on, in its order: what a leaf's indices count."""
    return tuple(guard["slice"] for guard in rule["guards"] if "slice" in guard)


def leaf_lines(
    rows: ScoredRows,
    rule: Mapping[str, Any],
    secret: LeafSecret,
    *,
    classes: int,
    ids: Sequence[str] | None,
    groups: Sequence[str | None] | None,
) -> Iterator[str]:
    """The leaves as text, without line feeds; `rows`, `ids` and `groups` are in leaf order.

    Raises ValueError where they are of different lengths.
    """
    if any(len(given) != rows.row_count for given in (ids, groups) if given is not None):
        raise ValueError("ids and groups must be as many as the rows")
    scores = needs_scores(rule)
    row_refs = row_references(secret, rows.row_digests, ids)
    group_refs: Iterator[str] = repeat("null")
    if groups is not None:
        held = list(row_refs)
        row_refs = iter(held)
        group_refs = (f'"{ref}"' for ref in group_references(secret, groups, held))
    parts = zip(
        row_refs,
        rows.truth.tolist(),
        prediction_cells(rows.baseline, scores=scores, classes=classes),
        prediction_cells(rows.candidate, scores=scores, classes=classes),
        _memberships(rows, guarded_slices(rule)),
        strict=True,
    )
    keys = zip(parts, group_refs, salts(secret), strict=False)  # the latter two may be endless
    for index, ((row_ref, label, baseline, candidate, slices), group, salt) in enumerate(keys):
        yield f'[{index},"{row_ref}",{group},{label},{baseline},{candidate},{slices},"{salt}"]'


def write_leaves(lines: Iterator[str], stream: BinaryIO, *, hides: bool) -> RowsRoot:
    """Write the leaves as gzip into `stream` and return their root and number.

    What is written is packed in another thread while the next lines are hashed: zlib lets others
    run meanwhile, and packing is a quarter of the work.
    """
    builder, pack = RootBuilder(), zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum, size = 0, 0
    stream.write(GZIP_HEADER)
    with ThreadPoolExecutor(1) as packer:
        packed: Future[bytes] | None = None
        while some := list(islice(lines, _AT_ONCE)):
            block = ("\n".join(some) + "\n").encode()
            if packed is not None:
                stream.write(packed.result())
            packed = packer.submit(pack.compress, block)
            checksum, size = zlib.crc32(block, checksum), size + len(block)
            for line in some:
                builder.add(line.encode())
        if packed is not None:
            stream.write(packed.result())
    stream.write(pack.flush() + struct.pack("<II", checksum, size & 0xFFFFFFFF))
    return RowsRoot(builder.root().hex(), builder.size, hides)


def _memberships(rows: ScoredRows, guarded: Sequence[str]) -> Iterator[str]:
    """The text of each row's list of guarded slices."""
    if not guarded:
        return repeat("[]", rows.row_count)
    masks = dict(rows.slices)
    columns = [masks[name].tolist() for name in guarded]
    return (
        "[" + ",".join(str(at) for at, inside in enumerate(row) if inside) + "]"
        for row in zip(*columns, strict=True)
    )
