"""Signatures of texts by which near ones are found: all rows of a part at once, over their bytes.

A text, normalised, is its words; where a script writes no spaces, its overlapping pairs of
characters. Two texts are near if at least SIMILARITY of their words, taken together, are common to
both (Jaccard). Candidates are texts whose smallest hash over their runs of three words agrees under
one of BANDS hash functions: with 12 of 13 words kept, all of them disagree once in 1,000. A
bitmap of the words turns most accidental candidates away. What is done with pairs stands in
near_duplicates.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.folding import flat
from hokusai_assets.contribution.normalising import normalise_column
from hokusai_assets.contribution.word_hashes import SEED, mixed, word_hashes
from hokusai_assets.table_digests import is_ascii
from hokusai_assets.tables import in_one
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SIMILARITY = 0.7
BANDS = 8
RUN = 3  # words; texts of fewer are one run
ROW_BITS = 28  # of a packed band: which row; the others are the hash
SIGNATURE_COLUMNS = ("_bands", "_words")  # of rows on their way
_SPACE = ord(" ")
_ROWS_AT_ONCE = 4096  # whose numbers a processor's cache holds
_BYTES_AT_ONCE = 4 << 20
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


def comparable(
    table: pa.Table, task: Task, normalised: Mapping[str, pa.Array] | None = None
) -> pa.Array:
    """Each row's words with one space between, over all text features; null without any.

    `normalised` are the text columns as normalise_column gives them, where that was done already.
    """
    import pyarrow.compute as pc

    texts = [
        spaced_words(table.column(c.name)) if normalised is None else _spaced(normalised[c.name])
        for c in task.features
        if c.type == "text"
    ]
    if len(texts) == 1:
        return texts[0]
    return pc.binary_join_element_wise(*texts, " ", null_handling="skip")


def spaced_words(column: pa.ChunkedArray) -> pa.Array:
    """Each cell's words, normalised, with one space between; null stays null."""
    import pyarrow as pa

    cells = in_one(column)
    if isinstance(cells, pa.ChunkedArray):  # no chunk at all
        cells = pa.array([], pa.string())
    return _spaced(normalise_column(cells))


def signatures(words: pa.Array) -> Signatures:
    """The signatures of texts as `comparable` gives them."""
    return packed(*signature_columns(words))


def packed(hashes: pa.Array, bitmaps: pa.Array) -> Signatures:
    """The signatures of rows from their columns, which may have been taken elsewhere meanwhile."""
    import numpy as np

    rows = np.flatnonzero(hashes.is_valid().to_numpy(zero_copy_only=False))
    bands = np.frombuffer(hashes.buffers()[1], np.uint64).reshape(-1, BANDS)
    bands = bands[hashes.offset : hashes.offset + len(hashes)][rows]
    low = np.uint64((1 << ROW_BITS) - 1)
    marked = (bands & ~low) | rows.astype(np.uint64)[:, None]
    return Signatures(np.sort(marked, axis=None), bitmaps.to_numpy(zero_copy_only=False))


def signature_columns(words: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Each text's band hashes, as fixed-size binary (null without words), and its word bitmap."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    bitmaps = np.zeros(len(words), np.uint64)
    bands = np.zeros((len(words), BANDS), np.uint64)
    signed = np.zeros(len(words), bool)
    size = pc.sum(pc.binary_length(words)).as_py() or 0
    # Fewer of long texts: what is computed takes many times their bytes.
    at_once = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE * len(words) // max(size, 1)))
    for start in range(0, len(words), at_once):
        data, offsets = flat(words.slice(start, at_once))
        starts, ends, first = _words(data, offsets)
        hashes = word_hashes(data, starts, ends)
        counts = np.diff(first)
        some = np.flatnonzero(counts)
        if len(some):
            bits = np.uint64(1) << (hashes >> np.uint64(58))
            bitmaps[start + some] = np.bitwise_or.reduceat(bits, first[:-1][some])
            rows, least = _bands(hashes, counts)
            bands[start + rows] = least
            signed[start + rows] = True
    validity = pa.array(signed)
    return (
        pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(8 * BANDS), len(words), [validity.buffers()[1], pa.py_buffer(bands)]
        ),
        pa.array(bitmaps),
    )


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

    if is_ascii(text):
        return text
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

    space = data == _SPACE
    edges = np.append(space, True)
    edges[offsets[1:][np.diff(offsets) > 0]] = True
    ends = np.flatnonzero(edges)
    starts = np.zeros(len(ends), np.int64)
    starts[1:] = ends[:-1] + space[ends[:-1]]
    if (starts < ends).all():  # as in all normalised text: one space between words, and no other
        return starts, ends, np.searchsorted(starts, offsets)
    inside = ~space
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


def _bands(hashes: Any, counts: Any) -> tuple[Any, Any]:
    """Which rows have signatures, and their least hashes under each function."""
    import numpy as np

    # A text of fewer words is one run, of the words it has: it is near to its equals only, but
    # its row's numbers may differ.
    runs = np.where(counts, np.maximum(counts - (RUN - 1), 1), 0)
    rows = np.flatnonzero(runs)
    if not len(rows):
        return rows, np.zeros((0, BANDS), np.uint64)
    padded = np.concatenate([hashes, np.zeros(RUN - 1, np.uint64)])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    with np.errstate(over="ignore"):
        grams = np.zeros(len(hashes), np.uint64)
        # Runs that go over a row's end are none, except that of a short text, which is its first.
        inside = np.ones(len(hashes), bool)
        short = first[(counts > 0) & (counts < RUN)]
        of_short = np.zeros(len(short), np.uint64)
        for step, factor in enumerate((SEED | 1, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)):
            grams += padded[step : step + len(hashes)] * np.uint64(factor)
            held = counts[(counts > 0) & (counts < RUN)] > step
            of_short += np.where(held, padded[short + step], np.uint64(0)) * np.uint64(factor)
            if step:
                last = (first + counts - step)[counts >= step]
                inside[last] = False
        grams[short], inside[short] = of_short, True
        grams = mixed(grams[inside])
        begins = np.concatenate([[0], np.cumsum(runs[rows])[:-1]])
        # Factors that have nothing to do with each other, or the minima would agree too often.
        factors = mixed(mixed(np.arange(1, BANDS + 1, dtype=np.uint64) * np.uint64(SEED)))
        factors |= np.uint64(1)
        least = np.empty((len(rows), BANDS), np.uint64)
        for band in range(BANDS):
            least[:, band] = np.minimum.reduceat(grams * factors[band], begins)
        return rows, mixed(least + np.arange(BANDS, dtype=np.uint64))
