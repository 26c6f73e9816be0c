"""Losses of probabilities: log loss and the Brier score, where lower is better.

Both are means over rows, so a row's influence is its loss less the mean. Scores come as integers
in millionths, and it is these that are judged.

Sources: Good (1952) for the logarithmic score; Brier (1950), with two classes in the usual half of
his sum (range 0 to 1), with more in his own (range 0 to 2), as scikit-learn has it.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from hokusai_assets.scoring.influence import FloatArray
from hokusai_assets.scoring.metrics import MILLION, IntArray, Undefined, Value, check_columns

# No score is trusted to be 0 or 1: it may be off by half of its unit, and a logarithm would make
# an infinite loss of that. In halves of a millionth the ends are then these.
LOWEST, HIGHEST = 1, 2 * MILLION - 1
LARGEST_LOG_LOSS = math.log(2 * MILLION)


def log_loss(truth: IntArray, scores: IntArray | None, names: Sequence[Any]) -> Value:
    """The mean of -log of the score of each row's own class (natural logarithm).

    Scores are clipped to half a millionth from 0 and from 1, so a row costs at most 14.51. Only
    the logarithms are inexact (1e-16); they are summed exactly, once a distinct score.
    """
    if scores is None:
        return Undefined("the model gives no probabilities")
    if not truth.size:
        return Undefined("there are no rows")
    halves, counts = np.unique(_halves(truth, scores, len(names)), return_counts=True)
    total = math.fsum(counts * np.log(halves / (2 * MILLION)))
    return -Fraction(total) / truth.size


def log_loss_influence(truth: IntArray, scores: IntArray, classes: int) -> FloatArray:
    """The influence of each row, shape (n,)."""
    rows = -np.log(_halves(truth, scores, classes) / (2 * MILLION))
    return np.asarray(rows - rows.mean(), dtype=np.float64)


def brier_score(truth: IntArray, scores: IntArray | None, names: Sequence[Any]) -> Value:
    """The mean squared distance of scores from what happened; see the module for its two forms."""
    if scores is None:
        return Undefined("the model gives no probabilities")
    if not truth.size:
        return Undefined("there are no rows")
    rows = _squares(truth, scores, len(names))
    # A sum of 64 bits holds some four million rows of two classes, and there may be more.
    step = max(2**22 // len(names), 1)
    total = sum(int(rows[i : i + step].sum()) for i in range(0, rows.size, step))
    return Fraction(total, MILLION**2 * truth.size)


def brier_influence(truth: IntArray, scores: IntArray, classes: int) -> FloatArray:
    """The influence of each row, shape (n,)."""
    rows = _squares(truth, scores, classes) / MILLION**2
    return np.asarray(rows - rows.mean(), dtype=np.float64)


def _halves(truth: IntArray, scores: IntArray, classes: int) -> IntArray:
    """The score of each row's own class in halves of a millionth, clipped."""
    if classes == 2:
        own = np.where(truth == 1, scores[:, -1], MILLION - scores[:, -1])
    else:
        check_columns(scores, classes)
        own = scores[np.arange(truth.size), truth]
    return np.clip(2 * own.astype(np.int64), LOWEST, HIGHEST)


def _squares(truth: IntArray, scores: IntArray, classes: int) -> IntArray:
    """Each row's loss in 1e-12, as integers."""
    scores = scores.astype(np.int64)
    if classes == 2:
        return np.asarray(np.square(scores[:, -1] - MILLION * (truth == 1)), dtype=np.int64)
    check_columns(scores, classes)
    own = scores[np.arange(truth.size), truth]
    return np.asarray(np.square(scores).sum(axis=1) - 2 * MILLION * own + MILLION**2)
