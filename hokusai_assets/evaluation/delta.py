"""Candidate less baseline: deltas, DeltaOne and the rule's clauses, from stored predictions.

A delta is the difference of exact values, rounded once; of a loss its negative is the improvement,
which is what DeltaOne averages and what tests and bounds are about. What can be computed for one
model only is named and left out of DeltaOne; a decision that needs it fails closed. The verdict is
not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hokusai_assets import decision_rule, scoring
from hokusai_assets.errors import ModelError
from hokusai_assets.evaluation.benchmarking import value_record
from hokusai_assets.evaluation.comparing import Compared, compare_metric, error_nano, number
from hokusai_assets.evaluation.delta_one import delta_one_of
from hokusai_assets.evaluation.details import details_of
from hokusai_assets.evaluation.guards import measure_guard
from hokusai_assets.evaluation.intervals import Intervals
from hokusai_assets.evaluation.predictions import ScoredRows, read_predictions
from hokusai_assets.evaluation.slices import slice_deltas
from hokusai_assets.evaluation.uncertainty import spread_of
from hokusai_assets.records import (
    Attempt,
    BenchmarkMetrics,
    Clause,
    ContributorShare,
    DeltaOne,
    DeltaReport,
    MetricDelta,
)
from hokusai_assets.scoring import Undefined
from hokusai_assets.task import Label, Task, is_own


@dataclass(frozen=True)
class MeasuredDeltas:
    """What follows from predictions alone."""

    deltas: tuple[MetricDelta, ...]
    delta_one: DeltaOne
    facts: decision_rule.Facts


def compare(
    task: Task,
    metrics: BenchmarkMetrics,
    rule: Mapping[str, Any],
    *,
    leaked: int,
    distinct_rows: int,
    benchmark_rows_in_training: int,
    shares: tuple[ContributorShare, ...],
    attempt: Attempt,
) -> DeltaReport:
    """The delta report of one evaluation.

    `rule` is the plan's; `leaked` of `distinct_rows` contributed rows stood in the benchmark.
    `fixed_rows` and `broken_rows` are those of the first seed, whose model is the one released.
    Raises ModelError where the predictions are not those that `metrics` describes.
    """
    rows = read_predictions(metrics.folder, digests=False)
    # The rule names the test for this number of seeds; another number would need another test.
    if rows.row_count != metrics.row_count or rows.pairs() != rule["number_of_seeds"]:
        raise ModelError(
            "The stored predictions have other rows or seeds than the metrics and the plan: "
            "materialize both models and benchmark_metrics again."
        )
    measured = measure_deltas(
        task,
        rows,
        metrics.labels,
        rule,
        Intervals(rows, len(metrics.labels)),
        leaked=leaked,
        distinct_rows=distinct_rows,
        benchmark_rows_in_training=benchmark_rows_in_training,
    )
    fixed, broken = _discordant(rows, rows.truth >= 0)
    of_baseline, of_candidate = details_of(rows, metrics.labels)
    return DeltaReport(
        deltas=measured.deltas,
        delta_one=measured.delta_one,
        primary=task.metrics.primary,
        fixed_rows=fixed,
        broken_rows=broken,
        row_count=metrics.row_count,
        guards=measured.facts.guards,
        clauses=tuple(
            Clause(name=c.name, holds=c.holds, numbers=c.numbers, sentence=c.sentence)
            for c in decision_rule.evaluate(rule, measured.facts, attempt.number)
        ),
        shares=shares,
        baseline_details=of_baseline,
        candidate_details=of_candidate,
        slices=slice_deltas(task.metrics.primary, rows, metrics.labels),
    )


def measure_deltas(
    task: Task,
    rows: ScoredRows,
    names: Sequence[Label],
    rule: Mapping[str, Any],
    intervals: Intervals | None,
    *,
    leaked: int,
    distinct_rows: int,
    benchmark_rows_in_training: int,
) -> MeasuredDeltas:
    """Deltas, DeltaOne and what the rule's clauses need; intervals only where they are shown."""
    compared = [compare_metric(name, rows, names, task) for name in task.metrics.included]
    deltas = tuple(_delta(part, rows, rule, intervals) for part in compared)
    averaged = [c for c in compared if not is_own(c.metric) or rule["weights"][c.metric]]
    delta_one = delta_one_of(averaged, rows, rule, intervals)
    primary = next(d for d in deltas if d.metric == rule["primary"])
    guards = tuple(
        measure_guard(guard, rows, names, decision_rule.direction(rule, guard["metric"]))
        for guard in rule["guards"]
    )
    facts = decision_rule.Facts(
        rows=rows.row_count,
        benchmark_rows_in_training=benchmark_rows_in_training,
        leaked_rows=leaked,
        distinct_rows=distinct_rows,
        primary_baseline_millionths=primary.baseline.millionths,
        primary_candidate_millionths=primary.candidate.millionths,
        primary_p_pico=primary.p_value_pico,
        delta_one_p_pico=delta_one.p_value_pico,
        primary_undefined=primary.undefined,
        delta_one_undefined=delta_one.undefined,
        guards=guards,
    )
    return MeasuredDeltas(deltas, delta_one, facts)


def _delta(
    part: Compared, rows: ScoredRows, rule: Mapping[str, Any], intervals: Intervals | None
) -> MetricDelta:
    sign = decision_rule.direction(rule, part.metric)
    baseline = value_record(part.metric, scoring.seed_mean(part.before))
    candidate = value_record(part.metric, scoring.seed_mean(part.after))
    if part.undefined is not None:
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
    spread = part.bootstrapped or spread_of(
        part.influence_before,
        part.influence_after,
        [number(value) for value in part.before],
        [number(value) for value in part.after],
        rows.clusters,
    )
    if method == "mcnemar_exact":
        # Of recall, the rows that count are the positive class's.
        of_metric = rows.truth == 1 if part.metric == "recall" else rows.truth >= 0
        p_value: float | Undefined = scoring.mcnemar_p(*_discordant(rows, of_metric))
    else:
        p_value = scoring.improvement_p(sign * part.delta, spread)
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


def _discordant(rows: ScoredRows, of_metric: Any) -> tuple[int, int]:
    """Rows that only the candidate, and that only the baseline has right, of the first seed."""
    right_before = rows.baseline.labels[0] == rows.truth
    right_after = rows.candidate.labels[0] == rows.truth
    fixed = int(np.count_nonzero(right_after & ~right_before & of_metric))
    broken = int(np.count_nonzero(right_before & ~right_after & of_metric))
    return fixed, broken
