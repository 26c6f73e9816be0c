"""Near rows: which contributed rows say nearly what a row before them says.

Rows are near if their texts are (near_texts.py), their categories, times and other features are
equal, and their numbers differ by less than NUMBER_TOLERANCE standard deviations of base. What
comes before: base, benchmark, earlier contributions of the run, and of the same contribution the
rows before in canonical order; so the outcome does not depend on the order of a file. Sets of rows
are compared by spilled signatures, a range of hashes at a time, and only candidates' texts are
read, so that memory does not grow with the rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.near_texts import (
    ROW_BITS,
    SIGNATURE_COLUMNS,
    comparable,
    packed,
    signatures,
    similar,
)
from hokusai_assets.contribution.normalising import normalise_text
from hokusai_assets.contribution.told_targets import told_targets
from hokusai_assets.contribution.workers import Workers
from hokusai_assets.tables import in_one
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NUMBER_TOLERANCE = 0.1
_BITMAP_SIMILARITY = 0.5  # below SIMILARITY, since words can share a bit
_ALL_PAIRS_TO = 6  # of rows in one band; of more, each with so many before it
_LEADERS = 3  # with whom the others are paired, beside those just before
_PAIRS_AT_ONCE = 100_000
_RANGE_BYTES = 24 << 20


ReadRows = Callable[[int, list[str], "np.ndarray | None"], "pa.Table"]


class SignedRows:
    """A set of rows with their signatures on disk, a file a bucket; rows are numbered throughout.

    `rows` reads a bucket's rows again, in the order in which they were signed, with the columns
    that it is asked for, and of all only those in some places where such are given.
    """

    def __init__(self, folder: Path, buckets: int, rows: ReadRows) -> None:
        self.folder = folder
        self.buckets = buckets
        self.rows = rows
        # Rows that left: they are no rows that later contributions could repeat.
        self.left_out: set[int] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def sign(self, bucket: int, table: pa.Table, task: Task) -> None:
        """Spill a bucket's signatures."""
        import numpy as np

        if set(SIGNATURE_COLUMNS) <= set(table.column_names):
            signed = packed(*(in_one(table.column(n)) for n in SIGNATURE_COLUMNS))
        else:
            signed = signatures(comparable(table, task))
        np.save(self.folder / f"bands-{bucket:06}.npy", signed.bands)
        np.save(self.folder / f"bitmaps-{bucket:06}.npy", signed.bitmaps)

    def bands(self, bucket: int) -> np.ndarray:
        """A bucket's packed bands, not yet in memory."""
        import numpy as np

        found: np.ndarray = np.load(self.folder / f"bands-{bucket:06}.npy", mmap_mode="r")
        return found

    def bitmaps(self, bucket: int) -> np.ndarray:
        """A bucket's bitmaps, not yet in memory."""
        import numpy as np

        found: np.ndarray = np.load(self.folder / f"bitmaps-{bucket:06}.npy", mmap_mode="r")
        return found

    def offsets(self) -> list[int]:
        """The number of each bucket's first row, and of the row after the last."""

        found = [0]
        for bucket in range(self.buckets):
            found.append(found[-1] + len(self.bitmaps(bucket)))
        return found


@dataclass(frozen=True)
class NearPairs:
    """Rows of the last of some sets (its own numbering), and the set that each is near to.

    A row that is near to rows of several sets stands once for each.
    """

    rows: list[tuple[int, int]]


def find_near(
    sets: Sequence[SignedRows],
    task: Task,
    scales: dict[str, float],
    hands: Workers,
    *,
    any_label: Iterable[int] = (),
) -> NearPairs:
    """Rows of the last set that are near to an earlier row of it, or to a row of another set.

    Rows of other labels or groups are near only to rows of the sets in `any_label`. `scales` are
    the standard deviations of the number columns.
    """
    import numpy as np

    starts, offsets = [0], []
    for rows in sets:
        own = rows.offsets()
        offsets.append([starts[-1] + o for o in own])
        starts.append(starts[-1] + own[-1])
    total = sum(8 * len(s.bands(b)) for s in sets for b in range(s.buckets))
    ranges = max(1, -(-total // _RANGE_BYTES))
    search = functools.partial(_candidates, sets, offsets, starts[-2], ranges)
    found = [pairs for pairs in hands.in_order(search, range(ranges)) if len(pairs)]
    if not found:
        return NearPairs([])
    pairs = np.unique(np.concatenate(found), axis=0)
    near: set[tuple[int, int]] = set()
    free = frozenset(any_label)
    for begin in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[begin : begin + _PAIRS_AT_ONCE]
        facts = _facts(sets, offsets, np.unique(some), task)
        for one, other in some.tolist():
            of_set = int(np.searchsorted(starts, one, side="right")) - 1
            if one - starts[of_set] in sets[of_set].left_out:
                continue
            if _near(facts[one], facts[other], scales, of_set in free):
                near.add((other - starts[-2], of_set))
    return NearPairs(sorted(near))


def _candidates(
    sets: Sequence[SignedRows],
    offsets: list[list[int]],
    last: int,
    ranges: int,
    index: int,
) -> np.ndarray:
    """Pairs of row numbers whose bands agree in the `index`-th range of hashes, the later second.

    The later row is always one of the last set, whose first row is `last`.
    """
    import numpy as np

    low = np.uint64((1 << ROW_BITS) - 1)
    first = np.uint64(((1 << 64) * index // ranges) & ~int(low))
    end = (1 << 64) * (index + 1) // ranges
    parts = []
    for rows, begins in zip(sets, offsets, strict=True):
        for bucket in range(rows.buckets):
            bands = rows.bands(bucket)
            begin = int(np.searchsorted(bands, first))
            stop = len(bands)
            if end < 1 << 64:
                stop = int(np.searchsorted(bands, np.uint64(end & ~int(low))))
            parts.append(bands[begin:stop] + np.uint64(begins[bucket]))
    packed = np.sort(np.concatenate(parts))
    hashes = packed >> np.uint64(ROW_BITS)
    pairs = [
        (packed[places] & low).astype(np.int64)
        for places in _places_of_pairs(hashes)
        if len(places)
    ]
    if not pairs:
        return np.zeros((0, 2), np.int64)
    found: np.ndarray = np.concatenate(pairs)
    found = found[(found[:, 1] >= last) & (found[:, 0] != found[:, 1])]
    if not len(found):
        return found
    numbers, places = np.unique(found, return_inverse=True)
    one, other = _bitmaps(sets, offsets, numbers)[places.reshape(found.shape)].T
    common = np.bitwise_count(one & other)
    alike = common >= _BITMAP_SIMILARITY * np.bitwise_count(one | other)
    found = np.unique(found[alike], axis=0)
    return found


def _bitmaps(
    sets: Sequence[SignedRows], offsets: list[list[int]], wanted: np.ndarray
) -> np.ndarray:
    """The bitmaps of some rows, in order of their numbers."""
    import numpy as np

    found = [np.zeros(0, np.uint64)]
    for rows, begins in zip(sets, offsets, strict=True):
        for bucket in range(rows.buckets):
            here = _between(wanted, begins[bucket], begins[bucket + 1])
            if len(here):
                found.append(rows.bitmaps(bucket)[here - begins[bucket]])
    return np.concatenate(found)


def _between(numbers: np.ndarray, first: int, end: int) -> np.ndarray:
    """Of sorted numbers, those from `first` to before `end`."""
    import numpy as np

    start, stop = np.searchsorted(numbers, [first, end])
    return numbers[start:stop]


def _places_of_pairs(hashes: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs of places in sorted hashes that hold the same one; not all pairs of a large crowd."""
    import numpy as np

    first = np.flatnonzero(hashes[1:] == hashes[:-1])
    # Each with those just before it; sorted, so the earlier row comes first.
    agree = first
    for distance in range(1, _ALL_PAIRS_TO):
        agree = agree[agree + distance < len(hashes)]
        agree = agree[hashes[agree + distance] == hashes[agree]]
        yield np.stack([agree, agree + distance], axis=1)
    # And with the first ones of that hash: a crowd must not hide whom all of it resembles.
    heads = first[np.concatenate([[True], np.diff(first) > 1])] if len(first) else first
    members = first + 1
    head_of = heads[np.searchsorted(heads, members, side="right") - 1] if len(first) else first
    far = members - head_of >= _ALL_PAIRS_TO
    for leader in range(_LEADERS):
        yield np.stack([head_of[far] + leader, members[far]], axis=1)


Fact = tuple[frozenset[str], tuple[Any, ...], tuple[float | None, ...], tuple[Any, ...]]


def _facts(
    sets: Sequence[SignedRows], offsets: list[list[int]], wanted: np.ndarray, task: Task
) -> dict[int, Fact]:
    """What is compared of each wanted row: words, other features, numbers, label and group."""

    texts = [c.name for c in task.features if c.type == "text"]
    numeric = [c.name for c in task.features if c.type == "number"]
    others = [c.name for c in task.features if c.name not in {*texts, *numeric}]
    group = [task.group_column.name] if task.group_column else []
    facts: dict[int, Fact] = {}
    for rows, begins in zip(sets, offsets, strict=True):
        for bucket in range(rows.buckets):
            here = _between(wanted, begins[bucket], begins[bucket + 1])
            if not len(here):
                continue
            columns = [*texts, *numeric, *others, task.target.name, *group]
            table = rows.rows(bucket, columns, here - begins[bucket])
            words = [frozenset((w or "").split(" ")) for w in comparable(table, task).to_pylist()]
            compared = [
                [tuple(map(_as_compared, cells)) for cells in _tuples(table, others)],
                _tuples(table, numeric),
                list(
                    zip(told_targets(table, task).to_pylist(), _tuples(table, group), strict=True)
                ),
            ]
            facts.update(zip(here.tolist(), zip(words, *compared, strict=True), strict=True))
    return facts


def _tuples(table: pa.Table, names: list[str]) -> list[tuple[Any, ...]]:
    if not names:
        return [()] * table.num_rows
    return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def _as_compared(cell: Any) -> Any:
    """A category as it is written, its case and spaces aside."""
    return normalise_text(cell, punctuation=True) if isinstance(cell, str) else cell


def _near(one: Fact, other: Fact, scales: dict[str, float], any_label: bool) -> bool:
    if one[1] != other[1] or (one[3] != other[3] and not any_label):
        return False
    for mine, theirs, scale in zip(one[2], other[2], scales.values(), strict=True):
        if (mine is None) != (theirs is None):
            return False
        if mine is not None and theirs is not None:
            apart = abs(mine - theirs)
            if apart and apart >= NUMBER_TOLERANCE * scale:
                return False
    return similar(one[0], other[0])
