"""Deltas, DeltaOne and guards of one evaluation, from the predictions of both models.

The same code for the pipeline, which has them from the models, and for a recount from leaves.
Metrics of the task's own are handed in compared: what they are is evaluation's to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hokusai_assets import decision_rule, scoring
from hokusai_assets.decision_rule import GuardFacts
from hokusai_assets.records import DeltaOne, JointCount, MetricDelta
from hokusai_assets.scoring import Spread, Undefined
from hokusai_assets.scoring.betting import betting_p, gains
from hokusai_assets.scoring.comparing import (
    Compared,
    error_nano,
    influences_of,
    spread_between,
    value_record,
)
from hokusai_assets.scoring.delta_one import average_of, delta_one_of
from hokusai_assets.scoring.guards import measure_guard
from hokusai_assets.scoring.methods import (
    BETTING,
    CLUSTER_BETTING,
    MCNEMAR,
    SEED_MEAN_AND_BETTING,
    SEED_MEAN_AND_MCNEMAR,
    SEED_MEAN_CLUSTER_AND_BETTING,
)
from hokusai_assets.scoring.registry import METRICS
from hokusai_assets.scoring.reported import DeltaIntervals
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task import Label, is_own

# Tests of the first seed's models alone, and those that ask the t test too.
_EXACT = {MCNEMAR, BETTING, CLUSTER_BETTING}
_BOTH = {SEED_MEAN_AND_MCNEMAR, SEED_MEAN_AND_BETTING, SEED_MEAN_CLUSTER_AND_BETTING}


@dataclass(frozen=True)
class Measured:
    """What follows from predictions and the rule alone."""

    deltas: tuple[MetricDelta, ...]
    delta_one: DeltaOne
    guards: tuple[GuardFacts, ...]


def deltas_of(
    compared: Sequence[Compared],
    rows: ScoredRows,
    names: Sequence[Label],
    rule: Mapping[str, Any],
    intervals: DeltaIntervals | None,
) -> Measured:
    """Deltas, DeltaOne and guards; intervals only where they are shown.

    `compared` are the included metrics, in the order in which they are reported.
    """
    in_order = sorted(compared, key=lambda c: rule["included"].index(c.metric))
    averaged = [c for c in in_order if not is_own(c.metric) or rule["weights"][c.metric]]
    average = average_of(averaged, rule)
    deltas = {}
    for part in in_order:
        spread = part.bootstrapped
        if spread is None and part.undefined is None:
            by_model = influences_of(part.metric, rows, names)
            spread = spread_between(part, by_model, rows.clusters)
            if part.metric in average.signed:
                average.add(part.metric, *by_model)
            del by_model  # before the next metric's: they are most of the memory
        deltas[part.metric] = _delta(part, spread, rows, rule, intervals)
    return Measured(
        deltas=tuple(deltas[part.metric] for part in compared),
        delta_one=delta_one_of(averaged, average, rows, intervals),
        guards=tuple(
            measure_guard(guard, rows, names, decision_rule.direction(rule, guard["metric"]))
            for guard in rule["guards"]
        ),
    )


def joint_counts(rows: ScoredRows, classes: int) -> tuple[tuple[JointCount, ...], ...]:
    """Non-zero cells of label x baseline x candidate, one table a pair of seeds.

    Without classes, of predicted numbers, the tables are empty: they would be the rows again.
    """
    if not classes:
        return ((),) * rows.pairs()
    return tuple(_cells(rows, pair, classes) for pair in range(rows.pairs()))


def _cells(rows: ScoredRows, pair: int, classes: int) -> tuple[JointCount, ...]:
    base, _ = rows.baseline.of_seed(pair)
    cand, _ = rows.candidate.of_seed(pair)
    table = scoring.joint_table(rows.truth, base, cand, classes)
    return tuple(
        JointCount(label=int(a), baseline=int(b), candidate=int(c), count=int(table[a, b, c]))
        for a, b, c in np.argwhere(table)
    )


def _delta(
    part: Compared,
    spread: Spread | Undefined | None,
    rows: ScoredRows,
    rule: Mapping[str, Any],
    intervals: DeltaIntervals | None,
) -> MetricDelta:
    sign = decision_rule.direction(rule, part.metric)
    baseline = value_record(part.metric, scoring.seed_mean(part.before))
    candidate = value_record(part.metric, scoring.seed_mean(part.after))
    if part.undefined is not None or spread is None:
        return MetricDelta(
            metric=part.metric,
            baseline=baseline,
            candidate=candidate,
            delta=None,
            delta_millionths=None,
            standard_error_nano=None,
            p_value_pico=None,
            method=None,
            undefined=part.undefined,
            higher_is_better=sign > 0,
        )
    method = str(rule["tests"][part.metric])
    p_value: float | Undefined = 0.0
    if method not in _EXACT:
        p_value = scoring.improvement_p(sign * part.delta, spread)
    if method in _EXACT | _BOTH and not isinstance(p_value, Undefined):
        p_value = max(p_value, _exact_p(part.metric, rows))
    return MetricDelta(
        metric=part.metric,
        baseline=baseline,
        candidate=candidate,
        delta=float(part.delta),
        delta_millionths=scoring.millionths(part.delta),
        standard_error_nano=error_nano(spread),
        p_value_pico=None if isinstance(p_value, Undefined) else scoring.pico(p_value),
        method=method,
        interval=intervals and intervals.of_metric(part.metric, part.delta, spread),
        undefined=p_value.reason if isinstance(p_value, Undefined) else None,
        higher_is_better=sign > 0,
    )


def _exact_p(metric: str, rows: ScoredRows) -> float:
    """The p value of the first seed's models by the test that is exact for the metric."""
    if METRICS[metric].kind == "regression":
        before, after = rows.baseline.labels[0], rows.candidate.labels[0]
        return betting_p(gains(metric, rows.truth, before, after, rows.clusters))
    # Of recall, the rows that count are the positive class's.
    of_metric = rows.truth == 1 if metric == "recall" else rows.truth >= 0
    return scoring.mcnemar_p(*discordant(rows, of_metric))


def nearer_and_farther(rows: ScoredRows) -> tuple[int, int]:
    """Rows whose number the candidate, and the baseline, predicts more closely, of the first seed.

    The regression's like of `discordant`; on the other rows both are equally far off.
    """
    before = np.abs(rows.baseline.labels[0] - rows.truth)
    after = np.abs(rows.candidate.labels[0] - rows.truth)
    return int(np.count_nonzero(after < before)), int(np.count_nonzero(after > before))


def discordant(rows: ScoredRows, of_metric: Any) -> tuple[int, int]:
    """Rows that only the candidate, and that only the baseline has right, of the first seed."""
    right_before = rows.baseline.labels[0] == rows.truth
    right_after = rows.candidate.labels[0] == rows.truth
    fixed = int(np.count_nonzero(right_after & ~right_before & of_metric))
    broken = int(np.count_nonzero(right_before & ~right_after & of_metric))
    return fixed, broken
