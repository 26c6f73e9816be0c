"""What each row contributes to a metric: empirical influence functions.

For a metric T of n rows, its influence I has shape (n,) and mean 0, and is such that the metric's
error is, to first order, the mean of I over the sampled rows (Hampel, 1974; for ratios of means
this is the delta method). Hence one subtraction gives the variance of a paired difference, one
weighted sum that of DeltaOne, and sums over groups that of clustered rows; no resampling.

auroc's rows are DeLong's placement values (DeLong, DeLong and Clarke-Pearson, 1988), found by
sorting in O(n log n) with ties as half, and scaled so that the sum of squares over n squared is
his unbiased variance, with m - 1 in the denominator, and not the plug-in one.
"""

import numpy as np
import numpy.typing as npt

from hokusai_assets.scoring.metrics import IntArray, places_among

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def counted_influence(metric: str, truth: IntArray, labels: IntArray, classes: int) -> FloatArray:
    """Of accuracy, precision, recall or f1_score, shape (n,), from class indices (n,)."""
    if metric == "accuracy":
        return _centred((truth == labels).astype(np.float64))
    of_class = {"precision": _precision, "recall": _recall, "f1_score": _f1_score}[metric]
    parts = [of_class(truth == c, labels == c) for c in ([1] if classes == 2 else range(classes))]
    return np.asarray(np.mean(parts, axis=0), dtype=np.float64)


def auroc_influence(truth: IntArray, scores: IntArray, classes: int) -> FloatArray:
    """Of auroc, shape (n,), from scores in millionths (n, k); NaN for a class's only row."""
    if classes == 2:
        return _auroc(truth == 1, scores[:, -1])
    parts = [_auroc(truth == c, scores[:, c]) for c in range(classes)]
    return np.asarray(np.mean(parts, axis=0), dtype=np.float64)


def recall_influence(truth: IntArray, labels: IntArray, index: int) -> FloatArray:
    """The influence of each row on one class's recall, shape (n,); the class must have rows."""
    return _recall(truth == index, labels == index)


def _centred(values: FloatArray) -> FloatArray:
    return np.asarray(values - values.mean(), dtype=np.float64)


def _recall(actual: BoolArray, predicted: BoolArray) -> FloatArray:
    return _ratio(actual & predicted, actual.astype(np.float64))


def _precision(actual: BoolArray, predicted: BoolArray) -> FloatArray:
    return _ratio(actual & predicted, predicted.astype(np.float64))


def _f1_score(actual: BoolArray, predicted: BoolArray) -> FloatArray:
    halves = (actual.astype(np.float64) + predicted) / 2
    return _ratio(actual & predicted, halves)


def _ratio(numerator: BoolArray, denominator: FloatArray) -> FloatArray:
    # Of sum(a) / sum(b): (a - ratio * b) / mean(b).
    ratio = numerator.sum() / denominator.sum()
    return np.asarray((numerator - ratio * denominator) / denominator.mean(), dtype=np.float64)


def _auroc(actual: BoolArray, scores: IntArray) -> FloatArray:
    inside, outside = scores[actual], scores[~actual]
    rows = np.empty(scores.size, dtype=np.float64)
    rows[actual] = _placements(inside, outside)
    rows[~actual] = 1.0 - _placements(outside, inside)
    for mask in (actual, ~actual):
        size = int(mask.sum())
        if size < 2:
            rows[mask] = np.nan
            continue
        rows[mask] = _centred(rows[mask]) * (scores.size / size) * np.sqrt(size / (size - 1))
    return rows


def _placements(scores: IntArray, others: IntArray) -> FloatArray:
    """For each score the share of `others` below it, ties as half."""
    below, up_to = places_among(scores, others)
    return np.asarray((below + up_to) / (2 * others.size), dtype=np.float64)
