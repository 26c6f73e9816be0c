"""Average precision: what is found among the highest scores, at every threshold.

AP = sum over thresholds s of (share of the class's rows that score s) x (precision of all rows
that score s or more), rows of equal score entering together; no interpolation, as scikit-learn
computes it. With more than two classes the mean of one class against the rest. Both the value and
the influence function cost one sort.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from hokusai_assets.scoring.influence import FloatArray
from hokusai_assets.scoring.metrics import IntArray, Undefined, Value, check_columns, mean_of

BoolArray = npt.NDArray[np.bool_]


def average_precision(truth: IntArray, scores: IntArray | None, names: Sequence[Any]) -> Value:
    """The mean over classes (with two, of the positive one alone) of AP in [0, 1].

    Undefined where a class has no row. Where every row is of the class it is 1, and says nothing.
    """
    if scores is None:
        return Undefined("the model gives no probabilities")
    if len(names) == 2:
        return _of_class(truth == 1, scores[:, -1], names[1])
    check_columns(scores, len(names))
    return mean_of([_of_class(truth == c, scores[:, c], names[c]) for c in range(len(names))])


def average_precision_influence(truth: IntArray, scores: IntArray, classes: int) -> FloatArray:
    """The influence of each row, shape (n,); NaN for the row of a class that has a single one."""
    if classes == 2:
        return _influence(truth == 1, scores[:, -1])
    parts = [_influence(truth == c, scores[:, c]) for c in range(classes)]
    return np.asarray(np.mean(parts, axis=0), dtype=np.float64)


def _of_class(actual: BoolArray, scores: IntArray, name: Any) -> Value:
    size = int(actual.sum())
    if not size:
        return Undefined(f"no benchmark row is of class {name!r}")
    _, positives, found, reached = _thresholds(actual, scores)
    used = positives > 0
    return _sum_of_ratios((positives * found)[used], reached[used]) / size


def _thresholds(
    actual: BoolArray, scores: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Each row's threshold, counted from the lowest; of each threshold its positive rows, and
    the positive and all rows that reach it."""
    distinct, position = np.unique(scores, return_inverse=True)
    positives = np.bincount(position[actual], minlength=distinct.size)
    rows = np.bincount(position, minlength=distinct.size)
    found, reached = (np.cumsum(counts[::-1])[::-1] for counts in (positives, rows))
    return position, positives, found, reached


def _sum_of_ratios(numerators: IntArray, denominators: IntArray) -> Fraction:
    """The sum of the ratios, each cut after 64 binary digits.

    An exact sum would have a denominator of as many digits as there are rows; cut in integers it
    is at least the same everywhere, and off by less than 2^-64 a ratio.
    """
    whole, rest = np.divmod(numerators, denominators)
    total = int(whole.sum())
    for _ in range(2):  # 32 digits at a time stay within 64 bits up to 2^31 rows
        part, rest = np.divmod(rest << 32, denominators)
        total = (total << 32) + int(part.sum())
    return Fraction(total, 2**64)


def _influence(actual: BoolArray, scores: IntArray) -> FloatArray:
    """By the delta method on T = E[Y g(S)] / E[Y] with the precision g(s) = P(Y = 1 | S >= s).

    A row (y, s) moves T through its own term, y (g(s) - T) / E[Y], and through the precision of
    every positive row at or below it: each of these has n b = `reached` rows at or above, among
    which the row counts as y - g.
    """
    position, positives, found, reached = _thresholds(actual, scores)
    size = int(positives.sum())
    precision = found / reached
    value = float((positives * precision).sum()) / size
    lifts = np.cumsum(positives / reached)
    costs = np.cumsum(positives * precision / reached)
    rows = actual * (precision[position] - value + lifts[position]) - costs[position]
    rows *= actual.size / size
    if size < 2:
        rows[actual] = np.nan
    return np.asarray(rows, dtype=np.float64)
