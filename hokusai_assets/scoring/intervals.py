"""Two-sided confidence intervals for candidate less baseline on the same rows.

Three ways, by what is there: Tango's score interval for a difference of counts; a multinomial
bootstrap over the joint table label x baseline x candidate for what follows from counts; the
normal or t interval from influence functions for the rest (auroc, several seeds, clusters).

Resampling a table's cells has the distribution of resampling its rows, at a cost that does not
grow with them (Efron, 1979: the multinomial is the bootstrap of categorical data). Half a row is
added to each way in which the models can differ, in the manner of Agresti and Min (2005) for
paired proportions: without it the interval of a rare class is a point as soon as no row of it
happens to be discordant. Coverage is simulated in docs/statistics.md.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import scipy

from hokusai_assets.scoring.influence import FloatArray
from hokusai_assets.scoring.metrics import IntArray, Undefined
from hokusai_assets.scoring.paired import Spread, tango_lower_bound

LEVEL = 0.95
RESAMPLES = 2_000
FEW_DISCORDANT_ROWS = 20  # below, coverage is no longer within 1.5 points of the level
_ADDED = 0.5
_DRAWN_AT_ONCE = 1 << 23  # cells: resamples of many classes are drawn in pieces


@dataclass(frozen=True)
class Interval:
    """The two ends, and the method's name."""

    low: float
    high: float
    method: str


def tango_interval(
    rows: int, better: int, worse: int, level: float = LEVEL
) -> Interval | Undefined:
    """The score interval for (better - worse) / rows (Tango, 1998)."""
    one_sided = (1 + level) / 2
    low = tango_lower_bound(rows, better, worse, one_sided)
    high = tango_lower_bound(rows, worse, better, one_sided)
    if isinstance(low, Undefined):
        return low
    if isinstance(high, Undefined):
        return high
    return Interval(low, -high, "tango_score")


def spread_interval(
    delta: Fraction, spread: Spread | Undefined, level: float = LEVEL
) -> Interval | Undefined:
    """delta +- q * SE; q is the normal quantile, or that of t where the spread has degrees."""
    if isinstance(spread, Undefined):
        return spread
    if spread.standard_error == 0 and delta != 0:
        return Undefined("the difference does not vary between rows, so it has no standard error")
    one_sided = (1 + level) / 2
    if spread.degrees_of_freedom is None:
        quantile, method = float(scipy.special.ndtri(one_sided)), "influence_normal"
    else:
        quantile = float(scipy.special.stdtrit(spread.degrees_of_freedom, one_sided))
        method = "influence_t"
    half = quantile * spread.standard_error
    return Interval(float(delta) - half, float(delta) + half, method)


def bootstrap_deltas(
    joint: IntArray, metrics: Sequence[str], resamples: int = RESAMPLES
) -> dict[str, FloatArray]:
    """Resampled candidate less baseline of each metric of COUNTED, shape (resamples,).

    `joint` has the shape (k, k, k). NaN where a metric is undefined in a resample. Seeded by the
    table itself, so that the same counts give the same interval everywhere.
    """
    classes, rows = joint.shape[0], int(joint.sum())
    weights = smoothed(joint)
    places = np.flatnonzero(weights)
    shares = weights.reshape(-1)[places] / weights.sum()
    seed = int.from_bytes(hashlib.sha256(joint.astype(">i8").tobytes()).digest()[:8], "big")
    generator = np.random.default_rng(seed)
    found: dict[str, list[FloatArray]] = {metric: [] for metric in metrics}
    at_once = max(1, min(resamples, _DRAWN_AT_ONCE // classes**3))
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        tables = np.zeros((count, classes**3), np.int64)
        tables[:, places] = generator.multinomial(rows, shares, size=count)
        tables = tables.reshape(count, classes, classes, classes)
        before, after = tables.sum(axis=3), tables.sum(axis=2)
        for metric in metrics:
            found[metric].append(COUNTED[metric](after) - COUNTED[metric](before))
    return {metric: np.concatenate(parts) for metric, parts in found.items()}


def percentile_interval(draws: FloatArray, level: float = LEVEL) -> Interval | Undefined:
    """The middle `level` of resampled deltas; undefined if one in a hundred is."""
    defined = draws[np.isfinite(draws)]
    if defined.size < 0.99 * draws.size:
        return Undefined("it is undefined in too many resamples")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), "bootstrap_percentile")


def smoothed(joint: IntArray) -> FloatArray:
    """The table with half a row more for each class that only one of the models has right.

    Spread over the wrong labels; a class without any row gets none.
    """
    classes = joint.shape[0]
    table = joint.astype(np.float64)
    for label in range(classes):
        if not joint[label].any():
            continue
        wrong = np.arange(classes) != label
        table[label, label, wrong] += _ADDED / (classes - 1)
        table[label, wrong, label] += _ADDED / (classes - 1)
    return table


def discordant_rows(metric: str, joint: IntArray) -> int:
    """Rows on which the models differ, of those that `metric` rests on.

    Of means over classes: of the class that has the fewest. Of what rests on no class, rows that
    one model alone has right.
    """
    classes = joint.shape[0]
    differ = joint * (1 - np.eye(classes, dtype=np.int64))  # over baseline x candidate
    if metric not in {"precision", "recall", "f1_score", "auroc", "balanced_accuracy"}:
        right = np.zeros_like(joint)
        for label in range(classes):
            right[label, label, :] = right[label, :, label] = 1
        return int((differ * right).sum())
    counts = []
    both = classes > 2 or metric == "balanced_accuracy"
    for index in range(classes) if both else [1]:
        concerned = np.zeros(joint.shape, bool)
        if metric != "precision":
            concerned[index] = True
        if metric in {"precision", "f1_score", "auroc"}:
            concerned[:, index, :] = concerned[:, :, index] = True
        counts.append(int((differ * concerned).sum()))
    return min(counts)


def _accuracy(tables: IntArray) -> FloatArray:
    return _ratio(np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2)))


def _precision(tables: IntArray) -> FloatArray:
    return _of_classes(_ratio(_right(tables), tables.sum(axis=1)))


def _recall(tables: IntArray) -> FloatArray:
    return _of_classes(_ratio(_right(tables), tables.sum(axis=2)))


def _f1_score(tables: IntArray) -> FloatArray:
    return _of_classes(_ratio(2 * _right(tables), tables.sum(axis=1) + tables.sum(axis=2)))


def _balanced_accuracy(tables: IntArray) -> FloatArray:
    return np.asarray(_ratio(_right(tables), tables.sum(axis=2)).mean(axis=1), dtype=np.float64)


def _matthews(tables: IntArray) -> FloatArray:
    given, said = tables.sum(axis=2).astype(np.float64), tables.sum(axis=1).astype(np.float64)
    rows = given.sum(axis=1)
    right = np.trace(tables, axis1=1, axis2=2)
    spread = (rows**2 - (said**2).sum(axis=1)) * (rows**2 - (given**2).sum(axis=1))
    return _ratio(right * rows - (said * given).sum(axis=1), np.sqrt(spread))


# What follows from a confusion matrix: values of many at once, shape (resamples, k, k) to
# (resamples,). Equal to metrics.metric_value but for rounding.
COUNTED: dict[str, Callable[[IntArray], FloatArray]] = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1_score": _f1_score,
    "balanced_accuracy": _balanced_accuracy,
    "matthews_correlation": _matthews,
}


def _right(tables: IntArray) -> Any:
    return np.diagonal(tables, axis1=1, axis2=2)


def _of_classes(values: FloatArray) -> FloatArray:
    if values.shape[1] == 2:
        return values[:, 1]
    return np.asarray(values.mean(axis=1), dtype=np.float64)


def _ratio(numerator: Any, denominator: Any) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(numerator / denominator, dtype=np.float64)
