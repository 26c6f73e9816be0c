"""Metrics of predicted numbers: mean absolute error, root mean squared error, and R squared.

Truth and predictions are whole millionths of the target's scale (task/kinds.py), so an error is a
share of its range and every sum is one of integers.

Sources: the delta method for the influence functions (van der Vaart, Asymptotic Statistics, 1998,
chapter 3); R squared as 1 - (sum of squared errors) / (sum of squares around the labels' mean).
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from hokusai_assets.scoring.influence import FloatArray
from hokusai_assets.scoring.metrics import MILLION, IntArray, Undefined, Value

# Bounds its standard error as well, by 1001 x 2, so that both are integers of canonical JSON.
LEAST_R2 = -1000
_DIGITS = 10**30
_AT_ONCE = 1 << 22  # rows: so many squares of a million are within 64 bits


def mae(truth: IntArray, predicted: IntArray) -> Value:
    """The mean of |label - prediction|, a share of the scale in [0, 1]; lower is better."""
    if not truth.size:
        return Undefined("there are no rows")
    return Fraction(total(np.abs(truth - predicted)), MILLION * truth.size)


def rmse(truth: IntArray, predicted: IntArray) -> Value:
    """The root of the mean squared error, a share of the scale in [0, 1]; lower is better.

    The root is taken of integers and cut after 30 decimals, so that every machine has the same.
    """
    if not truth.size:
        return Undefined("there are no rows")
    squares = total(np.square(truth - predicted))
    return Fraction(math.isqrt(squares * _DIGITS**2 // truth.size) // MILLION, _DIGITS)


def r2(truth: IntArray, predicted: IntArray) -> Value:
    """The share of the labels' variance that predictions explain: at most 1, and below 0 if worse
    than the labels' own mean.

    Undefined where all labels are the same: 0 / 0, or minus infinity, which scikit-learn calls 1
    or 0. Undefined too below LEAST_R2: such labels stand close together in a range that is far too
    wide for them, and their variance, which errors are divided by, is little more than rounding.
    """
    if not truth.size:
        return Undefined("there are no rows")
    around = truth.size * total(np.square(truth)) - total(truth) ** 2
    if not around:
        return Undefined("all labels of the benchmark are the same number")
    found = 1 - Fraction(truth.size * total(np.square(truth - predicted)), around)
    if found < LEAST_R2:
        return Undefined(f"it is below {LEAST_R2:,}: the labels hardly vary within their range")
    return found


def mae_influence(truth: IntArray, predicted: IntArray) -> FloatArray:
    """The influence of each row, shape (n,)."""
    return _centred(np.abs(truth - predicted) / MILLION)


def rmse_influence(truth: IntArray, predicted: IntArray) -> FloatArray:
    """The influence of each row, shape (n,); all 0 where no row has an error."""
    squares = np.square((truth - predicted) / MILLION)
    root = math.sqrt(squares.mean())
    return _centred(squares) / (2 * root) if root else np.zeros(truth.size)


def r2_influence(truth: IntArray, predicted: IntArray) -> FloatArray:
    """The influence of each row, shape (n,); the labels must vary."""
    squares = np.square((truth - predicted) / MILLION)
    around = np.square((truth - truth.mean()) / MILLION)
    lost = squares.mean() / around.mean()
    return np.asarray(
        (lost * _centred(around) - _centred(squares)) / around.mean(), dtype=np.float64
    )


def total(values: IntArray) -> int:
    """The exact sum of many integers of at most 1e12."""
    starts = range(0, values.size, _AT_ONCE)
    return sum(int(values[start : start + _AT_ONCE].sum()) for start in starts)


def _centred(values: Any) -> FloatArray:
    return np.asarray(values - values.mean(), dtype=np.float64)


# The loss of each row that a metric orders models by, in whole units, and the largest loss there
# is. Of rmse and r2 it is the squared error: a root, or division by the same spread of labels,
# keeps the order, so that either improves exactly where the mean squared error falls.
ROW_LOSSES: dict[str, tuple[Callable[[IntArray], IntArray], int]] = {
    "mae": (np.abs, MILLION),
    "rmse": (np.square, MILLION**2),
    "r2": (np.square, MILLION**2),
}
