"""Evidence that a loss fell, exact at any level and sample size: a bet against "it did not".

A gain D = baseline's loss less candidate's lies in [-1, 1]. For a bet g in (0, 1) the capital
prod(1 + g D) of somebody who stakes g on each row is never negative, and for independent rows its
mean is at most 1 if the gains' is at most 0 (of rows that differ in distribution too, since a
geometric mean is at most the arithmetic one). So is the mean E over a fixed grid of bets, and by
Markov's inequality P(E >= 1 / p) <= p: min(1, 1 / E) is a p value. A rare large loss, which a
sample may not hold and a standard error then does not know, is priced in: the larger the gains
that are bet on, the more one such row costs.

Sources: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal
of the Royal Statistical Society B 86, 2024; Markov's inequality (Ville, 1939). How much it finds
is simulated in benchmarks/betting_tail.py.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np

from hokusai_assets.scoring.metrics import IntArray
from hokusai_assets.scoring.number_errors import ROW_LOSSES

# The best bet is the gains' mean over their mean square: above 1 for most regressions, where 1 is
# the most that can be staked, and the less the more gains vary. Few of them, since each further one
# takes from the others: nine powers of two were measured to find less than these five.
BETS = (2.0**-6, 2.0**-4, 2.0**-2, 2.0**-1, 1 - 2.0**-8)
_AT_ONCE = 1 << 16  # rows that are held as Python's numbers
_LEAST_LOG = -650.0  # of a p value: below, the number would round to 0, which none is


def betting_p(gains: Any) -> float:
    """The p value of gains in [-1, 1], one an independent row or cluster, in any order."""
    parts = [gains[start : start + _AT_ONCE] for start in range(0, len(gains), _AT_ONCE)]
    logs = [
        math.fsum(chain.from_iterable(np.log1p(bet * part).tolist() for part in parts))
        for bet in BETS
    ]
    largest = max(logs)
    evidence = largest + math.log(math.fsum(math.exp(x - largest) for x in logs) / len(BETS))
    return math.exp(max(min(-evidence, 0.0), _LEAST_LOG))


def gains(
    metric: str, truth: IntArray, baseline: IntArray, candidate: IntArray, clusters: IntArray | None
) -> Any:
    """The gain of each row, or cluster, by the loss that `metric` orders models by: in [-1, 1].

    All in millionths of the target's scale, shape (n,). Of clusters the sum, divided by the size of
    the largest one: their sizes are the benchmark's and no model's.
    """
    loss, largest = ROW_LOSSES[metric]
    rows = loss(truth - baseline) - loss(truth - candidate)
    if clusters is None:
        return rows / largest
    sums = np.zeros(int(clusters.max(initial=-1)) + 1, np.int64)
    np.add.at(sums, clusters, rows)
    return sums / (largest * int(np.bincount(clusters).max(initial=1)))
