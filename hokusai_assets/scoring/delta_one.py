"""DeltaOne: the weighted mean of the metrics' improvements, and its error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hokusai_assets import decision_rule, scoring
from hokusai_assets.records import DeltaOne
from hokusai_assets.scoring import Spread, Undefined
from hokusai_assets.scoring.comparing import Compared, error_nano, number
from hokusai_assets.scoring.reported import DeltaIntervals
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.scoring.uncertainty import spread_of
from hokusai_assets.task import MetricName

METHOD = "weighted_average_delta"


@dataclass(eq=False)
class Average:
    """Which metrics DeltaOne averages, with what weights, and the rows' influences on it so far.

    `add` is called once a metric of the registry that is in `signed`, in the rule's order, which a
    recount knows: sums of floats depend on it.
    """

    weights: dict[MetricName, Fraction]
    signed: dict[MetricName, Fraction]  # negative where lower is better
    before: Any = None
    after: Any = None

    def add(self, metric: MetricName, before: Any, after: Any) -> None:
        """Add one metric's influences by model, shapes (seeds, n)."""
        weight = float(self.signed[metric])
        first = self.before is None
        self.before = weight * before if first else self.before + weight * before
        self.after = weight * after if first else self.after + weight * after


def average_of(compared: Sequence[Compared], rule: Mapping[str, Any]) -> Average:
    """The average of the metrics that both models have, weights renormalised."""
    present = [part.metric for part in compared if part.undefined is None]
    total = sum(int(rule["weights"][name]) for name in present)
    if not total:
        return Average({}, {})
    weights = {name: Fraction(int(rule["weights"][name]), total) for name in present}
    signed = {name: decision_rule.direction(rule, name) * w for name, w in weights.items()}
    return Average(weights, signed)


def delta_one_of(
    compared: Sequence[Compared],
    average: Average,
    rows: ScoredRows,
    intervals: DeltaIntervals | None,
) -> DeltaOne:
    """DeltaOne of the metrics that both models have; `average` holds all their influences."""
    missing = {part.metric: part.undefined for part in compared if part.undefined is not None}
    present = [part for part in compared if part.undefined is None]
    weights, signed = average.weights, average.signed
    if not weights:
        return DeltaOne(
            value=None,
            millionths=None,
            standard_error_nano=None,
            p_value_pico=None,
            weights_millionths={},
            metrics_included=(),
            metrics_missing=missing,
            computation_method=METHOD,
            undefined="no included metric with a weight is defined for both models",
        )
    value = sum((signed[part.metric] * part.delta for part in present), Fraction(0))
    # Of one's own metrics no influence is known, so they are added as though correlated.
    spread = widened(
        _spread([c for c in present if c.bootstrapped is None], average, rows),
        [(float(signed[c.metric]), c.bootstrapped) for c in present if c.bootstrapped is not None],
    )
    p_value = scoring.improvement_p(value, spread)
    return DeltaOne(
        value=float(value),
        millionths=scoring.millionths(value),
        standard_error_nano=error_nano(spread),
        degrees_of_freedom_milli=_degrees_milli(spread),
        p_value_pico=None if isinstance(p_value, Undefined) else scoring.pico(p_value),
        weights_millionths={name: scoring.millionths(w) for name, w in weights.items()},
        metrics_included=tuple(part.metric for part in present),
        metrics_missing=missing,
        computation_method=METHOD
        if not missing
        else f"{METHOD} of the metrics that both models have, weights renormalised",
        interval=intervals and intervals.of_delta_one(weights, value, spread),
        undefined=p_value.reason if isinstance(p_value, Undefined) else None,
    )


def _degrees_milli(spread: Spread | Undefined) -> int | None:
    """Of t in 1e-3, rounded down: a bound from them is never better than it is; None is normal."""
    if isinstance(spread, Undefined) or spread.degrees_of_freedom is None:
        return None
    return math.floor(spread.degrees_of_freedom * 1000)


def widened(spread: Spread | Undefined, others: Sequence[tuple[float, Any]]) -> Spread | Undefined:
    """`spread` with weighted metrics of one's own, as though all were perfectly correlated.

    `others` are pairs of weight and spread. No sum of correlated numbers varies more than that.
    """
    for weight, other in others:
        if isinstance(spread, Undefined):
            return spread
        if isinstance(other, Undefined):
            return other
        known = [s.degrees_of_freedom for s in (spread, other) if s.degrees_of_freedom is not None]
        spread = Spread(
            spread.standard_error + abs(weight) * other.standard_error, min(known, default=None)
        )
    return spread


def _spread(present: Sequence[Compared], average: Average, rows: ScoredRows) -> Spread | Undefined:
    if not present:
        return Spread(0.0, None)

    def per_seed(values: Sequence[Sequence[scoring.Value]]) -> list[Fraction]:
        return [
            sum(
                (average.signed[c.metric] * number(v) for c, v in zip(present, seed, strict=True)),
                Fraction(0),
            )
            for seed in zip(*values, strict=True)
        ]

    return spread_of(
        average.before,
        average.after,
        per_seed([part.before for part in present]),
        per_seed([part.after for part in present]),
        rows.clusters,
    )
