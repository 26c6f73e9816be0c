"""Both models on the benchmark: integer tables, metric values, and the predictions behind them.

What the differences mean stands in delta.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.errors import ModelError, ReferenceDataError
from hokusai_assets.evaluation.own_metrics import own_values
from hokusai_assets.evaluation.predictions import write_predictions
from hokusai_assets.evaluation.slices import members
from hokusai_assets.records import BenchmarkDataset, BenchmarkMetrics, MetricValue, TargetRange
from hokusai_assets.scoring.comparing import value_record
from hokusai_assets.scoring.deltas import joint_counts
from hokusai_assets.scoring.prediction_lines import prediction_cells, predictions_digest
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.scoring.target_scale import scaled
from hokusai_assets.tables import ROW_DIGEST, read_table
from hokusai_assets.task import Label, MetricName, Task, is_own

if TYPE_CHECKING:
    import pyarrow as pa


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
    baseline, candidate = rows.baseline, rows.candidate
    write_predictions(rows, folder)
    names = task.data.labels
    return BenchmarkMetrics(
        folder=str(folder),
        benchmark_root=benchmark.content_root,
        row_count=rows.row_count,
        labels=names,
        joint_counts=joint_counts(rows, len(names)),
        baseline=tuple(metric_value(m, rows.truth, baseline, names) for m in task.metrics.included),
        candidate=tuple(
            metric_value(m, rows.truth, candidate, names) for m in task.metrics.included
        ),
        baseline_predictions_digest=_digest(baseline, len(names)),
        candidate_predictions_digest=_digest(candidate, len(names)),
        clusters=rows.cluster_count,
        target_range=target_range(task),
    )


def target_range(task: Task) -> TargetRange | None:
    """The range of a regression's target; None of a classification."""
    if task.kind == "classification":
        return None
    return TargetRange(column=task.target.name, **task.target_scale.body())


def _digest(predictions: scoring.Predictions, classes: int) -> str:
    # With scores wherever there are any: the rule always guards auroc where it can.
    return predictions_digest(prediction_cells(predictions, scores=True, classes=classes))


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


def _scored_rows(
    task: Task,
    benchmark: BenchmarkDataset,
    baseline: scoring.Predictions,
    candidate: scoring.Predictions,
) -> ScoredRows:
    columns = {ROW_DIGEST, task.target.name, *(part.column for part in task.slices)}
    if task.id_column is not None:
        columns.add(task.id_column.name)
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
    truth = _truth(task, table)
    clusters = None
    if task.group_column is not None:
        clusters = _codes(table.column(task.group_column.name).to_pylist())
    digests = table.column(ROW_DIGEST).to_pylist()
    at = leaf_order(task, table)
    return ScoredRows(
        [digests[place] for place in at.tolist()],
        truth[at].astype(np.int64),
        _taken(baseline, at),
        _taken(candidate, at),
        None if clusters is None else clusters[at],
        tuple((part.name, members(table, part)[at]) for part in task.slices),
    )


def _truth(task: Task, table: pa.Table) -> Any:
    """Class indices, or millionths of the target's scale, in the table's order."""
    cells = table.column(task.target.name)
    if task.kind == "regression":
        return scaled(task.target_scale, cells.to_numpy())
    index = {label: position for position, label in enumerate(task.data.labels)}
    return np.array([index[cell] for cell in cells.to_pylist()])


def leaf_order(task: Task, table: pa.Table) -> Any:
    """Positions of a benchmark table's rows by row digest, then id; a row without one first.

    Rows of equal digest and id are equal in everything that is measured, so that any order of
    them is the same.
    """
    digests = table.column(ROW_DIGEST).to_pylist()
    ids = row_ids(task, table)
    return np.array(sorted(range(len(digests)), key=lambda i: (digests[i], ids[i])), np.int64)


def row_ids(task: Task, table: pa.Table) -> list[str]:
    """Each row's id as text, "" where it has none."""
    if task.id_column is None:
        return [""] * table.num_rows
    cells = table.column(task.id_column.name).to_pylist()
    return ["" if cell is None else str(cell) for cell in cells]


def _taken(predictions: scoring.Predictions, at: Any) -> scoring.Predictions:
    scores = None if predictions.scores is None else predictions.scores[:, at]
    return scoring.Predictions(predictions.labels[:, at], scores)


def _codes(groups: list[Any]) -> Any:
    """A code from 0 for each group, in the order of the groups; an empty cell is its own group."""
    known = {group: code for code, group in enumerate(sorted({g for g in groups if g is not None}))}
    codes = []
    empty = 0
    for group in groups:
        codes.append(len(known) + empty if group is None else known[group])
        empty += group is None
    return np.array(codes, dtype=np.int64)
