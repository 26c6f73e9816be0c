"""`decision.json`: the decision as integers and text, and where it stands in the ledger.

The body follows from core, plan, attempt and what the ledger said when it was appended; the ledger
takes the body's digest in, so that the entry is no part of it. How the clauses come about is
decision_rule's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.core import core_digest
from hokusai_assets.attestation.deciding import decision_of
from hokusai_assets.decision_rule import CURRENT
from hokusai_assets.digests import canonical_json, digest_json

DECISION_VERSION = 1


@dataclass(frozen=True)
class LedgerEntry:
    """Where the decision stands: the entry's hash and its predecessor's, in hex."""

    entry: str
    previous: str


def decision_body(
    core: Mapping[str, Any],
    plan: Mapping[str, Any],
    *,
    attempt: int,
    current: bool | None,
    candidate_file_sha256: str,
    provisional: bool = False,
) -> dict[str, Any]:
    """What is decided, as canonical JSON types.

    `current` is the ledger's answer: None without one, and the decision is then provisional; False
    makes `superseded` of what would be accepted. `provisional` says that the attempt was not
    counted. `candidate_file_sha256` is of the candidate's first file, the model that is released;
    its training root is the merged data's. Clauses have numbers and no sentences, which are for
    people and follow from these.
    """
    provisional = provisional or current is None
    decision = decision_of(core, plan, attempt, provisional, current)
    return {
        "decision_version": DECISION_VERSION,
        "core_digest": core_digest(dict(core)),
        "plan_digest": digest_json(plan),
        "rule_version": plan["rule"]["version"],
        "lineage": plan["rule"]["lineage"],
        "model_id": plan["model_id"],
        "m": attempt,
        "alpha_m_pico": decision.alpha_pico,
        "clauses": [
            {"name": clause.name, "holds": clause.holds, "numbers": dict(clause.numbers)}
            for clause in decision.clauses
        ],
        "verdict": decision.verdict,
        "provisional": provisional,
        "measured_bps": decision.measured_bps,
        "payable_bps": decision.payable_bps,
        "retire": decision.retire,
        "candidate_file_sha256": candidate_file_sha256,
        "training_root": plan["content_roots"]["merged"],
        "dry_run": core["dry_run"],
    }


def decision_document(body: Mapping[str, Any], entry: LedgerEntry | None) -> dict[str, Any]:
    """`decision.json`: the body, and its place in the ledger or null."""
    place = None if entry is None else {"entry": entry.entry, "previous": entry.previous}
    return {"body": dict(body), "ledger": place}


def current_of(body: Mapping[str, Any]) -> bool | None:
    """What the ledger said of benchmark and baseline; None in a decision without one."""
    found = [clause["holds"] for clause in body["clauses"] if clause["name"] == CURRENT]
    return found[0] if found else None


def body_disagreements(
    body: Mapping[str, Any], core: Mapping[str, Any], plan: Mapping[str, Any]
) -> list[str]:
    """Fields of a body that do not follow from core and plan; raises KeyError where it lacks some.

    Whether the attempt, `provisional` and a clause `current` are true only the ledger tells, and
    the file's digest only the model.
    """
    current = current_of(body)
    told = {
        "m": type(body["m"]) is int,
        "provisional": type(body["provisional"]) is bool,
        "candidate_file_sha256": _is_sha256(body["candidate_file_sha256"]),
        "clauses": current is None or type(current) is bool,
    }
    if not all(told.values()):
        # true is no attempt, although Python takes it for 1.
        return sorted(field for field, fine in told.items() if not fine)
    expected = decision_body(
        core,
        plan,
        attempt=body["m"],
        current=current,
        candidate_file_sha256=body["candidate_file_sha256"],
        provisional=body["provisional"],
    )
    return sorted(
        field
        for field in {*body, *expected}
        if field not in body
        or field not in expected
        or canonical_json(body[field]) != canonical_json(expected[field])
    )


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value, re.ASCII) is not None
