"""What training seeds do to the numbers: the null run, and the delta of the model released.

The null run is baseline against baseline, other seeds: a difference between two trainings on the
same rows is noise, and a gain that is no larger than that is none. Baselines are trained once a
seed anyway, so nothing more is trained for it. For people: it stands in delta_output and report,
and in no digest, since the core's joint counts of each pair of seeds say it already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from hokusai_assets import decision_rule
from hokusai_assets.records import NullRun, ReleasedModel, SeedNoise
from hokusai_assets.scoring import Undefined, Value
from hokusai_assets.scoring.comparing import Compared, number
from hokusai_assets.task import MetricName, Task

DELTA_ONE = "delta_one"
_BPS = 10_000


def null_run(task: Task, compared: Sequence[Compared], rule: Mapping[str, Any]) -> NullRun:
    """How far metrics and DeltaOne move between trainings that differ in their seed alone.

    Of a stored baseline, which is one model, the candidate's trainings are compared instead.
    """
    baseline = max((len(part.before) for part in compared), default=0)
    candidate = max((len(part.after) for part in compared), default=0)
    if baseline == candidate == 1:
        if task.model.seeds is None:
            return NullRun(
                model=None,
                seeds=1,
                noise={},
                reason="The estimator has no seed: trained again it is the same model, and the "
                "noise between trainings is 0 by construction.",
            )
        return NullRun(
            model=None,
            seeds=1,
            noise={},
            reason="The task asks for one training, so noise between seeds was not looked at; it "
            "is 0 by construction where the estimator has no seed.",
        )
    by_candidate = baseline == 1
    values = {
        part.metric: part.after if by_candidate else part.before
        for part in compared
        if part.undefined is None
    }
    noise = {name: _noise([number(v) for v in told]) for name, told in values.items()}
    one = _delta_one_parts(compared, rule)
    if one:
        noise[DELTA_ONE] = _noise(
            [
                sum((one[name] * number(values[name][seed]) for name in one), Fraction(0))
                for seed in range(candidate if by_candidate else baseline)
            ]
        )
    return NullRun(
        model="candidate" if by_candidate else "baseline",
        seeds=candidate if by_candidate else baseline,
        noise=noise,
    )


def released_model(compared: Sequence[Compared], rule: Mapping[str, Any]) -> ReleasedModel | None:
    """The first seed's own deltas, whose model is released; None where there is one seed."""
    if max((len(part.after) for part in compared), default=0) < 2:
        return None
    deltas: dict[MetricName, Fraction] = {}
    for part in compared:
        before, after = _first(part.before), _first(part.after)
        if before is not None and after is not None:
            deltas[part.metric] = after - before
    one = _delta_one_parts(compared, rule)
    return ReleasedModel(
        deltas={name: float(delta) for name, delta in deltas.items()},
        delta_one=float(sum((one[name] * deltas[name] for name in one), Fraction(0)))
        if one
        else None,
    )


def _noise(values: Sequence[Fraction]) -> SeedNoise:
    """Of the differences of two trainings drawn at random, from one value a seed."""
    count = len(values)
    mean = sum(values, Fraction(0)) / count
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / (count - 1)
    deviation = math.sqrt(2 * variance)
    return SeedNoise(
        largest_bps=float((max(values) - min(values)) * _BPS),
        deviation_bps=deviation * _BPS,
        deviation_of_means_bps=deviation / math.sqrt(count) * _BPS,
    )


def _delta_one_parts(
    compared: Sequence[Compared], rule: Mapping[str, Any]
) -> dict[MetricName, Fraction]:
    """DeltaOne's signed weights, over the metrics that both models have."""
    given = {c.metric: int(rule["weights"][c.metric]) for c in compared if c.undefined is None}
    total = sum(given.values())
    if not total:
        return {}
    return {
        name: decision_rule.direction(rule, name) * Fraction(weight, total)
        for name, weight in given.items()
        if weight
    }


def _first(values: Sequence[Value]) -> Fraction | None:
    return None if isinstance(values[0], Undefined) else number(values[0])
