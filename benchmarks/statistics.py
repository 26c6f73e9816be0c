"""Seconds of one evaluation's statistics by rows, and against resampling rows one by one."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.evaluation.delta import compare
from hokusai_assets.evaluation.predictions import write_predictions
from hokusai_assets.evaluation.rule import rule_parameters
from hokusai_assets.records import Attempt, BenchmarkMetrics
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task import Task, parse_task

ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
NAIVE_RESAMPLES = 20  # timed; the rest is proportion


def scored_rows(rows: int, seed: int = 1) -> ScoredRows:
    """Two correlated models of two classes with scores."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows)
    shared = rng.normal(size=rows) + 1.2 * truth
    models = []
    for _ in range(2):
        odds = shared + 0.3 * rng.normal(size=rows) - 0.6
        scores = np.round(1e6 / (1 + np.exp(-odds))).astype(np.int64)
        models.append(Predictions((scores > 500_000).astype(np.int64)[None], scores[None, :, None]))
    return ScoredRows([b"\0" * 32] * rows, truth, models[0], models[1], None)


def number_rows(rows: int, seed: int = 1) -> ScoredRows:
    """Two correlated models of a number."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(200_000, 800_000, rows)
    shared = truth + rng.normal(0, 50_000, rows)
    models = [
        Predictions(np.rint(shared + rng.normal(0, sd, rows)).astype(np.int64)[None], None)
        for sd in (50_000, 40_000)
    ]
    return ScoredRows([b"\0" * 32] * rows, truth, models[0], models[1], None)


def _task(*, numbers: bool) -> Task:
    target: dict[str, object] = {"name": "label", "type": "category", "role": "target"}
    if numbers:
        target |= {"type": "number", "minimum": 0, "maximum": 1}
    return parse_task(
        {
            "task_schema": 1,
            "id": "bench",
            "data": {
                "base": "b.csv",
                "benchmark": "c.csv",
                "labels": () if numbers else ("bad", "good"),
            },
            "columns": [{"name": "text", "type": "text"}, target],
        }
    )


def draw(folder: str, rows: int, *, numbers: bool) -> None:
    """Store predictions as an evaluation does."""
    write_predictions(number_rows(rows) if numbers else scored_rows(rows), folder)


def measure(folder: str, rows: int, *, numbers: bool) -> None:
    """Metrics, deltas, intervals, guards and clauses, from stored predictions; prints JSON."""
    task = _task(numbers=numbers)
    counts = {"bad": rows // 2, "good": rows - rows // 2}
    rule = rule_parameters(task, counts, number_of_seeds=1)
    metrics = BenchmarkMetrics(
        folder=folder,
        benchmark_root="0" * 64,
        row_count=rows,
        labels=task.data.labels,
        joint_counts=(),
        baseline=(),
        candidate=(),
        baseline_predictions_digest="",
        candidate_predictions_digest="",
        clusters=None,
    )
    taken = []
    for _ in range(2):  # the first one imports, too
        started = time.perf_counter()
        report = compare(
            task,
            metrics,
            rule,
            leaked=0,
            distinct_rows=1,
            benchmark_rows_in_training=0,
            shares=(),
            attempt=Attempt(number=1, provisional=True),
        )
        taken.append(time.perf_counter() - started)
    assert report.delta_one.interval is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps({"seconds": min(taken), "peak_mib": peak}))


def in_a_process(step: str, folder: str, rows: int, kind: str) -> str:
    """A step by itself, so that its memory is its own."""
    words = [sys.executable, "-m", "benchmarks.statistics", step, folder, str(rows), kind]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def measured(rows: int, kind: str) -> dict[str, float]:
    """Seconds on stored predictions, and the peak memory of the process that took them."""
    with tempfile.TemporaryDirectory() as name:
        folder = str(Path(name, "predictions"))
        in_a_process("draw", folder, rows, kind)
        found: dict[str, float] = json.loads(in_a_process("measure", folder, rows, kind))
    return found


def bootstrap_ratio(rows: int) -> tuple[float, float]:
    """Seconds of 2,000 resamples of four metrics: over counts, and over rows by scikit-learn."""
    from sklearn import metrics as reference

    scored = scored_rows(rows)
    truth, before, after = scored.truth, scored.baseline.labels[0], scored.candidate.labels[0]
    joint = scoring.joint_table(truth, before, after, 2)
    started = time.perf_counter()
    scoring.bootstrap_deltas(joint, list(scoring.COUNTED))
    ours = time.perf_counter() - started
    rng = np.random.default_rng(2)
    functions = (
        reference.accuracy_score,
        reference.precision_score,
        reference.recall_score,
        reference.f1_score,
    )
    started = time.perf_counter()
    for _ in range(NAIVE_RESAMPLES):
        drawn = rng.integers(0, rows, rows)
        for function in functions:
            function(truth[drawn], after[drawn]) - function(truth[drawn], before[drawn])
    naive = (time.perf_counter() - started) / NAIVE_RESAMPLES * 2_000
    return ours, naive


def main() -> None:
    """Print seconds and memory by rows, and the ratio."""
    print("statistics of an evaluation: 5 metrics (of numbers 3), intervals, guards and clauses")
    print("(at most: 100,000 rows 0.5 s, 10 million 30 s and 2,048 MiB)")
    print(f"{'rows':>12} {'of':<8} {'seconds':>9} {'us/row':>8} {'peak MiB':>9}")
    for rows in ROWS:
        for kind in ("labels", "numbers"):
            found = measured(rows, kind)
            taken = found["seconds"]
            print(
                f"{rows:>12,} {kind:<8} {taken:9.2f} {taken / rows * 1e6:8.2f} "
                f"{found['peak_mib']:>9,.0f}"
            )
    ours, naive = bootstrap_ratio(100_000)
    print(
        f"2,000 resamples of 100,000 rows: {ours * 1e3:.1f} ms over counts, about {naive:.0f} s "
        f"over rows by scikit-learn (from {NAIVE_RESAMPLES}): {naive / ours:,.0f} times"
    )


if __name__ == "__main__":
    steps = {"draw": draw, "measure": measure}
    if len(sys.argv) == 5:
        step, folder, rows, kind = sys.argv[1:]
        steps[step](folder, int(rows), numbers=kind == "numbers")
    else:
        main()
