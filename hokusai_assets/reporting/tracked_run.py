"""What MLflow is told of an evaluation: parameters, metrics, lineage, models, contribution.

Base and benchmark rows never leave the storage; of the contribution, the cleaned rows do.
"""

from typing import Any

from hokusai_assets.records import (
    BenchmarkDataset,
    ContributedDataset,
    Decision,
    DeltaReport,
    EvaluationPlan,
    MergedDataset,
    TrainedModel,
)
from hokusai_assets.reporting.tracking import TrackedRun
from hokusai_assets.task import Task


def tracked_run(
    task: Task,
    *,
    run_id: str,
    started_ms: int,
    dry_run: bool,
    benchmark: BenchmarkDataset,
    contributed: ContributedDataset,
    merged: MergedDataset,
    plan: EvaluationPlan,
    baseline: TrainedModel,
    candidate: TrainedModel,
    report: DeltaReport,
    decision: Decision,
    core_digest: str,
    files: tuple[str, ...],
) -> TrackedRun:
    """The record of a finished evaluation."""
    roots = plan.body["content_roots"]
    params = {
        "task_id": task.id,
        "task_digest": task.digest,
        "model_id": task.model_id,
        "estimator": task.model.estimator,
        "merge_strategy": task.merge.strategy,
        "seeds": ",".join(map(str, plan.seeds)),
        "dry_run": str(dry_run).lower(),
        "contributor_ids": ",".join(c.contributor_id for c in contributed.contributions),
        "wallet_addresses": ",".join(c.wallet_address for c in contributed.contributions),
        "base_root": roots["base"],
        "benchmark_root": roots["benchmark_scored"],
        "contribution_roots": ",".join(c["received"] for c in roots["contributions"]),
        "merged_root": roots["merged"],
        "plan_digest": plan.digest,
        "core_digest": core_digest,
        "baseline_origin": baseline.origin,
    }
    metrics: dict[str, float] = {
        "benchmark_rows": report.row_count,
        "training_rows": merged.row_count,
        **report.changed_rows,
        "attempt": plan.attempt.number,
    }
    if report.delta_one.value is not None:
        metrics["delta_one"] = report.delta_one.value
    for delta in report.deltas:
        if delta.baseline.value is not None:
            metrics[f"baseline_{delta.metric}"] = delta.baseline.value
        if delta.candidate.value is not None:
            metrics[f"candidate_{delta.metric}"] = delta.candidate.value
        if delta.delta is not None:
            metrics[f"delta_{delta.metric}"] = delta.delta
    for name in (
        *("read", "rejected", "dropped_pii", "deduplicated", "leaked", "already_paid"),
        *("benchmark_group", "kept"),
    ):
        metrics[f"rows_{name}"] = sum(getattr(c.counts, name) for c in contributed.contributions)
    # Each document says it itself: files are copied out of the run that carries the tag.
    documents: dict[str, dict[str, Any]] = {
        f"contribution/manifest_{index}.json": {
            "dry_run": dry_run,
            **c.manifest.model_dump(mode="json"),
        }
        for index, c in enumerate(contributed.contributions)
    }
    for model in (baseline, candidate):
        documents[f"models/{model.role}_metadata.json"] = {
            "dry_run": dry_run,
            **model.model_dump(mode="json", exclude={"folder"}),
        }
    return TrackedRun(
        run_id=run_id,
        started_ms=started_ms,
        status="FINISHED",
        params=params,
        metrics=metrics,
        tags={
            "verdict": decision.verdict,
            "provisional": str(decision.provisional).lower(),
            "dry_run": str(dry_run).lower(),
        },
        documents=documents,
        folders={
            "models/baseline": baseline.folder,
            "models/candidate": candidate.folder,
            "contribution/rows": contributed.folder,
        },
        files=files,
    )


def failed_run(
    task: Task, *, run_id: str, started_ms: int, ended_ms: int, dry_run: bool, sentence: str
) -> TrackedRun:
    """The record of an evaluation that failed; `sentence` holds no cell's value."""
    return TrackedRun(
        run_id=run_id,
        started_ms=started_ms,
        ended_ms=ended_ms,
        status="FAILED",
        params={
            "task_id": task.id,
            "task_digest": task.digest,
            "model_id": task.model_id,
            "dry_run": str(dry_run).lower(),
        },
        metrics={},
        tags={"failure": sentence, "dry_run": str(dry_run).lower()},
        documents={},
        folders={},
        files=(),
    )
