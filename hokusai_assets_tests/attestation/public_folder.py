"""A public folder of the specified layout, made by hand: what signing and minting start from."""

import copy
import hashlib
from pathlib import Path
from typing import Any

from hokusai_assets.attestation.bundle import MANIFEST, MODELS, manifest_of
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.conftest import OTHER_WALLET, WALLET

RUN_ID = "4d9e06cc-b19b-4112-91c7-c137a7ef3db4"


def digest(word: str) -> str:
    """A SHA-256 that stands for some content."""
    return hashlib.sha256(word.encode()).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


PLAN: dict[str, Any] = {
    "plan_version": 1,
    "dry_run": False,
    "model_id": "reviews",
    "baseline": "trained",
    "rule": {
        "version": 1,
        "primary": "accuracy",
        "included": ["accuracy"],
        "min_delta_bps": 100,
        "retire": "on_acceptance",
    },
}
CORE: dict[str, Any] = {
    "core_version": 1,
    "dry_run": False,
    "model_id": "reviews",
    "lineage": "reviews",
    "task_digest": digest("task"),
    "seeds": [2864434397],
    "content_roots": {
        "base": digest("base"),
        "benchmark_received": digest("received"),
        "benchmark_scored": digest("scored"),
        "merged": digest("merged"),
    },
    "contributors": [
        {
            "contributor_id": "alice",
            "wallet_address": WALLET,
            "content_root": digest("alice"),
            "weight_bps": None,
        }
    ],
    "baseline": {"origin": "trained", "file_sha256": None},
    "model_configuration_digest": digest("configuration"),
    "predictions_digests": {"baseline": digest("before"), "candidate": digest("after")},
    "benchmark": {"rows": 2998},
    "metrics": {"accuracy": {"baseline_millionths": 766178, "candidate_millionths": 793529}},
    "delta_one": {"metrics_included": ["accuracy"]},
}
DECISION: dict[str, Any] = {
    "verdict": "accepted",
    "provisional": False,
    "dry_run": False,
    "m": 1,
    "payable_bps": 168,
    "clauses": [
        {"name": name, "holds": True, "numbers": {}, "sentence": f"{name} holds."}
        for name in ("data", "rows", "threshold", "evidence", "guards", "current")
    ],
}
LEDGER: dict[str, Any] = {"entry": digest("entry"), "previous": digest("previous")}


def two_contributors(first: Any = 6000, second: Any = 4000) -> list[dict[str, Any]]:
    """Alice and bob with these weights in basis points."""
    other = CORE["contributors"][0] | {"contributor_id": "bob", "wallet_address": OTHER_WALLET}
    return [
        CORE["contributors"][0] | {"weight_bps": first},
        other | {"content_root": digest("bob"), "weight_bps": second},
    ]


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with changes; a dict is merged into the dict that is there."""
    result = copy.deepcopy(base)
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def public_content(
    core: dict[str, Any] | None = None,
    plan: dict[str, Any] | None = None,
    decision: dict[str, Any] | None = None,
    ledger: dict[str, Any] | None = LEDGER,
) -> dict[str, bytes]:
    """The four files with these changes, their digests naming one another."""
    plan_bytes = canonical_json(merged(PLAN, plan or {}))
    core_bytes = canonical_json(merged(CORE | {"plan_digest": sha256(plan_bytes)}, core or {}))
    names = {"core_digest": sha256(core_bytes), "plan_digest": sha256(plan_bytes)}
    body = merged(DECISION | names, decision or {})
    decision_bytes = canonical_json({"body": body, "ledger": ledger})
    content = {"core.json": core_bytes, "plan.json": plan_bytes, "decision.json": decision_bytes}
    files = {f"public/{name}": sha256(data) for name, data in content.items()}
    return content | {"manifest.json": canonical_json({"manifest_version": 1, "files": files})}


def write_bundle(folder: Path, *, models: bool = False, **changes: Any) -> Path:
    """A bundle with these changes in `folder`, as an evaluation leaves it, unsigned."""
    public = folder / "public"
    public.mkdir(parents=True)
    for name, data in public_content(**changes).items():
        (public / name).write_bytes(data)
    if models:
        for role in MODELS:
            model = folder / MODELS[role] / "model-0.skops"
            model.parent.mkdir(parents=True)
            model.write_bytes(f"the {role}".encode())
        (folder / MANIFEST).write_bytes(canonical_json(manifest_of(folder)))
    (folder / "run.json").write_bytes(canonical_json({"run_id": RUN_ID}))
    return folder
