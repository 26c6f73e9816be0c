"""Every metric of this program as one record: its direction, what it needs, value and influence.

Whoever asks about a metric by name asks here; nothing else lists metrics but the task's names,
which a test holds equal. The formulas stand beside this module: counts and auroc in metrics and
influence, the whole confusion matrix in agreement, probabilities in losses, average_precision,
predicted numbers in number_errors.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hokusai_assets.scoring import agreement, average_precision, losses, metrics, number_errors
from hokusai_assets.scoring.influence import FloatArray, auroc_influence, counted_influence
from hokusai_assets.scoring.metrics import IntArray, Predictions, Value
from hokusai_assets.task import TaskKind

# truth (n,), labels (n,), scores in millionths (n, k) or None, and the classes' names in order
ValueFunction = Callable[[IntArray, IntArray, IntArray | None, Sequence[Any]], Value]
# the same, but the number of classes
InfluenceFunction = Callable[[IntArray, IntArray, IntArray | None, int], FloatArray]


@dataclass(frozen=True)
class Metric:
    """One metric.

    `value` of one model is exact up to one stated step, or Undefined with a reason. `influence` is
    each row's on a defined value, shape (n,), mean 0: its variance over n is the metric's.
    `lowest` and `highest` are the ends of its range. Of a `kind` regression truth and labels are
    millionths of the target's scale, and there are neither scores nor classes.
    """

    name: str
    higher_is_better: bool
    needs: Literal["labels", "scores"]
    value: ValueFunction
    influence: InfluenceFunction
    lowest: float = 0.0
    highest: float = 1.0
    kind: TaskKind = "classification"


def _counted(name: str) -> Metric:
    return _of_table(
        name,
        lambda table, names: metrics.metric_value(name, table, names),
        lambda truth, labels, classes: counted_influence(name, truth, labels, classes),
    )


def _of_table(
    name: str,
    value: Callable[[IntArray, Sequence[Any]], Value],
    rows: Callable[[IntArray, IntArray, int], FloatArray],
    lowest: float = 0.0,
) -> Metric:
    def of_rows(truth: IntArray, labels: IntArray, _: Any, names: Sequence[Any]) -> Value:
        return value(metrics.confusion(truth, labels, len(names)), names)

    return Metric(
        name,
        higher_is_better=True,
        needs="labels",
        value=of_rows,
        influence=lambda truth, labels, _, classes: rows(truth, labels, classes),
        lowest=lowest,
    )


def _of_scores(
    name: str,
    value: Callable[[IntArray, IntArray | None, Sequence[Any]], Value],
    rows: Callable[[IntArray, IntArray, int], FloatArray],
    *,
    higher_is_better: bool = True,
    highest: float = 1.0,
) -> Metric:
    def influences(truth: IntArray, _: Any, scores: IntArray | None, classes: int) -> FloatArray:
        if scores is None:
            raise ValueError(f"{name} needs scores")
        return rows(truth, scores, classes)

    return Metric(
        name,
        higher_is_better=higher_is_better,
        needs="scores",
        value=lambda truth, _, scores, names: value(truth, scores, names),
        influence=influences,
        highest=highest,
    )


def _of_numbers(
    name: str,
    value: Callable[[IntArray, IntArray], Value],
    rows: Callable[[IntArray, IntArray], FloatArray],
    *,
    higher_is_better: bool = False,
    lowest: float = 0.0,
) -> Metric:
    return Metric(
        name,
        higher_is_better=higher_is_better,
        needs="labels",
        value=lambda truth, labels, _scores, _names: value(truth, labels),
        influence=lambda truth, labels, _scores, _classes: rows(truth, labels),
        lowest=lowest,
        kind="regression",
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _counted("accuracy"),
        _counted("precision"),
        _counted("recall"),
        _counted("f1_score"),
        _of_scores("auroc", metrics.auroc, auroc_influence),
        _of_scores(
            "log_loss",
            losses.log_loss,
            losses.log_loss_influence,
            higher_is_better=False,
            highest=losses.LARGEST_LOG_LOSS,
        ),
        _of_scores(
            "brier_score",
            losses.brier_score,
            losses.brier_influence,
            higher_is_better=False,
            highest=2.0,
        ),
        _of_table(
            "balanced_accuracy",
            agreement.balanced_accuracy,
            agreement.balanced_accuracy_influence,
        ),
        _of_table(
            "matthews_correlation",
            agreement.matthews_correlation,
            agreement.matthews_influence,
            lowest=-1.0,
        ),
        _of_scores(
            "average_precision",
            average_precision.average_precision,
            average_precision.average_precision_influence,
        ),
        _of_numbers("mae", number_errors.mae, number_errors.mae_influence),
        _of_numbers("rmse", number_errors.rmse, number_errors.rmse_influence),
        _of_numbers(
            "r2",
            number_errors.r2,
            number_errors.r2_influence,
            higher_is_better=True,
            lowest=-math.inf,
        ),
    )
}


def score_metric(
    metric: str, truth: IntArray, predictions: Predictions, names: Sequence[Any]
) -> list[Value]:
    """One metric of one model, once a seed; `names` are the classes as people know them."""
    value = METRICS[metric].value
    return [value(truth, *predictions.of_seed(s), names) for s in range(predictions.seeds)]


def influence(
    metric: str, truth: IntArray, labels: IntArray, scores: IntArray | None, classes: int
) -> FloatArray:
    """The influence of each of n rows on a metric that is defined, shape (n,).

    `truth` and `labels` are class indices, `scores` millionths of shape (n, k). Rows of a class
    that has a single row are NaN for auroc and average_precision: their variance is unknown.
    """
    return METRICS[metric].influence(truth, labels, scores, classes)
