"""`attestation_{run_id}.json`: the core with the documented sections around it, and its checking.

The document is canonical JSON; fractions stand in it as decimal text of six digits. It is not
signed and says so; it claims nothing that the core does not hold.
"""

import json
from typing import Any

from hokusai_assets.attestation.core import core_digest
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError
from hokusai_assets.records import ContributedDataset, Decision, TrainedModel

SCHEMA_VERSION = "1.0"
ATTESTATION_VERSION = "0.1"

PUBLIC_INPUTS = (
    "model_id",
    "task_digest",
    "plan_digest",
    "content_roots",
    "contributors",
    "predictions_digests",
    "joint_counts",
    "delta_one",
    "dry_run",
)


def attestation_name(run_id: str) -> str:
    """The document's file name."""
    return f"attestation_{run_id}.json"


def build_document(
    core: dict[str, Any],
    *,
    run_id: str,
    timestamp: str,
    contributed: ContributedDataset,
    baseline: TrainedModel,
    candidate: TrainedModel,
    decision: Decision,
    files: dict[str, str],
) -> dict[str, Any]:
    """The document as canonical JSON types; `files` maps names of written files to SHA-256."""
    first = contributed.contributions[0]
    metrics = core["metrics"]
    return {
        "schema_version": SCHEMA_VERSION,
        "attestation_version": ATTESTATION_VERSION,
        "run_id": run_id,
        "timestamp": timestamp,
        "dry_run": core["dry_run"],
        "contributor": {
            "data_hash": first.content_root_received,
            "contributor_id": first.contributor_id,
            "wallet_address": first.wallet_address,
            "contributors": core["contributors"],
        },
        "models": {
            "baseline": _model(baseline),
            "improved": _model(candidate),
        },
        "evaluation": {
            "metrics": {
                "baseline": {m: _decimal(v["baseline_millionths"]) for m, v in metrics.items()},
                "improved": {m: _decimal(v["candidate_millionths"]) for m, v in metrics.items()},
            },
            "delta_results": {m: _decimal(v["delta_millionths"]) for m, v in metrics.items()},
            "delta_score": _decimal(core["delta_one"]["millionths"]),
        },
        "proof_data": {
            "commitment": core_digest(core),
            "nullifier": core["nullifiers"][0],
            "nullifiers": core["nullifiers"],
            "public_inputs": list(PUBLIC_INPUTS),
        },
        "core": core,
        "core_digest": core_digest(core),
        "decision": decision.model_dump(mode="json"),
        "files": files,
        "signed": False,
    }


def document_bytes(document: dict[str, Any]) -> bytes:
    """The document as it is written."""
    return canonical_json(document)


def read_document(content: bytes, name: str) -> dict[str, Any]:
    """The document in `content`; raises AttestationError unless it is canonical JSON."""
    try:
        document = json.loads(content)
    except ValueError:
        raise AttestationError(f"{name} is not JSON: it was cut off or changed.") from None
    try:
        same = isinstance(document, dict) and canonical_json(document) == content
    except (TypeError, ValueError):
        same = False
    if not same:
        raise AttestationError(
            f"{name} is not canonical JSON: it was changed after it was written."
        )
    return dict(document)


def disagreements(document: dict[str, Any], file_digests: dict[str, str]) -> list[str]:
    """What in the document does not follow from its core or from the files found, one line each.

    `file_digests` maps the names of the files that exist to their SHA-256.
    """
    core = document.get("core")
    if not isinstance(core, dict):
        return ["the core is missing"]
    found = []
    digest = core_digest(core)
    if document.get("core_digest") != digest:
        found.append(f"core_digest is {document.get('core_digest')} but the core's is {digest}")
    proof = document.get("proof_data", {})
    if proof.get("commitment") != digest:
        found.append("proof_data.commitment is not the core digest")
    if proof.get("nullifiers") != core.get("nullifiers"):
        found.append("proof_data.nullifiers differ from the core's")
    if document.get("dry_run") is not core.get("dry_run"):
        found.append("dry_run differs from the core's")
    if document.get("decision", {}).get("dry_run") is not core.get("dry_run"):
        found.append("decision.dry_run differs from the core's")
    if document.get("contributor", {}).get("contributors") != core.get("contributors"):
        found.append("contributor.contributors differ from the core's")
    if document.get("evaluation", {}).get("delta_score") != _decimal(
        core.get("delta_one", {}).get("millionths")
    ):
        found.append("evaluation.delta_score is not the core's DeltaOne")
    for name, expected in sorted(document.get("files", {}).items()):
        actual = file_digests.get(name)
        if actual is None:
            found.append(f"file {name} is missing")
        elif actual != expected:
            found.append(f"file {name} has SHA-256 {actual}, the attestation says {expected}")
    return found


def _model(model: TrainedModel) -> dict[str, Any]:
    return {
        "model_id": f"{model.model_id}:{model.role}",
        "model_hash": model.files[0].sha256,
        "origin": model.origin,
    }


def _decimal(millionths: int | None) -> str | None:
    if millionths is None:
        return None
    sign = "-" if millionths < 0 else ""
    whole, rest = divmod(abs(millionths), 1_000_000)
    return f"{sign}{whole}.{rest:06d}"
