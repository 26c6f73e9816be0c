"""How far a contribution's columns lie from base's: a Jensen-Shannon distance a column.

The distance is the square root of the Jensen-Shannon divergence with logarithms to base 2 (Endres
and Schindelin, IEEE Trans. Inf. Theory 49, 2003): 0 for equal shares, 1 where nothing is common.
Unlike PSI it is bounded and needs no made-up share for an empty bin. Empty cells are a bin of their
own. What a column's bins are:

- numbers, integers, times: base's deciles, what is below and what is above all of base; where base
  holds few different values, each of these and all others.
- categories, booleans: base's most frequent values, base's other ones, and those not in base.
- text: the larger of two distances: between shares of words (base's most frequent ones and all
  others) and between numbers of words a cell. Words tell what is spoken of, lengths tell cut or
  padded text. Letters would tell the language only.

Two small samples of one source differ by chance: with 12 bins and 200 rows each by some 0.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.label_noise import as_numbers
from hokusai_assets.contribution.near_texts import spaced_words
from hokusai_assets.task import Column, Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SAMPLE_ROWS = 20_000  # of contribution and of base
MIN_ROWS = 30  # of each; below, chance alone is most of the distance
_FEW_VALUES = 20  # of a number column, each of which is then a bin
_DECILES = 10
_MOST_CATEGORIES = 30
_MOST_WORDS = 500


def column_distances(ours: pa.Table, base: pa.Table, task: Task) -> dict[str, float | None]:
    """The distance of each feature column and the target; None where a side has too few rows."""
    ours, base = ours.slice(0, SAMPLE_ROWS), base.slice(0, SAMPLE_ROWS)
    columns = [*task.features, task.target]
    if min(ours.num_rows, base.num_rows) < MIN_ROWS:
        return {c.name: None for c in columns}
    labels = task.kind == "classification"
    return {
        c.name: _distance(
            ours.column(c.name), base.column(c.name), c, labelled=labels and c.role == "target"
        )
        for c in columns
    }


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> float:
    """The distance, in [0, 1], of two lists of counts over the same bins, neither without any."""
    import numpy as np

    p, q = one / one.sum(), other / other.sum()
    middle = (p + q) / 2

    def divergence(shares: np.ndarray) -> float:
        some = shares > 0
        return float(np.sum(shares[some] * np.log2(shares[some] / middle[some])))

    return float(np.sqrt(min(max((divergence(p) + divergence(q)) / 2, 0.0), 1.0)))


def _distance(
    ours: pa.ChunkedArray, base: pa.ChunkedArray, column: Column, *, labelled: bool
) -> float:
    # A target is a list of labels, also where these are integers, unless numbers are predicted.
    if labelled or column.type in {"category", "boolean"}:
        return jensen_shannon(*_of_values(ours.to_pylist(), base.to_pylist(), _MOST_CATEGORIES))
    if column.type == "text":
        return _of_texts(ours, base)
    return jensen_shannon(*_of_numbers(as_numbers(ours), as_numbers(base)))


def _of_values(ours: list[Any], base: list[Any], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts of base's `most` most frequent values, its others, those not in base, and empty."""
    import numpy as np

    known = _counted(base)
    own = _counted(ours)
    # By frequency and then by name, so that ties do not depend on an order of rows.
    ranked = sorted((v for v in known if v is not None), key=lambda v: (-known[v], str(v)))
    bins: dict[Any, int] = {value: min(place, most) for place, value in enumerate(ranked)}
    bins[None] = most + 2
    counts = []
    for told in (own, known):
        found = np.zeros(most + 3)
        for value, count in told.items():
            found[bins.get(value, most + 1)] += count
        counts.append(found)
    return counts[0], counts[1]


def _counted(values: list[Any]) -> dict[Any, int]:
    from collections import Counter

    return Counter(values)


def _of_numbers(ours: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    filled = base[np.isfinite(base)]
    different = np.unique(filled)
    if len(different) <= _FEW_VALUES:
        own, known = ([x if np.isfinite(x) else None for x in some] for some in (ours, base))
        return _of_values(own, known, _FEW_VALUES)
    edges = np.unique(np.quantile(filled, np.linspace(0, 1, _DECILES + 1), method="lower"))
    # So that base's greatest value is not above all of base.
    edges[-1] = np.nextafter(edges[-1], np.inf)
    counts = []
    for some in (ours, base):
        inside = some[np.isfinite(some)]
        found = np.bincount(np.searchsorted(edges, inside, "right"), minlength=len(edges) + 1)
        counts.append(np.append(found, len(some) - len(inside)).astype(float))
    return counts[0], counts[1]


def _of_texts(ours: pa.ChunkedArray, base: pa.ChunkedArray) -> float:
    import numpy as np
    import pyarrow.compute as pc

    words, lengths = [], []
    for cells in (ours, base):
        split = pc.split_pattern(spaced_words(cells), " ")
        lengths.append(pc.list_value_length(split).to_numpy(zero_copy_only=False).astype(float))
        counted = pc.value_counts(split.flatten())
        told = zip(*(counted.field(i).to_pylist() for i in (0, 1)), strict=True)
        words.append({word: count for word, count in told if word})
    of_lengths = jensen_shannon(*_of_numbers(lengths[0], lengths[1]))
    own, known = words
    if not own or not known:
        return max(of_lengths, float(bool(own) != bool(known)))
    common = sorted(known, key=lambda word: (-known[word], word))[:_MOST_WORDS]
    counts = []
    for of_words in (own, known):
        found = [of_words.get(word, 0) for word in common]
        counts.append(np.array([*found, sum(of_words.values()) - sum(found)], float))
    return max(of_lengths, jensen_shannon(*counts))


def first_rows(tables: Any, rows: int) -> pa.Table:
    """The first `rows` rows of an iterable of tables, of which no more is read than needed."""
    import pyarrow as pa

    taken, left = [], rows
    for table in tables:
        taken.append(table.slice(0, left))
        left -= taken[-1].num_rows
        if not left:
            break
    return pa.concat_tables(taken)
