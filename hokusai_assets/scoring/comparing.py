"""One metric of both models: exact values a seed, and each row's influence on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hokusai_assets import scoring
from hokusai_assets.records import MetricValue
from hokusai_assets.scoring import Spread, Undefined
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.scoring.uncertainty import influences
from hokusai_assets.task import Label, MetricName


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


def compare_metric(metric: MetricName, rows: ScoredRows, names: Sequence[Label]) -> Compared:
    """Values and influences of one metric of the registry; of an undefined one, values alone."""
    before = scoring.score_metric(metric, rows.truth, rows.baseline, names)
    after = scoring.score_metric(metric, rows.truth, rows.candidate, names)
    if any(isinstance(value, Undefined) for value in (*before, *after)):
        return Compared(metric, before, after, None, None)
    return Compared(
        metric,
        before,
        after,
        influences(metric, rows.truth, rows.baseline, len(names)),
        influences(metric, rows.truth, rows.candidate, len(names)),
    )


def value_record(metric: MetricName, value: scoring.Value) -> MetricValue:
    """A metric's exact value as a record."""
    if isinstance(value, Undefined):
        return MetricValue(metric=metric, value=None, millionths=None, undefined=value.reason)
    return MetricValue(metric=metric, value=float(value), millionths=scoring.millionths(value))


def error_nano(spread: Spread | Undefined) -> int | None:
    """The standard error in 1e-9, or None."""
    return None if isinstance(spread, Undefined) else scoring.nano(spread.standard_error)


def number(value: scoring.Value) -> Fraction:
    """A value that is known to be defined."""
    if isinstance(value, Undefined):
        raise ValueError(f"an undefined value was used as a number: {value.reason}")
    return value
