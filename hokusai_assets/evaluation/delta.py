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

from hokusai_assets import decision_rule
from hokusai_assets.errors import ModelError
from hokusai_assets.evaluation.benchmarking import values_of
from hokusai_assets.evaluation.details import details_of
from hokusai_assets.evaluation.own_metrics import bootstrap_spread
from hokusai_assets.evaluation.predictions import read_predictions
from hokusai_assets.evaluation.slices import slice_deltas
from hokusai_assets.evaluation.training_noise import null_run, released_model
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
from hokusai_assets.scoring.comparing import Compared, compare_metric
from hokusai_assets.scoring.deltas import deltas_of, discordant, nearer_and_farther
from hokusai_assets.scoring.methods import OF_NUMBER_SLICES
from hokusai_assets.scoring.number_intervals import intervals_of
from hokusai_assets.scoring.reported import DeltaIntervals
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task import DEFAULT_SEED, Label, MetricName, Task, is_own


@dataclass(frozen=True)
class MeasuredDeltas:
    """What follows from predictions alone."""

    deltas: tuple[MetricDelta, ...]
    delta_one: DeltaOne
    facts: decision_rule.Facts
    compared: tuple[Compared, ...]


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
    Rows fixed and broken, or nearer and farther, are those of the first seed, whose model is the
    one released.
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
        intervals_of(rows, len(metrics.labels)),
        leaked=leaked,
        distinct_rows=distinct_rows,
        benchmark_rows_in_training=benchmark_rows_in_training,
    )
    regression = task.kind == "regression"
    better, worse = nearer_and_farther(rows) if regression else discordant(rows, rows.truth >= 0)
    of_baseline, of_candidate = details_of(rows, metrics.labels)
    return DeltaReport(
        deltas=measured.deltas,
        delta_one=measured.delta_one,
        primary=task.metrics.primary,
        fixed_rows=None if regression else better,
        broken_rows=None if regression else worse,
        nearer_rows=better if regression else None,
        farther_rows=worse if regression else None,
        target_range=metrics.target_range,
        row_count=metrics.row_count,
        guards=measured.facts.guards,
        clauses=tuple(
            Clause(name=c.name, holds=c.holds, numbers=c.numbers, sentence=c.sentence)
            for c in decision_rule.evaluate(rule, measured.facts, attempt.number)
        ),
        shares=shares,
        baseline_details=of_baseline,
        candidate_details=of_candidate,
        # r2 of a slice is about the spread of its own labels, and a root hides what a mean shows.
        slices=slice_deltas(
            OF_NUMBER_SLICES if regression else task.metrics.primary, rows, metrics.labels
        ),
        null_run=null_run(task, measured.compared, rule),
        released=released_model(measured.compared, rule),
    )


def measure_deltas(
    task: Task,
    rows: ScoredRows,
    names: Sequence[Label],
    rule: Mapping[str, Any],
    intervals: DeltaIntervals | None,
    *,
    leaked: int,
    distinct_rows: int,
    benchmark_rows_in_training: int,
) -> MeasuredDeltas:
    """Deltas, DeltaOne and what the rule's clauses need; intervals only where they are shown."""
    compared = [_compared(name, rows, names, task) for name in task.metrics.included]
    measured = deltas_of(compared, rows, names, rule, intervals)
    delta_one = measured.delta_one
    primary = next(d for d in measured.deltas if d.metric == rule["primary"])
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
        guards=measured.guards,
    )
    return MeasuredDeltas(measured.deltas, delta_one, facts, tuple(compared))


def _compared(metric: MetricName, rows: ScoredRows, names: Sequence[Label], task: Task) -> Compared:
    """One metric of both models, of the registry or one of the task's own."""
    if not is_own(metric):
        return compare_metric(metric, rows, names)
    before = values_of(metric, rows.truth, rows.baseline, names)
    after = values_of(metric, rows.truth, rows.candidate, names)
    if any(isinstance(value, Undefined) for value in (*before, *after)):
        return Compared(metric, before, after)
    seed = DEFAULT_SEED if task.seed is None else task.seed
    return Compared(metric, before, after, bootstrap_spread(metric, rows, seed))
