"""The names of metrics that a task may use, and what it may use them for.

What a metric is stands in scoring's registry, which a test holds equal to these names; a task must
be readable without it.
"""

import typing
from typing import Literal

MetricName = Literal[
    "accuracy",
    "precision",
    "recall",
    "f1_score",
    "auroc",
    "log_loss",
    "brier_score",
    "balanced_accuracy",
    "matthews_correlation",
    "average_precision",
]
METRIC_NAMES: tuple[MetricName, ...] = typing.get_args(MetricName)

# Where the task is silent these are included, whatever else there is: the digests of tasks that
# do not name their metrics must not change.
DEFAULT_METRICS: tuple[MetricName, ...] = ("accuracy", "precision", "recall", "f1_score", "auroc")

# The others' normal approximation was measured to err too often at small levels, or never
# measured there.
MAY_BE_PRIMARY: tuple[MetricName, ...] = ("accuracy", "recall", "auroc")
_MEASURED_TO_ERR = ("precision", "f1_score")


def primary_problem(name: str) -> str | None:
    """Why a metric may not be primary, as a sentence, or None."""
    if name in MAY_BE_PRIMARY:
        return None
    why = (
        "its test errs too often at the levels in force"
        if name in _MEASURED_TO_ERR
        else "its test has not been simulated at the levels in force"
    )
    return f"metrics.primary cannot be {name}: {why}; include it beside accuracy, recall or auroc"
