"""Metrics of the whole confusion matrix: balanced accuracy and the Matthews correlation.

Both as exact as they can be, with their influence functions. Precision, recall and f1_score, which
are of one class, stand in metrics.

Sources: Brodersen, Ong, Stephan and Buhmann (2010) for balanced accuracy; Matthews (1975), and for
more than two classes Gorodkin (2004), whose R_K is the same number where there are two.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from hokusai_assets.scoring.influence import FloatArray, recall_influence
from hokusai_assets.scoring.metrics import (
    IntArray,
    Undefined,
    Value,
    class_recall,
    confusion,
    mean_of,
)

_DIGITS = 10**30


def balanced_accuracy(table: IntArray, names: Sequence[Any]) -> Value:
    """The mean of all classes' recalls, from a confusion matrix (label x prediction).

    Undefined as soon as one class has no row: a mean of the others would be another metric.
    """
    return mean_of([class_recall(table, index, names) for index in range(len(names))])


def balanced_accuracy_influence(truth: IntArray, labels: IntArray, classes: int) -> FloatArray:
    """The influence of each row, shape (n,); every class must have rows."""
    parts = [recall_influence(truth, labels, index) for index in range(classes)]
    return np.asarray(np.mean(parts, axis=0), dtype=np.float64)


def matthews_correlation(table: IntArray, names: Sequence[Any]) -> Value:
    """Gorodkin's R_K in [-1, 1], from a confusion matrix (label x prediction).

    The square root is taken of integers and cut after 30 decimals, so that every machine has the
    same. Where all labels or all predictions are one class it is 0 / 0, which is undefined here;
    scikit-learn calls it 0.
    """
    rows = int(table.sum())
    if not rows:
        return Undefined("there are no rows")
    actual = [int(count) for count in table.sum(axis=1)]
    predicted = [int(count) for count in table.sum(axis=0)]
    if rows in actual:
        return Undefined(f"every benchmark row is of class {names[actual.index(rows)]!r}")
    if rows in predicted:
        name = names[predicted.index(rows)]
        return Undefined(f"the model predicts class {name!r} for every row")
    chance = sum(a * p for a, p in zip(actual, predicted, strict=True))
    covariance = int(np.trace(table)) * rows - chance
    variances = (rows**2 - sum(a * a for a in actual)) * (rows**2 - sum(p * p for p in predicted))
    size = math.isqrt(covariance**2 * _DIGITS**2 // variances)
    return Fraction(size if covariance >= 0 else -size, _DIGITS)


def matthews_influence(truth: IntArray, labels: IntArray, classes: int) -> FloatArray:
    """The influence of each row, shape (n,), by the delta method on the cells' shares."""
    shares = confusion(truth, labels, classes) / truth.size
    actual, predicted = shares.sum(axis=1), shares.sum(axis=0)
    of_actual, of_predicted = 1 - np.square(actual).sum(), 1 - np.square(predicted).sum()
    scale = np.sqrt(of_actual * of_predicted)
    value = (np.trace(shares) - actual @ predicted) / scale
    # What a cell (label a, prediction b) adds: to the covariance it gives 1 where a = b, and
    # takes predicted[a] + actual[b]; from each variance it takes twice the share it enlarges.
    change = np.eye(classes) - predicted[:, None] - actual[None, :]
    cells = change / scale + value * (actual[:, None] / of_actual + predicted / of_predicted)
    rows = cells[truth, labels]
    return np.asarray(rows - rows.mean(), dtype=np.float64)
