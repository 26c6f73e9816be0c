"""Does auroc's normal approximation (DeLong) keep the levels of the decision rule? It does not.

`python -m benchmarks.auroc_tail` draws contributions that do not change auroc at all and prints how
often its test calls them an improvement, as a multiple of the level; docs/statistics.md holds the
table. Scores stand on a ladder of a few levels, ties as half, so that a benchmark is a table of
counts (level under the baseline x level under the candidate, of each class) and many millions of
benchmarks can be drawn; DeLong's variance is exact for such tables as for any.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

LEVELS = (1e-3, 5e-4, 3e-5)
REPEATS = 4_000_000
THRESHOLD = 0.01  # the rule's second condition, 100 bps
STEPS = 6
DISTANCE = 1.5  # of the classes' means, in standard deviations: auroc of about 0.85
_CHUNK = 100_000


@dataclass(frozen=True)
class Null:
    """A benchmark, and how a candidate moves scores without changing auroc.

    Of two neighbouring levels of a class, `positive` or `negative` of the smaller's rows change
    places with as many of the other's, so that the class's scores are spread as before. With
    `lost`, this share of positives falls to the lowest level instead, and as many others rise a
    level as make up for it.
    """

    rows: int
    positive_share: float
    positive: float
    negative: float
    lost: float = 0.0


NULLS = (
    Null(2_000, 0.50, 0.10, 0.10),
    Null(2_000, 0.20, 0.10, 0.10),
    Null(2_000, 0.05, 0.10, 0.10),
    Null(2_000, 0.05, 0.30, 0.30),
    Null(10_000, 0.05, 0.10, 0.10),
    Null(2_000, 0.50, 0.0, 0.0, lost=0.02),
    Null(2_000, 0.20, 0.0, 0.0, lost=0.02),
    Null(2_000, 0.05, 0.0, 0.0, lost=0.02),
    Null(10_000, 0.50, 0.0, 0.0, lost=0.02),
)


def cells(null: Null) -> tuple[Any, Any]:
    """Of each class, the chances of (baseline's level, candidate's level), shape (2, K, K)."""
    edges = np.linspace(-2, 2 + DISTANCE, STEPS + 1)[1:-1]
    shares = []
    for mean in (0.0, DISTANCE):
        below = special.ndtr(edges - mean)
        shares.append(np.diff(np.concatenate([[0.0], below, [1.0]])))
    tables = []
    for share, moved in zip(shares, (null.negative, null.positive), strict=True):
        table = np.diag(share)
        # As many go up from a level as come down to it: no level's share changes.
        swapped = np.minimum(share[:-1], share[1:]) * moved
        for low, chance in enumerate(swapped):
            for here, there in ((low, low + 1), (low + 1, low)):
                table[here, there] += chance
                table[here, here] -= chance
        tables.append(table)
    if null.lost:
        tables[1] = _with_losses(shares, null.lost)
    return tables[0], tables[1]


def _with_losses(shares: list[Any], lost: float) -> Any:
    """A share of positives falls to the bottom; others rise a level, so that auroc stays."""
    negatives, positives = shares
    placement = np.cumsum(negatives) - negatives / 2
    fallen = positives * lost
    loss = float((fallen * (placement - placement[0])).sum())
    stay = positives - fallen
    rise = stay[:-1]
    gain = float((rise * np.diff(placement)).sum())
    if gain < loss:
        raise ValueError("no rise of a level can make up for so many lost rows")
    table = np.diag(stay)
    table[:, 0] += fallen
    for low, chance in enumerate(rise * (loss / gain)):
        table[low, low + 1] += chance
        table[low, low] -= chance
    return table


def auroc(negatives: Any, positives: Any) -> Any:
    """From counts by level, shape (..., K) each: shares of pairs, a tie as half."""
    below = np.cumsum(negatives, -1) - negatives / 2
    pairs = negatives.sum(-1) * positives.sum(-1)
    return (positives * below).sum(-1) / pairs


def statistic(negatives: Any, positives: Any) -> tuple[Any, Any]:
    """auroc's change and DeLong's standard error of it, from tables of counts (..., K, K)."""
    variance = 0.0
    change = auroc(negatives.sum(-2), positives.sum(-2)) - auroc(
        negatives.sum(-1), positives.sum(-1)
    )
    for own, other, sign in ((positives, negatives, 1), (negatives, positives, -1)):
        size = own.sum((-1, -2))
        places = []
        for axis in (-1, -2):  # levels under the baseline, then under the candidate
            counts = other.sum(axis)
            below = np.cumsum(counts, -1) - counts / 2
            places.append(sign * below / counts.sum(-1)[..., None])
        difference = places[1][..., None, :] - places[0][..., :, None]
        mean = (own * difference).sum((-1, -2)) / size
        squares = (own * (difference - mean[..., None, None]) ** 2).sum((-1, -2))
        variance = variance + squares / (size - 1) / size
    return change, np.sqrt(variance)


def excess(null: Null, repeats: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """How often the test errs at each level, divided by it: alone, and past the threshold too."""
    limits = special.ndtri(1 - np.array(LEVELS))
    of_class = cells(null)
    alone, past, drawn = np.zeros(len(LEVELS)), np.zeros(len(LEVELS)), 0
    while drawn < repeats:
        count = min(_CHUNK, repeats - drawn)
        positive = rng.binomial(null.rows, null.positive_share, count)
        tables = [
            _draw(table, size, rng)
            for table, size in zip(of_class, (null.rows - positive, positive), strict=True)
        ]
        change, error = statistic(*tables)
        for place, limit in enumerate(limits):
            errs = (change > limit * error) & (error > 0)
            alone[place] += errs.sum()
            past[place] += (errs & (change >= THRESHOLD)).sum()
        drawn += count
    return alone / drawn / LEVELS, past / drawn / LEVELS


def _draw(chances: Any, sizes: Any, rng: np.random.Generator) -> Any:
    """Tables of counts with given sums, shape (n, K, K), from the chances of their cells."""
    used = np.flatnonzero(chances.ravel() > 0)
    found = np.zeros((len(sizes), chances.size))
    within = chances.ravel()[used]
    found[:, used] = rng.multinomial(sizes, within / math.fsum(within))
    return found.reshape(len(sizes), *chances.shape)


def main() -> None:
    """Print one line a null."""
    rng = np.random.default_rng(21)
    levels = " | ".join(f"at {level:g}" for level in LEVELS)
    print(f"type I error / level, {REPEATS:,} draws; in brackets with a gain of 1 point at least")
    print(f"| rows | positives | moved | lost | {levels} |\n|---|---|---|---|---|---|---|")
    for null in NULLS:
        pairs = zip(*excess(null, REPEATS, rng), strict=True)
        told = " | ".join(f"{alone:.2f} ({past:.2f})" for alone, past in pairs)
        moved = f"{null.positive:.2f}, {null.negative:.2f}"
        print(
            f"| {null.rows:,} | {null.positive_share:.2f} | {moved} | {null.lost:.2f} | {told} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
