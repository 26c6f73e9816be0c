"""The decision's body: numbers, a verdict that the ledger can supersede, and nothing paid by it."""

import copy
from typing import Any

import pytest

from hokusai_assets import decision_rule
from hokusai_assets.attestation.canonical import read_record, write_canonical
from hokusai_assets.attestation.core import core_digest
from hokusai_assets.attestation.decision import (
    LedgerEntry,
    body_disagreements,
    decision_body,
    decision_document,
)
from hokusai_assets.digests import digest_json
from hokusai_assets_tests.conftest import Evaluated

FILE = "ab" * 32


@pytest.fixture
def core(evaluated: Evaluated) -> dict[str, Any]:
    """A core that every clause accepts: the measured one with better numbers."""
    core: dict[str, Any] = copy.deepcopy(evaluated["attestation"].core)
    core["metrics"]["accuracy"] |= {
        "baseline_millionths": 700_000,
        "candidate_millionths": 800_000,
        "p_value_pico": 1,
    }
    core["delta_one"] |= {"millionths": 100_000, "standard_error_nano": 10**6, "p_value_pico": 1}
    core["delta_one"]["null_standard_error_nano"] = 10**6
    for guard in core["guards"]:
        guard |= {"bound_nano": 0, "harm_p_pico": 10**12, "undefined": None, "skipped": None}
    return core


@pytest.fixture
def plan(evaluated: Evaluated) -> dict[str, Any]:
    body: dict[str, Any] = copy.deepcopy(evaluated["evaluation_plan"].body)
    return body


def body_of(core: Any, plan: Any, **changes: Any) -> dict[str, Any]:
    arguments = {"attempt": 1, "current": True, "candidate_file_sha256": FILE} | changes
    return decision_body(core, plan, **arguments)


def test_an_accepted_body_has_every_field(core: Any, plan: Any) -> None:
    body = body_of(core, plan, attempt=31)
    assert {k: v for k, v in body.items() if k != "clauses"} == {
        "decision_version": 1,
        "core_digest": core_digest(core),
        "plan_digest": digest_json(plan),
        "rule_version": 1,
        "lineage": "small",
        "model_id": "small",
        "m": 31,
        "alpha_m_pico": decision_rule.level_pico(plan["rule"], 31),
        "verdict": "accepted",
        "provisional": False,
        "measured_bps": 1000,
        "payable_bps": body["payable_bps"],
        "retire": "on_acceptance",
        "candidate_file_sha256": FILE,
        "training_root": plan["content_roots"]["merged"],
        "dry_run": False,
    }
    assert 0 < body["payable_bps"] < 1000
    assert [c["name"] for c in body["clauses"]] == [*decision_rule.CLAUSES, "current"]
    assert all(set(c) == {"name", "holds", "numbers"} and c["holds"] for c in body["clauses"])


@pytest.mark.parametrize(
    ("current", "verdict", "provisional"),
    [(True, "accepted", False), (False, "superseded", False), (None, "accepted", True)],
)
def test_the_ledger_has_the_last_word(
    core: Any, plan: Any, current: bool | None, verdict: str, provisional: bool
) -> None:
    body = body_of(core, plan, current=current)
    assert (body["verdict"], body["provisional"]) == (verdict, provisional)
    assert (body["payable_bps"] > 0) == (verdict == "accepted")
    answers = [c["holds"] for c in body["clauses"] if c["name"] == "current"]
    assert answers == ([] if current is None else [current])
    assert body_disagreements(body, core, plan) == []


@pytest.mark.parametrize("current", [True, False, None])
def test_what_fails_by_itself_is_rejected_whoever_was_first(
    core: Any, plan: Any, current: bool | None
) -> None:
    core["metrics"]["accuracy"]["candidate_millionths"] = 700_500
    body = body_of(core, plan, current=current)
    assert (body["verdict"], body["payable_bps"]) == ("rejected", 0)


def test_an_attempt_that_nobody_counted_stays_provisional(core: Any, plan: Any) -> None:
    assert body_of(core, plan, provisional=True)["provisional"] is True


def test_the_clause_current_alone_is_no_acceptance() -> None:
    """Clauses that are missing do not hold, whatever the ledger says."""
    for current in (True, False):
        verdict, reasons = decision_rule.verdict((decision_rule.current_clause(current),))
        assert verdict == "rejected"
        assert any("was not evaluated" in reason for reason in reasons)


def test_the_document_holds_the_body_and_its_place(core: Any, plan: Any) -> None:
    body = body_of(core, plan)
    assert decision_document(body, None) == {"body": body, "ledger": None}
    document = decision_document(body, LedgerEntry(entry="11" * 32, previous="22" * 32))
    assert document["ledger"] == {"entry": "11" * 32, "previous": "22" * 32}
    assert read_record(write_canonical(document, "d"), "d") == document


def test_every_field_of_a_body_is_bound(core: Any, plan: Any) -> None:
    """All but what only ledger and model can tell; these change what follows, or nothing else."""
    body = body_of(core, plan)
    told_elsewhere = {"provisional"}
    for field, value in body.items():
        other = not value if isinstance(value, bool) else f"{value}x"
        other = value + 1 if type(value) is int else other
        changed = {**body, field: [] if field == "clauses" else other}
        problems = body_disagreements(changed, core, plan)
        assert bool(problems) == (field not in told_elsewhere), field
    assert body_disagreements({**body, "more": None}, core, plan) == ["more"]
    with pytest.raises(KeyError):
        body_disagreements({k: v for k, v in body.items() if k != "m"}, core, plan)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"m": True}, "m"),
        ({"provisional": 0}, "provisional"),
        ({"candidate_file_sha256": "AB" * 32}, "candidate_file_sha256"),
        ({"candidate_file_sha256": None}, "candidate_file_sha256"),
        ({"dry_run": 0}, "dry_run"),
        ({"rule_version": True}, "rule_version"),
    ],
)
def test_true_is_no_one(core: Any, plan: Any, change: dict[str, Any], field: str) -> None:
    assert body_disagreements(body_of(core, plan) | change, core, plan) == [field]


def test_a_clause_holds_with_true_alone(core: Any, plan: Any) -> None:
    for index in (0, -1):
        body = copy.deepcopy(body_of(core, plan))
        body["clauses"][index]["holds"] = 1
        assert body_disagreements(body, core, plan) == ["clauses"]


def test_another_file_is_the_models_to_tell(core: Any, plan: Any) -> None:
    body = body_of(core, plan) | {"candidate_file_sha256": "cd" * 32}
    assert body_disagreements(body, core, plan) == []
