"""Plans and decisions as an evaluation makes them, in the members that a ledger reads."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.ledger import Recorded, SqlLedger
from hokusai_assets.digests import digest_json


def sha(text: str) -> str:
    """A digest that a test can name."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Evaluation:
    """One evaluation's plan and decision; names stand for what their digests would be of."""

    contribution: str
    benchmark: str = "benchmark-1"
    lineage: str = "reviews"
    model: str = "classifier"
    baseline: str | None = None  # None: trained
    base: str = "base"
    attempts: int = 30
    retire: str = "on_acceptance"
    paid_root: str | None = None

    def on(self, ledger: SqlLedger) -> "Evaluation":
        """The same, cleaned against what is paid now."""
        return replace(self, paid_root=ledger.paid(self.lineage, sha(self.benchmark)).root)

    @property
    def candidate(self) -> str:
        return f"candidate of {self.contribution}"

    @property
    def merged(self) -> str:
        return f"{self.base} + {self.contribution}"

    @property
    def plan(self) -> dict[str, Any]:
        return {
            "dry_run": False,
            "model_id": self.model,
            "content_roots": {
                "base": sha(self.base),
                "benchmark_received": sha(self.benchmark),
                "contributions": [{"received": "", "cleaned": sha(self.contribution)}],
                "merged": sha(self.merged),
            },
            "baseline": "trained" if self.baseline is None else {"file_sha256": sha(self.baseline)},
            "paid_root": self.paid_root,
            "rule": {
                "lineage": self.lineage,
                "retire": self.retire,
                "attempts_per_benchmark": self.attempts,
            },
        }

    @property
    def plan_digest(self) -> str:
        return digest_json(self.plan)

    @property
    def core_digest(self) -> str:
        return sha(f"core of {self.plan_digest}")

    def commit(self, ledger: SqlLedger) -> int:
        return ledger.commit(self.plan_digest, self.plan).number

    def body(self, verdict: str, **changes: Any) -> dict[str, Any]:
        return {
            "plan_digest": self.plan_digest,
            "core_digest": self.core_digest,
            "verdict": verdict,
            "candidate_file_sha256": sha(self.candidate),
            "training_root": sha(self.merged),
            **changes,
        }

    def decide(self, ledger: SqlLedger, good: bool = True) -> str:
        """Append the decision that follows; returns its verdict."""
        return str(self.recorded(ledger, good).body["verdict"])

    def recorded(self, ledger: SqlLedger, good: bool = True) -> Recorded:
        def build(current: bool | None) -> Mapping[str, Any]:
            verdict = "accepted" if good else "rejected"
            return self.body(verdict if current else "superseded")

        return ledger.append_decision(self.plan_digest, self.core_digest, build)

    def after(self, accepted: "Evaluation", benchmark: str) -> "Evaluation":
        """This contribution on the model that another one made."""
        return replace(self, baseline=accepted.candidate, base=accepted.merged, benchmark=benchmark)


@pytest.fixture
def ledger(tmp_path: Path) -> SqlLedger:
    return SqlLedger(str(tmp_path / "ledger.sqlite"), "create")
