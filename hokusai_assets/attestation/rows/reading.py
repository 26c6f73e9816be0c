"""Leaves read back, as a stranger's: bounded, strict, and all of one shape.

The form of a line is checked by one regular expression, which leaves JSON no other text for the
same value. Every error is an AttestationError that names the file, the leaf and, where it can, the
field.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from hokusai_assets.attestation.rows.leaves import GZIP_HEADER
from hokusai_assets.attestation.rows.tree import RootBuilder
from hokusai_assets.errors import AttestationError
from hokusai_assets.scoring import MILLION, Predictions
from hokusai_assets.scoring.rows import ScoredRows

MAX_ROWS = 20_000_000
MAX_LINE_BYTES = 1 << 20  # 99 seeds of 200 classes with their scores are 330 kB
MAX_RATIO = 60  # of lines to gzip; 64 of 200 bytes are hash, so ours is about 2.5

_BLOCK = 1 << 16
_BATCH_BYTES = 1 << 16  # of lines that are parsed as one text
_PENDING_BYTES = 4 << 20  # of lines whose leaves are held as Python objects

_NUMBER = rb"(?:0|[1-9][0-9]{0,15})"
_CELL = rb"\[" + _NUMBER + rb"(?:," + _NUMBER + rb")*\]"
_CELLS = rb"\[" + _CELL + rb"(?:," + _CELL + rb")*\]"
_HASH = rb'"[0-9a-f]{64}"'
_LEAF = re.compile(
    rb"\[" + _NUMBER + rb"," + _HASH + rb",(?:null|" + _HASH + rb")," + _NUMBER
    + rb"," + _CELLS + rb"," + _CELLS
    + rb",\[(?:" + _NUMBER + rb"(?:," + _NUMBER + rb")*)?\]," + _HASH + rb"\]"
)  # fmt: skip


@dataclass(frozen=True)
class OpenedRows:
    """What leaves hold: the root and number of the leaves themselves, and their rows."""

    root: str
    count: int
    rows: ScoredRows


def lines_of(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The leaves in a file of leaves, without line feeds, in bounded memory.

    Raises AttestationError for anything but one whole gzip member as `write_leaves` makes it.
    """
    if stream.read(len(GZIP_HEADER)) != GZIP_HEADER:
        raise AttestationError(f"{name} does not start as a file of leaves does (gzip).")
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)
    checksum = size = read = 0
    rest, packed = b"", b""
    try:
        while not unpack.eof:
            packed = unpack.unconsumed_tail
            if not packed:
                packed = stream.read(_BLOCK)
                read += len(packed)
            block = unpack.decompress(packed, _BLOCK * 16)
            if not packed and not block:
                raise AttestationError(f"{name} was cut off.")
            checksum, size = zlib.crc32(block, checksum), size + len(block)
            if size > _BLOCK * 16 + MAX_RATIO * max(read, _BLOCK):
                raise AttestationError(f"{name} unpacks to more than {MAX_RATIO} times its size.")
            *whole, rest = (rest + block).split(b"\n")
            if len(rest) > MAX_LINE_BYTES or any(len(line) > MAX_LINE_BYTES for line in whole):
                raise AttestationError(
                    f"{name} holds a line of more than {MAX_LINE_BYTES:,} bytes."
                )
            yield from whole
    except zlib.error:
        raise AttestationError(f"{name} is damaged: its gzip cannot be unpacked.") from None
    if unpack.unused_data + stream.read(9) != struct.pack("<II", checksum, size & 0xFFFFFFFF):
        raise AttestationError(f"{name} is damaged: its gzip ends otherwise than it should.")
    if rest:
        raise AttestationError(f"{name} ends in the middle of a line.")


def parse_leaf(line: bytes, index: int, name: str) -> list[Any]:
    """The eight parts of a leaf; raises AttestationError unless it is leaf `index` in its form."""
    return _parse([line], index, name)[0]


def _parse(lines: list[bytes], first: int, name: str) -> list[list[Any]]:
    """Leaves that follow one another, the first of which is leaf `first`."""
    for index, line in enumerate(lines, first):
        if not _LEAF.fullmatch(line):
            raise AttestationError(f"{name}: leaf {index} has not the form of a leaf (version 1).")
    # As one text: a call a line takes three times as long.
    leaves: list[list[Any]] = json.loads((b"[" + b",".join(lines) + b"]").decode("ascii"))
    for index, parts in enumerate(leaves, first):
        if parts[0] != index:
            raise AttestationError(f"{name}: leaf {index} calls itself {parts[0]}.")
    return leaves


def read_leaves(
    stream: BinaryIO, name: str, *, classes: int, guarded: tuple[str, ...]
) -> OpenedRows:
    """All rows of a file of leaves, with the root over it.

    `classes` is the number of labels, 0 where they are millionths of a scale, `guarded` the names
    of the guarded slices. Raises AttestationError where a leaf is malformed, unlike the first one,
    or out of range.
    """
    builder, found = RootBuilder(), _Columns(name, classes, len(guarded))
    for lines in _batches(lines_of(stream, name)):
        first = builder.size
        if first + len(lines) > MAX_ROWS:
            raise AttestationError(f"{name} holds more than {MAX_ROWS:,} leaves.")
        found.take(first, lines)
        for line in lines:
            builder.add(line)
    return OpenedRows(builder.root().hex(), builder.size, found.rows(guarded))


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines as lists of some, of about `_BATCH_BYTES` in all."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@dataclass
class _Columns:
    """Leaves on their way to arrays."""

    name: str
    classes: int
    slices: int
    seeds: tuple[int, int] = (0, 0)
    widths: tuple[int, int] = (0, 0)
    grouped: bool = False
    groups: dict[str, int] = field(default_factory=dict)
    pending: list[list[Any]] = field(default_factory=list)
    pending_bytes: int = 0
    arrays: list[tuple[Any, ...]] = field(default_factory=list)

    def take(self, first: int, lines: list[bytes]) -> None:
        """Take the leaves that follow, which must be of the shape of leaf 0."""
        for index, leaf in enumerate(_parse(lines, first, self.name), first):
            self._check_shape(index, leaf)
            self.pending.append(leaf)
        self.pending_bytes += sum(map(len, lines))
        if self.pending_bytes >= _PENDING_BYTES:
            self._convert()

    def _check_shape(self, index: int, leaf: list[Any]) -> None:
        if not index:
            self.seeds = (len(leaf[4]), len(leaf[5]))
            self.widths = (len(leaf[4][0]), len(leaf[5][0]))
            self.grouped = leaf[2] is not None
            # The prediction, and the scores of the positive class or of all; of a number none.
            columns = {1, 2 if self.classes == 2 else self.classes + 1}
            if not set(self.widths) <= columns:
                self._refuse(index, "has another number of scores than there are classes")
        if (leaf[2] is not None) != self.grouped:
            self._refuse(index, "has a group and others have none, or the other way round")
        for model, place in enumerate((4, 5)):
            if len(leaf[place]) != self.seeds[model]:
                self._refuse(index, "has another number of seeds than the first")
            if any(len(cell) != self.widths[model] for cell in leaf[place]):
                self._refuse(index, "has another number of scores than the first")
        inside = leaf[6]
        if inside != sorted(set(inside)) or (inside and inside[-1] >= self.slices):
            self._refuse(index, "is in a slice that no guard is on")

    def _convert(self) -> None:
        first = sum(len(part[0]) for part in self.arrays)
        leaves, self.pending, self.pending_bytes = self.pending, [], 0
        truth = np.array([leaf[3] for leaf in leaves], np.int64)
        models = [np.array([leaf[place] for leaf in leaves], np.int64) for place in (4, 5)]
        top = self.classes - 1 if self.classes else MILLION
        for cells in models:
            wrong = (cells[:, :, 0] > top).any(axis=1) | (truth > top)
            wrong |= (cells[:, :, 1:] > MILLION).any(axis=(1, 2))
            if wrong.any():
                at = first + int(np.flatnonzero(wrong)[0])
                what = "class that does not exist" if self.classes else "number above a million"
                self._refuse(at, f"holds a {what} or a score above a million")
        codes = None
        if self.grouped:
            codes = np.array([self.groups.setdefault(leaf[2], len(self.groups)) for leaf in leaves])
        masks = np.zeros((self.slices, len(leaves)), bool)
        for position, leaf in enumerate(leaves):
            masks[leaf[6], position] = True
        # Narrow while they wait: most of a million rows' memory is these.
        self.arrays.append(
            (truth.astype(np.int32), *(m.astype(np.int32) for m in models), codes, masks)
        )

    def rows(self, guarded: tuple[str, ...]) -> ScoredRows:
        """Everything taken, as arrays."""
        if self.pending:
            self._convert()
        if not self.arrays:
            raise AttestationError(f"{self.name} holds no leaf.")
        truth, baseline, candidate = (
            np.concatenate([part[place] for part in self.arrays]).astype(np.int64)
            for place in range(3)
        )
        codes = np.concatenate([part[3] for part in self.arrays]) if self.grouped else None
        masks = np.concatenate([part[4] for part in self.arrays], axis=1)
        return ScoredRows(
            [],
            truth,
            _predictions(baseline),
            _predictions(candidate),
            codes,
            tuple(zip(guarded, masks, strict=True)),
        )

    def _refuse(self, index: int, why: str) -> None:
        raise AttestationError(f"{self.name}: leaf {index} {why}.")


def _predictions(cells: Any) -> Predictions:
    """Cells of shape (n, seeds, 1 + scores) as a model's predictions."""
    turned = cells.transpose(1, 0, 2)
    scores = np.ascontiguousarray(turned[:, :, 1:]) if turned.shape[2] > 1 else None
    return Predictions(np.ascontiguousarray(turned[:, :, 0]), scores)
