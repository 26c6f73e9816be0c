"""One metric of both models: exact values a seed, and each row's influence on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hokusai_assets import scoring
from hokusai_assets.evaluation.benchmarking import values_of
from hokusai_assets.evaluation.own_metrics import bootstrap_spread
from hokusai_assets.evaluation.predictions import ScoredRows
from hokusai_assets.evaluation.uncertainty import influences
from hokusai_assets.scoring import Spread, Undefined
from hokusai_assets.task import DEFAULT_SEED, Label, MetricName, Task, is_own


@dataclass(frozen=True, eq=False)
class Compared:
    """One metric of both models: exact values per seed, influences, and the difference."""

    metric: MetricName
    before: list[scoring.Value]
    after: list[scoring.Value]
    influence_before: Any
    influence_after: Any
    # of a metric of the task's own, which has no influences
    bootstrapped: Spread | Undefined | None = None

    @property
    def undefined(self) -> str | None:
        """Why it cannot be compared, or None."""
        reasons = []
        for name, values in (("baseline", self.before), ("candidate", self.after)):
            mean = scoring.seed_mean(values)
            if isinstance(mean, Undefined):
                reasons.append(f"{name}: {mean.reason}")
        return "; ".join(reasons) or None

    @property
    def delta(self) -> Fraction:
        """Candidate less baseline, seed means."""
        return number(scoring.seed_mean(self.after)) - number(scoring.seed_mean(self.before))


def compare_metric(
    metric: MetricName, rows: ScoredRows, names: Sequence[Label], task: Task
) -> Compared:
    """Values and influences of one metric; of one that is undefined, values alone."""
    before = values_of(metric, rows.truth, rows.baseline, names)
    after = values_of(metric, rows.truth, rows.candidate, names)
    if any(isinstance(value, Undefined) for value in (*before, *after)):
        return Compared(metric, before, after, None, None)
    if is_own(metric):
        seed = DEFAULT_SEED if task.seed is None else task.seed
        return Compared(metric, before, after, None, None, bootstrap_spread(metric, rows, seed))
    return Compared(
        metric,
        before,
        after,
        influences(metric, rows.truth, rows.baseline, len(names)),
        influences(metric, rows.truth, rows.candidate, len(names)),
    )


def error_nano(spread: Spread | Undefined) -> int | None:
    """The standard error in 1e-9, or None."""
    return None if isinstance(spread, Undefined) else scoring.nano(spread.standard_error)


def number(value: scoring.Value) -> Fraction:
    """A value that is known to be defined."""
    if isinstance(value, Undefined):
        raise ValueError(f"an undefined value was used as a number: {value.reason}")
    return value
