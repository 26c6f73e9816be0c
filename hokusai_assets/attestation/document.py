"""`attestation_{run_id}.json`: core and plan with the documented sections around, and its checking.

The document is canonical JSON; fractions stand in it as decimal text of six digits. It is not
signed and says so; it claims nothing that does not follow from core and plan. What of it follows
how is deciding.py's and this module's; whether the core itself is true only a recomputation tells.
"""

from collections.abc import Mapping
from typing import Any

from hokusai_assets.attestation.bundle import bundle_name
from hokusai_assets.attestation.canonical import read_record, write_canonical
from hokusai_assets.attestation.core import core_digest, nullifier
from hokusai_assets.attestation.deciding import decision_of
from hokusai_assets.attestation.decision import current_of
from hokusai_assets.digests import canonical_json, digest_json
from hokusai_assets.records import Decision, EvaluationPlan, TrainedModel

SCHEMA_VERSION = "1.0"
ATTESTATION_VERSION = "0.2"

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
    plan: EvaluationPlan,
    baseline: TrainedModel,
    candidate: TrainedModel,
    decision: Decision,
    files: dict[str, str],
) -> dict[str, Any]:
    """The document as canonical JSON types; `files` maps names of written files to SHA-256."""
    return {
        **_CONSTANT,
        "run_id": run_id,
        "bundle": bundle_name(run_id),
        "timestamp": timestamp,
        "dry_run": core["dry_run"],
        "models": {
            "baseline": _model(baseline),
            "improved": _model(candidate),
        },
        **_following(core),
        "core": core,
        "plan": plan.body,
        "decision": decision.model_dump(mode="json"),
        "files": files,
    }


def document_bytes(document: dict[str, Any]) -> bytes:
    """The document as it is written."""
    return write_canonical(document, attestation_name(document["run_id"]))


def read_document(content: bytes, name: str) -> dict[str, Any]:
    """The document in `content`; raises AttestationError unless it is canonical JSON."""
    return read_record(content, name)


def disagreements(document: dict[str, Any], file_digests: dict[str, str]) -> list[str]:
    """What in the document does not follow from its core or from the files found, one line each.

    `file_digests` maps the names of the files that exist to their SHA-256.
    """
    core, plan = document.get("core"), document.get("plan")
    if not isinstance(core, dict):
        return ["the core is missing"]
    if not isinstance(plan, dict):
        return ["the plan is missing"]
    found = []
    try:
        following = {**_following(core), **_CONSTANT, "dry_run": core["dry_run"]}
        for name, said in following.items():
            if not _same(document.get(name), said):
                found.append(f"{name} does not follow from the core")
        if digest_json(plan) != core["plan_digest"]:
            found.append("the plan is not the one that the core names")
        if core["nullifiers"] != [
            nullifier(core["model_id"], core["lineage"], c["content_root"])
            for c in core["contributors"]
        ]:
            found.append("core.nullifiers are not those of the contributions")
        stored = core["baseline"]["file_sha256"]
        if stored is not None and document["models"]["baseline"]["model_hash"] != stored:
            found.append("models.baseline.model_hash is not the core's")
        if document.get("bundle") != bundle_name(document["run_id"]):
            found.append("bundle is not that of the run")
        decision = document["decision"]
        expected = decision_of(
            core,
            plan,
            decision["attempt"],
            decision["provisional"],
            current_of(decision),
        )
        if not _same(decision, expected.model_dump(mode="json")):
            found.append("the decision does not follow from plan and core")
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        found.append(f"core, plan or decision are not of their form ({type(error).__name__})")
    for name, expected in sorted(document.get("files", {}).items()):
        actual = file_digests.get(name)
        if actual is None:
            found.append(f"file {name} is missing")
        elif actual != expected:
            found.append(f"file {name} has SHA-256 {actual}, the attestation says {expected}")
    return found


_CONSTANT = {
    "schema_version": SCHEMA_VERSION,
    "attestation_version": ATTESTATION_VERSION,
    "signed": False,
}


def _same(one: Any, other: Any) -> bool:
    """Whether two values have one canonical text: in Python true equals 1."""
    return canonical_json(one) == canonical_json(other)


def _following(core: Mapping[str, Any]) -> dict[str, Any]:
    """The sections that say again, in their documented form, what the core holds."""
    metrics, first = core["metrics"], core["contributors"][0]
    digest = core_digest(dict(core))
    return {
        "core_digest": digest,
        "contributor": {
            "data_hash": first["content_root"],
            "contributor_id": first["contributor_id"],
            "wallet_address": first["wallet_address"],
            "contributors": core["contributors"],
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
            "commitment": digest,
            "nullifier": core["nullifiers"][0],
            "nullifiers": core["nullifiers"],
            "public_inputs": list(PUBLIC_INPUTS),
        },
    }


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
