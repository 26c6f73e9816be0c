"""Signatures of texts by which near ones are found: all rows of a part at once, over their bytes.

A text, normalised, is its words; where a script writes no spaces, its overlapping pairs of
characters. Two texts are near if at least SIMILARITY of their words, taken together, are common to
both (Jaccard). Candidates are texts whose smallest hash over their runs of three words agrees under
one of BANDS hash functions: with 12 of 13 words kept, all of them disagree twice in 10,000. A
bitmap of the words turns most accidental candidates away. What is done with pairs stands in
near_duplicates.py.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.normalising import flat, normalise_column
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SIMILARITY = 0.7
BANDS = 10
RUN = 3  # words; texts of fewer have no signature
ROW_BITS = 28  # of a packed band: which row; the others are the hash
_SEED = 0x9E3779B97F4A7C15
_SPACE = ord(" ")
# Scripts that are written without spaces: Thai to Myanmar, Khmer, kana and Chinese characters.
_UNSPACED = (
    r"[\x{0E00}-\x{0EFF}\x{0F00}-\x{109F}\x{1780}-\x{17FF}\x{3040}-\x{30FF}\x{3400}-\x{9FFF}"
    r"\x{F900}-\x{FAFF}\x{20000}-\x{3FFFF}]"
)


@dataclass(frozen=True)
class Signatures:
    """Of some rows: packed bands (hash above, position in these rows below), and word bitmaps."""

    bands: np.ndarray  # uint64, sorted
    bitmaps: np.ndarray  # uint64, one a row


def comparable(table: pa.Table, task: Task) -> pa.Array:
    """Each row's words with one space between, over all text features; null without any."""
    import pyarrow.compute as pc

    texts = [spaced_words(table.column(c.name)) for c in task.features if c.type == "text"]
    if len(texts) == 1:
        return texts[0]
    return pc.binary_join_element_wise(*texts, " ", null_handling="skip")


def spaced_words(column: pa.ChunkedArray) -> pa.Array:
    """Each cell's words, normalised, with one space between; null stays null."""
    import pyarrow as pa

    cells = column.combine_chunks()
    if isinstance(cells, pa.ChunkedArray):  # no chunk at all
        cells = pa.array([], pa.string())
    return _spaced(normalise_column(cells))


def signatures(words: pa.Array) -> Signatures:
    """The signatures of texts as `comparable` gives them."""
    import numpy as np

    data, offsets = flat(words)
    starts, ends, first = _words(data, offsets)
    hashes = _hashes(data, starts, ends)
    counts = np.diff(first)
    bitmaps = np.zeros(len(words), np.uint64)
    some = counts > 0
    bits = np.uint64(1) << (hashes >> np.uint64(58))
    if len(bits):
        bitmaps[some] = np.bitwise_or.reduceat(bits, first[:-1][some])
    return Signatures(np.sort(_bands(hashes, first, counts)), bitmaps)


def has_texts(task: Task) -> bool:
    """Whether rows of this task have texts to compare."""
    return any(c.type == "text" for c in task.features)


def similar(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of words are near."""
    common = len(one & other)
    return common >= SIMILARITY * (len(one) + len(other) - common)


def _spaced(text: pa.Array) -> pa.Array:
    """Text of unspaced scripts as its overlapping pairs of characters."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mask = pc.fill_null(pc.match_substring_regex(text, _UNSPACED), False)
    if not pc.any(mask).as_py():
        return text
    cells = []
    for cell in text.filter(mask).to_pylist():
        close = cell.replace(" ", "")
        cells.append(" ".join(map("".join, itertools.pairwise(close))) or close)
    return pc.replace_with_mask(text, mask, pa.array(cells, pa.string()))


def _words(data: Any, offsets: Any) -> tuple[Any, Any, Any]:
    """Where words start and end in `data`, and the index of each row's first (one more row)."""
    import numpy as np

    inside = data != _SPACE
    before = np.empty(len(data), bool)
    before[:1] = False
    before[1:] = inside[:-1]
    row_starts = offsets[:-1][offsets[:-1] < len(data)]
    before[row_starts] = False
    starts = np.flatnonzero(inside & ~before)
    after = np.zeros(len(data), bool)
    after[:-1] = inside[1:]
    row_ends = offsets[1:][offsets[1:] > 0] - 1
    after[row_ends] = False
    ends = np.flatnonzero(inside & ~after) + 1
    return starts, ends, np.searchsorted(starts, offsets)


def _hashes(data: Any, starts: Any, ends: Any) -> Any:
    """A 64-bit hash of each word, from sums of powers over the whole of `data`."""
    import numpy as np

    if not len(starts):
        return np.zeros(0, np.uint64)
    odd = np.uint64(_SEED | 1)
    inverse = np.uint64(pow(int(odd), -1, 1 << 64))
    with np.errstate(over="ignore"):
        powers = np.full(len(data), odd, np.uint64)
        powers[0] = 1
        np.multiply.accumulate(powers, out=powers)
        sums = np.zeros(len(data) + 1, np.uint64)
        np.cumsum(mixed(data.astype(np.uint64) + np.uint64(1)) * powers, out=sums[1:])
        # Divided by the power at its start, a word's sum is the same wherever it stands.
        back = np.full(len(data), inverse, np.uint64)
        back[0] = 1
        np.multiply.accumulate(back, out=back)
        return mixed((sums[ends] - sums[starts]) * back[starts])


def _bands(hashes: Any, first: Any, counts: Any) -> Any:
    import numpy as np

    runs = np.maximum(counts - (RUN - 1), 0)
    rows = np.flatnonzero(runs)
    if not len(rows):
        return np.zeros(0, np.uint64)
    with np.errstate(over="ignore"):
        grams = hashes[:-2] * np.uint64(_SEED | 1)
        grams += hashes[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F)
        grams += hashes[2:] * np.uint64(0x165667B19E3779F9)
        # Runs that go over a row's end are none: the gaps between rows are left out.
        row_of = np.repeat(np.arange(len(counts)), counts)
        grams = mixed(grams[row_of[:-2] == row_of[2:]])
        begins = np.concatenate([[0], np.cumsum(runs[rows])[:-1]])
        low = np.uint64((1 << ROW_BITS) - 1)
        # Factors that have nothing to do with each other, or the minima would agree too often.
        factors = mixed(mixed(np.arange(1, BANDS + 1, dtype=np.uint64) * np.uint64(_SEED)))
        factors |= np.uint64(1)
        packed = []
        for band in range(BANDS):
            least = np.minimum.reduceat(grams * factors[band], begins)
            packed.append((mixed(least + np.uint64(band)) & ~low) | rows.astype(np.uint64))
    return np.concatenate(packed)


def mixed(numbers: Any) -> Any:
    """Spread over all bits (the finaliser of splitmix64, shortened)."""
    import numpy as np

    numbers = numbers ^ (numbers >> np.uint64(30))
    numbers = numbers * np.uint64(0xBF58476D1CE4E5B9)
    return numbers ^ (numbers >> np.uint64(27))
