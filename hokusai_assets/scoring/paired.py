"""Tests and bounds for candidate less baseline, both scored on the same rows.

Sources: the exact sign test on discordant rows (McNemar, 1947); the score bound for a paired
difference of proportions (Tango, 1998, Statistics in Medicine 17, section 3); Satterthwaite's
degrees of freedom (1946). p values are one-sided, H0: improvement <= 0, unless a name says harm.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy

from hokusai_assets.scoring.influence import FloatArray
from hokusai_assets.scoring.metrics import IntArray, Undefined

_NOISE = 1e-13  # of a standard error: sums of influences cancel to some 1e-16, not to 0


@dataclass(frozen=True)
class Spread:
    """The standard error of a paired difference; `degrees_of_freedom` None means normal."""

    standard_error: float
    degrees_of_freedom: float | None


def mcnemar_p(better: int, worse: int) -> float:
    """P(Bin(better + worse, 1/2) >= better): exact, one-sided; 1 where no row is discordant.

    `better` counts rows that only the candidate has right, `worse` those that only the baseline
    has; swapped, it is the p value of harm.
    """
    if better < 0 or worse < 0:
        raise ValueError("counts of rows cannot be negative")
    if better == 0:
        return 1.0
    return float(scipy.special.betainc(better, worse + 1, 0.5))


def paired_spread(
    baseline: FloatArray,
    candidate: FloatArray,
    baseline_values: FloatArray,
    candidate_values: FloatArray,
    clusters: IntArray | None = None,
) -> Spread | Undefined:
    """The standard error of the difference of seed means.

    `baseline` and `candidate` are influences of shape (seeds, n); a stored baseline has one seed
    and hence no seed variance. `*_values` are the metric's values, one a seed. `clusters` gives
    each row a code from 0: rows of one cluster are summed first, and their number G gives t with
    G - 1 degrees of freedom.

    With several seeds the variance of the seed-mean over rows holds 1/K of the noise that seeds
    make within a row, and the variance over seeds holds the same noise again: only what the seeds
    show beyond it is added, so the rows' variance is a floor.
    """
    rows = baseline.shape[1]
    if not rows:
        return Undefined("there are no rows")
    if np.array_equal(baseline, candidate) and np.array_equal(baseline_values, candidate_values):
        return Spread(0.0, None)
    base, cand = _unit_sums(baseline, clusters), _unit_sums(candidate, clusters)
    units = base.shape[1]
    scale = 1.0 / rows**2
    if clusters is not None:
        if units < 2:
            return Undefined("all rows belong to one group, so groups cannot be compared")
        scale *= units / (units - 1)
    by_rows = float(np.square(cand.mean(axis=0) - base.mean(axis=0)).sum()) * scale
    parts, within = [], 0.0
    for sums, values in ((base, baseline_values), (cand, candidate_values)):
        seeds = sums.shape[0]
        if seeds > 1:
            parts.append((float(np.var(values, ddof=1)) / seeds, seeds - 1))
            within += float(np.var(sums, axis=0, ddof=1).sum()) / seeds * scale
    variance = by_rows + max(sum(part for part, _ in parts) - within, 0.0)
    if not math.isfinite(variance):
        return Undefined("a class has a single row, whose variance is unknown")
    if variance < _NOISE**2:
        return Spread(0.0, None)
    if clusters is None and not parts:
        return Spread(math.sqrt(variance), None)
    noise = by_rows**2 / max(units - 1, 1) + sum(part**2 / df for part, df in parts)
    return Spread(math.sqrt(variance), variance**2 / noise)


def _unit_sums(rows: FloatArray, clusters: IntArray | None) -> FloatArray:
    if clusters is None:
        return rows
    size = int(clusters.max()) + 1
    return np.stack([np.bincount(clusters, weights=row, minlength=size) for row in rows])


def improvement_p(delta: Fraction, spread: Spread | Undefined) -> float | Undefined:
    """The p value of `delta` against no improvement; 1 where nothing improved and nothing varies.

    A gain without any spread has no p value: the approximation knows nothing there (two rows, both
    fixed, would have p = 0).
    """
    if isinstance(spread, Undefined):
        return spread
    if spread.standard_error == 0:
        if delta <= 0:
            return 1.0
        return Undefined("the difference does not vary between rows, so it has no standard error")
    return _upper_tail(float(delta) / spread.standard_error, spread.degrees_of_freedom)


def harm_p(delta: Fraction, spread: Spread | Undefined) -> float | Undefined:
    """The p value of `delta` against no harm, H0: improvement >= 0."""
    return improvement_p(-delta, spread)


def lower_bound(delta: Fraction, spread: Spread | Undefined, level: float) -> float | Undefined:
    """The one-sided lower confidence bound delta - q * SE at `level`, such as 0.95."""
    if isinstance(spread, Undefined):
        return spread
    if spread.standard_error == 0 and delta != 0:
        return Undefined("the difference does not vary between rows, so it has no standard error")
    if spread.degrees_of_freedom is None:
        quantile = float(scipy.special.ndtri(level))
    else:
        quantile = float(scipy.special.stdtrit(spread.degrees_of_freedom, level))
    return float(delta) - quantile * spread.standard_error


def _upper_tail(statistic: float, degrees_of_freedom: float | None) -> float:
    if degrees_of_freedom is None:
        return float(scipy.special.ndtr(-statistic))
    return float(scipy.special.stdtr(degrees_of_freedom, -statistic))


def tango_lower_bound(rows: int, better: int, worse: int, level: float) -> float | Undefined:
    """The one-sided lower score bound at `level` for (better - worse) / rows.

    The difference at which Tango's score statistic equals the normal quantile, by bisection: the
    statistic falls as the assumed difference rises.
    """
    if rows < 1:
        return Undefined("there are no rows")
    if better < 0 or worse < 0 or better + worse > rows:
        raise ValueError("discordant rows cannot be negative or more than all rows")
    quantile = float(scipy.special.ndtri(level))
    low, high = -1.0, (better - worse) / rows
    for _ in range(60):
        middle = (low + high) / 2
        if _tango_statistic(rows, better, worse, middle) >= quantile:
            low = middle
        else:
            high = middle
    return low


def _tango_statistic(rows: int, better: int, worse: int, difference: float) -> float:
    # q is the likelihood's estimate, under the assumed difference, of the share of rows that only
    # the baseline has right.
    b = -better - worse + (2 * rows - better + worse) * difference
    c = -worse * difference * (1 - difference)
    q = (math.sqrt(max(b * b - 8 * rows * c, 0.0)) - b) / (4 * rows)
    variance = rows * (2 * q + difference * (1 - difference))
    gap = better - worse - rows * difference
    if variance <= 0:
        return math.copysign(math.inf, gap) if gap else 0.0
    return gap / math.sqrt(variance)


def pico(probability: float) -> int:
    """A probability in 1e-12, rounded up: a p value is never stated smaller than it is."""
    return min(math.ceil(probability * 10**12), 10**12)


def nano(value: float) -> int:
    """A standard error in 1e-9, rounded half to even."""
    return round(value * 10**9)


def nano_below(value: float) -> int:
    """A lower bound in 1e-9, rounded down."""
    return math.floor(value * 10**9)
