"""Both models on the benchmark: integer tables, metric values, and the predictions behind them.

What the differences mean stands in delta.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.errors import ModelError, ReferenceDataError
from hokusai_assets.evaluation.own_metrics import own_values
from hokusai_assets.evaluation.predictions import (
    ScoredRows,
    predictions_digest,
    write_predictions,
)
from hokusai_assets.evaluation.slices import members
from hokusai_assets.records import BenchmarkDataset, BenchmarkMetrics, JointCount, MetricValue
from hokusai_assets.tables import ROW_DIGEST, read_table
from hokusai_assets.task import Label, MetricName, Task, is_own


def measure(
    task: Task,
    benchmark: BenchmarkDataset,
    baseline: scoring.Predictions,
    candidate: scoring.Predictions,
    folder: str | Path,
) -> BenchmarkMetrics:
    """Write per-row predictions into a local `folder` and return tables, metrics and digests.

    `baseline` and `candidate` are in the benchmark's stored row order; a stored baseline has one
    seed, everything else as many as the candidate. Raises ModelError where they do not fit.
    """
    rows = _scored_rows(task, benchmark, baseline, candidate)
    write_predictions(rows, folder)
    names = task.data.labels
    return BenchmarkMetrics(
        folder=str(folder),
        benchmark_root=benchmark.content_root,
        row_count=rows.row_count,
        labels=names,
        joint_counts=tuple(_cells(_joint(rows, pair, len(names))) for pair in range(rows.pairs())),
        baseline=tuple(metric_value(m, rows.truth, baseline, names) for m in task.metrics.included),
        candidate=tuple(
            metric_value(m, rows.truth, candidate, names) for m in task.metrics.included
        ),
        baseline_predictions_digest=predictions_digest(rows.row_digests, baseline),
        candidate_predictions_digest=predictions_digest(rows.row_digests, candidate),
        clusters=rows.cluster_count,
    )


def metric_value(
    metric: MetricName, truth: Any, predictions: scoring.Predictions, names: Sequence[Label]
) -> MetricValue:
    """One metric of one model, mean over seeds, as a record."""
    return value_record(metric, scoring.seed_mean(values_of(metric, truth, predictions, names)))


def values_of(
    metric: MetricName, truth: Any, predictions: scoring.Predictions, names: Sequence[Label]
) -> list[scoring.Value]:
    """One metric of one model, once a seed: of the registry, or one of the task's own."""
    if is_own(metric):
        return own_values(metric, truth, predictions)
    return scoring.score_metric(metric, truth, predictions, names)


def value_record(metric: MetricName, value: scoring.Value) -> MetricValue:
    """A metric's exact value as a record."""
    if isinstance(value, scoring.Undefined):
        return MetricValue(metric=metric, value=None, millionths=None, undefined=value.reason)
    return MetricValue(metric=metric, value=float(value), millionths=scoring.millionths(value))


def _scored_rows(
    task: Task,
    benchmark: BenchmarkDataset,
    baseline: scoring.Predictions,
    candidate: scoring.Predictions,
) -> ScoredRows:
    columns = {ROW_DIGEST, task.target.name, *(part.column for part in task.slices)}
    if task.group_column is not None:
        columns.add(task.group_column.name)
    table = read_table(benchmark.folder, sorted(columns))
    if not table.num_rows:
        raise ReferenceDataError(
            "The benchmark has no rows left to score on: check data.benchmark in the task file."
        )
    for name, predictions in (("baseline", baseline), ("candidate", candidate)):
        if predictions.labels.shape[1] != table.num_rows:
            raise ModelError(
                f"The {name} has {predictions.labels.shape[1]:,} predictions for "
                f"{table.num_rows:,} benchmark rows: materialize both models and metrics again."
            )
    if baseline.seeds not in {1, candidate.seeds}:
        raise ModelError(
            f"The baseline was trained with {baseline.seeds} seeds and the candidate with "
            f"{candidate.seeds}: materialize both again with the same plan."
        )
    index = {label: position for position, label in enumerate(task.data.labels)}
    truth = np.array([index[cell] for cell in table.column(task.target.name).to_pylist()])
    clusters = None
    if task.group_column is not None:
        clusters = _codes(table.column(task.group_column.name).to_pylist())
    digests = table.column(ROW_DIGEST).to_pylist()
    slices = tuple((part.name, members(table, part)) for part in task.slices)
    return ScoredRows(digests, truth.astype(np.int64), baseline, candidate, clusters, slices)


def _codes(groups: list[Any]) -> Any:
    """A code from 0 for each group, in the order of the groups; an empty cell is its own group."""
    known = {group: code for code, group in enumerate(sorted({g for g in groups if g is not None}))}
    codes = []
    empty = 0
    for group in groups:
        codes.append(len(known) + empty if group is None else known[group])
        empty += group is None
    return np.array(codes, dtype=np.int64)


def _joint(rows: ScoredRows, pair: int, classes: int) -> Any:
    base, _ = rows.baseline.of_seed(pair)
    cand, _ = rows.candidate.of_seed(pair)
    return scoring.joint_table(rows.truth, base, cand, classes)


def _cells(table: Any) -> tuple[JointCount, ...]:
    return tuple(
        JointCount(label=int(a), baseline=int(b), candidate=int(c), count=int(table[a, b, c]))
        for a, b, c in np.argwhere(table)
    )
