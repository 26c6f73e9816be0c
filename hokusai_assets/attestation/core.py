"""The core: a function of the inputs alone, and its digest, which names the attestation.

No times, run ids, hosts, paths or durations, and no floats: scores, metrics and deltas in
millionths, standard errors in 1e-9, probabilities in 1e-12. Two runs on the same inputs have the
same core, byte for byte.
"""

import dataclasses
import hashlib
import platform
from importlib import metadata, resources
from typing import Any

from hokusai_assets.digests import digest_json
from hokusai_assets.records import (
    BenchmarkDataset,
    BenchmarkMetrics,
    ContributedDataset,
    DeltaReport,
    EvaluationPlan,
    TrainedModel,
)
from hokusai_assets.task import Task

CORE_VERSION = 1

# The packages whose code stands between the inputs and the numbers.
NUMERIC_PACKAGES = (
    "duckdb",
    "hokusai-assets",
    "numpy",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "python-stdnum",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
)


def package_versions() -> dict[str, str]:
    """Versions of Python (major.minor) and of the packages that the numbers depend on."""
    versions = {name: metadata.version(name) for name in NUMERIC_PACKAGES}
    versions["python"] = ".".join(platform.python_version_tuple()[:2])
    return versions


def constraints_digest() -> str:
    """The SHA-256 of the constraints file that this version ships."""
    file = resources.files("hokusai_assets") / "constraints.txt"
    return hashlib.sha256(file.read_bytes()).hexdigest()


def nullifier(model_id: str, lineage: str, content_root_received: str) -> str:
    """What stops the same contribution from being paid twice, verbatim, for one model."""
    material = (
        b"deltaone/nullifier/v1\x00"
        + model_id.encode()
        + lineage.encode()
        + bytes.fromhex(content_root_received)
    )
    return hashlib.sha256(material).hexdigest()


def build_core(
    task: Task,
    *,
    dry_run: bool,
    configuration: dict[str, Any],
    benchmark: BenchmarkDataset,
    contributed: ContributedDataset,
    plan: EvaluationPlan,
    baseline: TrainedModel,
    candidate: TrainedModel,
    metrics: BenchmarkMetrics,
    report: DeltaReport,
) -> dict[str, Any]:
    """The core of one evaluation, as canonical JSON types.

    `configuration` is what the run was asked to do, without paths and secrets.
    """
    stored = baseline.origin == "stored"
    return {
        "core_version": CORE_VERSION,
        "dry_run": dry_run,
        "model_id": task.model_id,
        "lineage": task.lineage,
        "task_digest": task.digest,
        "run_configuration": configuration,
        "plan_digest": plan.digest,
        "nonce_sha256": plan.body["nonce_sha256"],
        "seeds": list(plan.seeds),
        "content_roots": plan.body["content_roots"],
        "contributors": [
            {
                "contributor_id": c.contributor_id,
                "wallet_address": c.wallet_address,
                "content_root": c.content_root_received,
                "weight_bps": None,
            }
            for c in contributed.contributions
        ],
        "nullifiers": [
            nullifier(task.model_id, task.lineage, c.content_root_received)
            for c in contributed.contributions
        ],
        "baseline": {
            "origin": baseline.origin,
            "file_sha256": baseline.files[0].sha256 if stored else None,
        },
        "model_configuration": candidate.configuration,
        "model_configuration_digest": candidate.configuration_digest,
        "package_versions": package_versions(),
        "constraints_sha256": constraints_digest(),
        "pii": {
            "policy": {
                "action": task.privacy.action,
                "detectors": dict(task.privacy.detectors),
                "columns": {c.name: c.pii for c in task.columns if c.pii is not None},
            },
            "key_id": contributed.pii_key_id,
        },
        "paid_root": plan.body["paid_root"],
        "counts": [
            {
                "read": c.counts.read,
                "rejected": c.counts.rejected,
                "dropped_pii": c.counts.dropped_pii,
                "deduplicated": c.counts.deduplicated,
                "leaked": c.counts.leaked,
                "already_paid": c.counts.already_paid,
                "kept": c.counts.kept,
            }
            for c in contributed.contributions
        ],
        "benchmark": {
            "rows": metrics.row_count,
            "clusters": metrics.clusters,
            "left_out_as_in_base": benchmark.left_out_exact + benchmark.left_out_normalised,
            "sampled_from": benchmark.sampled_from,
            "rows_left_in_training": plan.rows_left_in_training,
        },
        "joint_counts": [
            [[cell.label, cell.baseline, cell.candidate, cell.count] for cell in table]
            for table in metrics.joint_counts
        ],
        "predictions_digests": {
            "baseline": metrics.baseline_predictions_digest,
            "candidate": metrics.candidate_predictions_digest,
        },
        "metrics": {
            d.metric: {
                "baseline_millionths": d.baseline.millionths,
                "candidate_millionths": d.candidate.millionths,
                "delta_millionths": d.delta_millionths,
                "standard_error_nano": d.standard_error_nano,
                "p_value_pico": d.p_value_pico,
                "method": d.method,
                "undefined": d.undefined,
            }
            for d in report.deltas
        },
        "delta_one": report.delta_one.model_dump(
            mode="json", include={"millionths", "standard_error_nano", "p_value_pico"}
        )
        | {
            "metrics_included": list(report.delta_one.metrics_included),
            "metrics_missing": dict(report.delta_one.metrics_missing),
            "weights_millionths": dict(report.delta_one.weights_millionths),
            "undefined": report.delta_one.undefined,
        },
        "guards": [dataclasses.asdict(guard) for guard in report.guards],
    }


def core_digest(core: dict[str, Any]) -> str:
    """The SHA-256 of the core's canonical JSON, as hex: the attestation's name."""
    return digest_json(core)
