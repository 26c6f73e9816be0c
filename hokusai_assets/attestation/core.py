"""The core: a function of the inputs alone, and its digest, which names the attestation.

No times, run ids, hosts, paths or durations, and no floats: scores, metrics and deltas in
millionths, standard errors in 1e-9, probabilities in 1e-12. Two runs on the same inputs have the
same core, byte for byte. What of it follows from rows is built in measured.py.
"""

import functools
import hashlib
import platform
from importlib import metadata, resources
from typing import Any

from hokusai_assets.attestation.canonical import composed
from hokusai_assets.attestation.measured import (
    delta_one_section,
    guard_sections,
    joint_count_section,
    metric_section,
)
from hokusai_assets.attestation.rows.leaves import RowsRoot
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

CORE_VERSION = 2

# The packages whose code stands between the inputs and the numbers.
NUMERIC_PACKAGES = (
    "charset-normalizer",
    "confusable-homoglyphs",
    "duckdb",
    "hokusai-assets",
    "numpy",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "python-stdnum",
    "rfc8785",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
)


def package_versions() -> dict[str, str]:
    """Versions of Python (major.minor) and of the packages that the numbers depend on."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {**{name: _version(name) for name in NUMERIC_PACKAGES}, "python": python}


@functools.cache
def _version(name: str) -> str:
    return metadata.version(name)


def constraints_digest() -> str:
    """The SHA-256 of the constraints file that this version ships."""
    file = resources.files("hokusai_assets") / "constraints.txt"
    return hashlib.sha256(file.read_bytes()).hexdigest()


def nullifier(model_id: str, lineage: str, content_root_received: str) -> str:
    """What stops the same contribution from being paid twice, verbatim, for one model.

    SHA-256 of domain, model id, lineage and content root with a zero byte between each: joined
    without one, model "a" in lineage "bc" would share its nullifiers with "ab" in "c".
    """
    parts = (b"deltaone/nullifier/v1", model_id.encode(), lineage.encode())
    material = b"".join(part + b"\x00" for part in parts) + bytes.fromhex(content_root_received)
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
    rows: RowsRoot,
) -> dict[str, Any]:
    """The core of one evaluation, as canonical JSON types.

    `configuration` is what the run was asked to do, without paths and secrets.
    """
    stored = baseline.origin == "stored"
    joint = joint_count_section(metrics.joint_counts)
    core = {
        "core_version": CORE_VERSION,
        "dry_run": dry_run,
        "model_id": task.model_id,
        "lineage": task.lineage,
        "task_digest": task.digest,
        "run_configuration": configuration,
        "plan_digest": plan.digest,
        "key_ids": plan.body["key_ids"],
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
        # Of what stands here: with names that are no ASCII keys, pairs are (see composed).
        "model_configuration_digest": digest_json(composed(candidate.configuration)),
        "package_versions": package_versions(),
        "constraints_sha256": constraints_digest(),
        "pii": {
            "policy": {
                "action": task.privacy.action,
                "detectors": dict(task.privacy.detectors),
                # Pairs and not an object: names of columns need not be ASCII.
                "columns": sorted([c.name, c.pii] for c in task.columns if c.pii is not None),
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
                "benchmark_group": c.counts.benchmark_group,
                "kept": c.counts.kept,
            }
            for c in contributed.contributions
        ],
        "benchmark": {
            "rows": metrics.row_count,
            "labels": list(metrics.labels),
            "clusters": metrics.clusters,
            "left_out_as_in_base": benchmark.left_out_exact + benchmark.left_out_normalised,
            "left_out_as_group_in_base": benchmark.left_out_group,
            "sampled_from": benchmark.sampled_from,
            "rows_left_in_training": plan.rows_left_in_training,
            **_target_scale(metrics),
        },
        "rows": rows.body(),
        "joint_counts": joint,
        "predictions_digests": {
            "baseline": metrics.baseline_predictions_digest,
            "candidate": metrics.candidate_predictions_digest,
        },
        "metrics": {delta.metric: metric_section(delta) for delta in report.deltas},
        "delta_one": delta_one_section(
            report.delta_one, plan.body["rule"]["primary"], joint, metrics.clusters
        ),
        "guards": guard_sections(report.guards),
    }
    result: dict[str, Any] = composed(core)
    return result


def _target_scale(metrics: BenchmarkMetrics) -> dict[str, Any]:
    """Of a regression what a millionth is a millionth of; of a classification nothing."""
    if metrics.target_range is None:
        return {}
    return {"target_scale": metrics.target_range.model_dump(include={"minimum", "maximum"})}


def core_digest(core: dict[str, Any]) -> str:
    """The SHA-256 of the core's canonical JSON, as hex: the attestation's name."""
    return digest_json(core)
