"""Metrics as exact rationals, from integer tables and from scores in millionths.

The metrics here are ratios of counts (auroc too: its numerator counts pairs, a tie as half), so
they are computed as Fractions and rounded once, at the end. Two machines then cannot disagree
about them, and half to even means exactly that. What scikit-learn warns about and calls 0 is
`Undefined` here, with the reason. Which metrics there are, these and others, says registry.

Class indices follow the task's labels; with two classes, index 1 is the positive one and
precision, recall and f1_score are its own; with more they are unweighted means over the classes,
and auroc is the unweighted mean of one class against the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

MILLION = 1_000_000
_SORTED_UP_TO = 1 << 15  # scores, past which counting a million values is quicker


@dataclass(frozen=True)
class Undefined:
    """What stands where a number cannot be computed; `reason` is half a sentence."""

    reason: str


Value = Fraction | Undefined


@dataclass(frozen=True, eq=False)
class Predictions:
    """One model's predictions on n benchmark rows, once a training seed.

    `labels`: class indices, or millionths of a number target's scale, shape (seeds, n). `scores`:
    millionths, shape (seeds, n, k), or None for a model without probabilities; k is the number of
    classes, or 1 (the positive class) where there are two.
    """

    labels: IntArray
    scores: IntArray | None

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or not np.issubdtype(self.labels.dtype, np.integer):
            raise ValueError("labels must be integers of shape (seeds, rows)")
        if self.scores is None:
            return
        if self.scores.ndim != 3 or self.scores.shape[:2] != self.labels.shape:
            raise ValueError("scores must have the shape (seeds, rows, columns) of the labels")
        if not np.issubdtype(self.scores.dtype, np.integer):
            raise ValueError("scores must be integers in millionths: round before comparing")

    @property
    def seeds(self) -> int:
        """How many trainings are behind these predictions."""
        return int(self.labels.shape[0])

    def of_seed(self, seed: int) -> tuple[IntArray, IntArray | None]:
        """Labels (n,) and scores (n, k) of one training; one training stands for every seed."""
        index = 0 if self.seeds == 1 else seed
        return self.labels[index], None if self.scores is None else self.scores[index]


def confusion(truth: IntArray, predicted: IntArray, classes: int) -> IntArray:
    """Counts of label x prediction, shape (classes, classes)."""
    flat = np.bincount(truth * classes + predicted, minlength=classes**2)
    return flat.reshape(classes, classes).astype(np.int64)


def joint_table(truth: IntArray, baseline: IntArray, candidate: IntArray, classes: int) -> IntArray:
    """Counts of label x baseline's prediction x candidate's, shape (classes,) * 3.

    Summed over the last axis it is the baseline's confusion matrix, over the middle one the
    candidate's.
    """
    index = (truth * classes + baseline) * classes + candidate
    flat = np.bincount(index, minlength=classes**3)
    return flat.reshape(classes, classes, classes).astype(np.int64)


def metric_value(metric: str, table: IntArray, names: Sequence[Any]) -> Value:
    """accuracy, precision, recall or f1_score from a confusion matrix (label x prediction).

    `names` are the classes as people know them, for the reason where the value is undefined.
    """
    if metric == "accuracy":
        rows = int(table.sum())
        return Fraction(int(np.trace(table)), rows) if rows else Undefined("there are no rows")
    of_class = {"precision": _precision, "recall": class_recall, "f1_score": _f1_score}[metric]
    if len(names) == 2:
        return of_class(table, 1, names)
    return mean_of([of_class(table, c, names) for c in range(len(names))])


def class_value(metric: str, table: IntArray, index: int, names: Sequence[Any]) -> Value:
    """precision, recall or f1_score of one class."""
    return {"precision": _precision, "recall": class_recall, "f1_score": _f1_score}[metric](
        table, index, names
    )


def class_recall(table: IntArray, index: int, names: Sequence[Any]) -> Value:
    """The share of one class's rows that the model gives that class."""
    actual = int(table[index].sum())
    if not actual:
        return Undefined(f"no benchmark row is of class {names[index]!r}")
    return Fraction(int(table[index, index]), actual)


def _precision(table: IntArray, index: int, names: Sequence[Any]) -> Value:
    predicted = int(table[:, index].sum())
    if not predicted:
        return Undefined(f"the model predicts class {names[index]!r} for no row")
    return Fraction(int(table[index, index]), predicted)


def _f1_score(table: IntArray, index: int, names: Sequence[Any]) -> Value:
    both = int(table[index].sum() + table[:, index].sum())
    if not both:
        return Undefined(f"class {names[index]!r} is neither in the benchmark nor predicted")
    return Fraction(2 * int(table[index, index]), both)


def auroc(truth: IntArray, scores: IntArray | None, names: Sequence[Any]) -> Value:
    """The chance that a row of the class scores above a row of the others, a tie as half."""
    if scores is None:
        return Undefined("the model gives no probabilities")
    if len(names) == 2:
        return _one_against_rest(truth == 1, scores[:, -1], names[1])
    check_columns(scores, len(names))
    return mean_of(
        [_one_against_rest(truth == c, scores[:, c], names[c]) for c in range(len(names))]
    )


def check_columns(scores: IntArray, classes: int) -> None:
    """Raise ValueError unless `scores` has one column a class."""
    if scores.shape[1] != classes:
        raise ValueError("scores need one column a class")


def places_among(scores: IntArray, others: IntArray) -> tuple[IntArray, IntArray]:
    """Of each score, how many of `others` lie below it, and how many not above it.

    Scores are millionths, so many of them are counted rather than sorted: in time that grows with
    their number alone, and without a search for each.
    """
    if others.size > _SORTED_UP_TO and _within_range(scores) and _within_range(others):
        counts = np.bincount(others, minlength=MILLION + 1)
        up_to = np.cumsum(counts)[scores]
        return up_to - counts[scores], up_to
    ordered = np.sort(others)
    return (
        np.searchsorted(ordered, scores, side="left"),
        np.searchsorted(ordered, scores, side="right"),
    )


def _within_range(scores: IntArray) -> bool:
    return scores.size > 0 and int(scores.min()) >= 0 and int(scores.max()) <= MILLION


def _one_against_rest(positive: npt.NDArray[np.bool_], scores: IntArray, name: Any) -> Value:
    inside, outside = scores[positive], scores[~positive]
    if not inside.size:
        return Undefined(f"no benchmark row is of class {name!r}")
    if not outside.size:
        return Undefined(f"every benchmark row is of class {name!r}")
    below, up_to = places_among(inside, outside)
    return Fraction(int((below + up_to).sum()), 2 * inside.size * outside.size)


def seed_mean(values: Sequence[Value]) -> Value:
    """The mean over seeds; undefined as soon as one seed's value is."""
    for number, value in enumerate(values, 1):
        if isinstance(value, Undefined) and len(values) > 1:
            return Undefined(f"{value.reason} (seed {number} of {len(values)})")
    return mean_of(values)


def millionths(value: Fraction) -> int:
    """A value in millionths, rounded once, half to even."""
    return round(value * MILLION)  # round() of a Fraction is exact, and half to even


def mean_of(parts: Sequence[Value]) -> Value:
    """The unweighted mean; undefined, with every reason, as soon as one part is."""
    # A macro mean that skipped the undefined class would reward a model for never predicting it.
    missing = [part.reason for part in parts if isinstance(part, Undefined)]
    if missing:
        return Undefined("; ".join(missing))
    numbers = [part for part in parts if isinstance(part, Fraction)]
    return sum(numbers, Fraction(0)) / len(numbers)
