"""The names of metrics that a task may use, and what it may use them for.

What a metric is stands in scoring's registry, which a test holds equal to these names; a task must
be readable without it.
"""

import difflib
import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from hokusai_assets.task.kinds import TaskKind

CLASSIFICATION_METRICS: tuple[str, ...] = (
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
)
REGRESSION_METRICS: tuple[str, ...] = ("mae", "rmse", "r2")
METRIC_NAMES = CLASSIFICATION_METRICS + REGRESSION_METRICS

_NAME = r"[A-Za-z_]\w*"
_OWN = rf"^{_NAME}(\.{_NAME})*:{_NAME}$"


def is_own(name: str) -> bool:
    """Whether a metric is one of the task's own, "module:function"."""
    return ":" in name


def _known_or_own(name: str) -> str:
    if name in METRIC_NAMES or re.fullmatch(_OWN, name, re.ASCII):
        return name
    near = difflib.get_close_matches(name, METRIC_NAMES, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(METRIC_NAMES)}"
    raise ValueError(f'{name!r} is no metric; {hint}; one of your own is named "module:function"')


MetricName = Annotated[
    str,
    AfterValidator(_known_or_own),
    WithJsonSchema({"anyOf": [{"enum": list(METRIC_NAMES)}, {"type": "string", "pattern": _OWN}]}),
]

# Where the task is silent these are included, whatever else there is: the digests of tasks that
# do not name their metrics must not change.
DEFAULT_METRICS: tuple[str, ...] = ("accuracy", "precision", "recall", "f1_score", "auroc")

# Of classifications: their test is exact. The others' normal approximation was measured to err too
# often at small levels, or never measured there.
MAY_BE_PRIMARY: tuple[str, ...] = ("accuracy", "recall")
# The worst found, as a multiple of the level 3e-5; the rule allows 1.1.
_MEASURED_TO_ERR = {
    "precision": "up to 23 times",
    "f1_score": "up to 23 times",
    "balanced_accuracy": "up to 102 times",
    "auroc": "up to 88 times",
}


def metrics_of(kind: TaskKind) -> tuple[str, ...]:
    """The names that a task of this kind may use, its own metrics aside."""
    return REGRESSION_METRICS if kind == "regression" else CLASSIFICATION_METRICS


def primary_problem(name: str, classes: int) -> str | None:
    """Why a metric may not be primary with so many classes, as a sentence, or None.

    Of a regression, which has none, every metric of the program may be, and none of one's own.
    """
    if not classes:
        if name in REGRESSION_METRICS:
            return None
        beside = ", ".join(REGRESSION_METRICS)
        return (
            f"metrics.primary cannot be {name}: its test has not been simulated at the levels in "
            f"force; include it beside one of {beside}"
        )
    if name == "recall" and classes > 2:
        # Then it is balanced accuracy by another name; with two, it is one class's and exact.
        return (
            "metrics.primary cannot be recall with more than two labels: its test errs too often "
            "at the levels in force; include it beside accuracy"
        )
    if name in MAY_BE_PRIMARY:
        return None
    measured = _MEASURED_TO_ERR.get(name)
    why = (
        f"its test errs too often at the levels in force, {measured} as often as a level of 3e-5 "
        "allows (docs/statistics.md)"
        if measured
        else "its test has not been simulated at the levels in force"
    )
    beside = "accuracy or recall" if classes == 2 else "accuracy"
    return f"metrics.primary cannot be {name}: {why}; include it beside {beside}"
