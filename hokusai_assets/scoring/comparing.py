"""One metric of both models: exact values a seed, and each row's influence on them.

Influences take 8 bytes a row, model and seed, so they are computed when asked for and not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hokusai_assets import scoring
from hokusai_assets.records import MetricValue
from hokusai_assets.scoring import Spread, Undefined
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.scoring.uncertainty import influences, spread_of
from hokusai_assets.task import Label, MetricName


@dataclass(frozen=True, eq=False)
class Compared:
    """One metric of both models: exact values per seed, and the difference."""

    metric: MetricName
    before: list[scoring.Value]
    after: list[scoring.Value]
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
    """Values of one metric of the registry."""
    return Compared(
        metric,
        scoring.score_metric(metric, rows.truth, rows.baseline, names),
        scoring.score_metric(metric, rows.truth, rows.candidate, names),
    )


def influences_of(metric: MetricName, rows: ScoredRows, names: Sequence[Label]) -> tuple[Any, Any]:
    """Each row's influence on a defined metric of the registry, by model: shapes (seeds, n)."""
    return (
        influences(metric, rows.truth, rows.baseline, len(names)),
        influences(metric, rows.truth, rows.candidate, len(names)),
    )


def spread_between(part: Compared, by_model: tuple[Any, Any], clusters: Any) -> Spread | Undefined:
    """The error of a defined metric's delta, from what influences_of says of it."""
    before, after = ([number(value) for value in values] for values in (part.before, part.after))
    return spread_of(*by_model, before, after, clusters)


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
