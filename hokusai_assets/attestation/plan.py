"""The evaluation plan: what is committed to before any training, and the seeds that follow.

Seeds are a function of the plan, so that nobody can look for a lucky one: changing any input
changes them all.
"""

import hashlib
from typing import Any

from hokusai_assets.attestation.canonical import write_canonical
from hokusai_assets.attestation.ledger import Ledger
from hokusai_assets.digests import digest_json
from hokusai_assets.errors import LedgerError
from hokusai_assets.records import (
    BaseDataset,
    BenchmarkDataset,
    ContributedDataset,
    ContributorShare,
    EvaluationPlan,
    MergedDataset,
)
from hokusai_assets.task import Task

PLAN_VERSION = 1


def plan_body(
    task: Task,
    base: BaseDataset,
    benchmark: BenchmarkDataset,
    contributed: ContributedDataset,
    merged: MergedDataset,
    *,
    rule: dict[str, Any],
    baseline_sha256: str | None,
    number_of_seeds: int,
    nonce: bytes | None,
    paid_root: str | None,
    dry_run: bool,
    salt_key_id: str | None = None,
) -> dict[str, Any]:
    """The plan as canonical JSON types; `baseline_sha256` is None where it will be trained.

    `salt_key_id` names the secret of the leaves. Raises AttestationError where the task uses text
    that canonical records refuse.
    """
    body = {
        "plan_version": PLAN_VERSION,
        "dry_run": dry_run,
        "task_digest": task.digest,
        "model_id": task.model_id,
        "content_roots": {
            "base": base.content_root,
            "benchmark_received": benchmark.content_root_received,
            "benchmark_scored": benchmark.content_root,
            "contributions": [
                {"received": c.content_root_received, "cleaned": c.content_root_cleaned}
                for c in contributed.contributions
            ],
            "merged": merged.content_root,
        },
        "baseline": "trained" if baseline_sha256 is None else {"file_sha256": baseline_sha256},
        "paid_root": paid_root,
        "number_of_seeds": number_of_seeds,
        "nonce_sha256": None if nonce is None else hashlib.sha256(nonce).hexdigest(),
        "key_ids": {"pii": contributed.pii_key_id, "salt": salt_key_id},
        "rule": rule,
    }
    # Before anything is committed: a record that could not be read again is no record.
    write_canonical(body, "plan.json")
    return body


def paid_root_of_inputs(benchmark: BenchmarkDataset, contributed: ContributedDataset) -> str | None:
    """The root over the rows paid for that benchmark and contributions were both compared with.

    Raises LedgerError where they differ: something was paid for between the two steps.
    """
    if benchmark.paid_root != contributed.paid_root:
        raise LedgerError(
            "Rows were paid for between reading the benchmark and cleaning the contribution, or "
            "one of them is of a run with another ledger: evaluate again from the benchmark on."
        )
    return contributed.paid_root


def derive_seed(plan_digest: str, nonce: bytes | None, index: int) -> int:
    """Seed `index`: the first 4 bytes, big-endian, of SHA-256(plan digest || nonce || index)."""
    material = bytes.fromhex(plan_digest) + (nonce or b"") + index.to_bytes(4, "big")
    return int.from_bytes(hashlib.sha256(material).digest()[:4], "big")


def commit_plan(
    body: dict[str, Any],
    ledger: Ledger,
    *,
    nonce: bytes | None,
    rows_left_in_training: int,
    shares: tuple[ContributorShare, ...],
) -> EvaluationPlan:
    """Commit `body` to the ledger, which counts the attempt; the seeds follow from its digest."""
    digest = digest_json(body)
    return EvaluationPlan(
        body=body,
        digest=digest,
        seeds=tuple(derive_seed(digest, nonce, i) for i in range(body["number_of_seeds"])),
        attempt=ledger.commit(digest, body),
        rows_left_in_training=rows_left_in_training,
        shares=shares,
    )
