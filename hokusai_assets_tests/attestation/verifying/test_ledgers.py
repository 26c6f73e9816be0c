"""What a ledger says of a bundle: counted, in which order, and whether it was paid already."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.bundle import CORE, DECISION, MANIFEST, PLAN, manifest_of
from hokusai_assets.attestation.decision import LedgerEntry, decision_body, decision_document
from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.attestation.plan import derive_seed
from hokusai_assets.attestation.verifying.outcome import Step
from hokusai_assets.attestation.verifying.verify import Question, verify
from hokusai_assets.digests import canonical_json, digest_json
from hokusai_assets_tests.attestation.verifying.conftest import forged, load, store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.sqlite")


def counted(place: Path, url: str) -> None:
    """Make a bundle one that a ledger counted: its plan committed there, its decision appended."""
    ledger = SqlLedger(url, "create")
    core, plan = load(place, CORE), load(place, PLAN)
    plan["paid_root"] = ledger.paid(
        plan["rule"]["lineage"], plan["content_roots"]["benchmark_received"]
    ).root
    digest = digest_json(plan)
    core |= {"paid_root": plan["paid_root"], "plan_digest": digest}
    core["seeds"] = [derive_seed(digest, None, index) for index in range(len(core["seeds"]))]
    attempt = ledger.commit(digest, plan)
    model = load(place, DECISION)["body"]["candidate_file_sha256"]
    recorded = ledger.append_decision(
        digest,
        digest_json(core),
        lambda current: decision_body(
            core,
            plan,
            attempt=attempt.number,
            current=current,
            candidate_file_sha256=model,
            provisional=attempt.provisional,
        ),
    )
    place_in = LedgerEntry(str(recorded.entry_hash), str(recorded.previous))
    (place / CORE).write_bytes(canonical_json(core))
    (place / PLAN).write_bytes(canonical_json(plan))
    store(place, DECISION, decision_document(recorded.body, place_in))


def steps(place: Path, url: str, checkpoint: str | None = None) -> dict[str, Step]:
    found = verify(str(place), Question(None, url, checkpoint))
    return {step.name: step for step in found.steps}


def test_a_decision_that_the_ledger_holds_is_no_replay(place: Path, url: str) -> None:
    counted(place, url)
    found = steps(place, url)
    assert found["decision"].verdict == "holds"
    assert found["ledger"].verdict == "holds"
    assert found["replay"].verdict == "holds"
    assert found["order"].verdict == "not proven"
    assert verify(str(place), Question(None, url)).exit_code == 3  # unsigned still


def test_order_is_proven_by_a_hash_that_was_kept(place: Path, url: str) -> None:
    counted(place, url)
    ledger = SqlLedger(url, "read")
    newest = ledger.checkpoint()
    assert newest is not None
    assert steps(place, url, newest.entry_hash)["order"].verdict == "holds"
    first = next(iter(ledger.entries()))
    assert steps(place, url, first.hash)["order"].verdict == "not proven"
    unknown = steps(place, url, "ab" * 32)
    assert unknown["order"].verdict == "fails"
    assert "not in the ledger" in unknown["order"].sentence


def test_an_entry_that_is_not_there_is_no_entry(place: Path, url: str, tmp_path: Path) -> None:
    counted(place, url)
    other = str(tmp_path / "other.sqlite")
    SqlLedger(other, "create")
    found = steps(place, other)
    assert found["ledger"].verdict == "fails"
    assert "ledger.entry" in found["ledger"].sentence


def test_a_bundle_that_claims_no_entry_is_provisional(place: Path, url: str) -> None:
    SqlLedger(url, "create")
    found = steps(place, url)
    assert found["ledger"].verdict == "provisional"
    assert found["replay"].verdict == "holds"


def test_the_same_core_by_another_bundle_is_a_replay(place: Path, url: str, tmp_path: Path) -> None:
    counted(place, url)
    other = shutil.copytree(place, tmp_path / "other")
    decision = load(other, DECISION)
    decision["ledger"] = None
    decision["body"] = decision_body(
        load(other, CORE),
        load(other, PLAN),
        attempt=1,
        current=None,
        candidate_file_sha256=decision["body"]["candidate_file_sha256"],
    )
    store(other, DECISION, decision)
    found = verify(str(other), Question(None, url))
    assert found.exit_code == 5
    assert {s.name: s.verdict for s in found.steps}["ledger"] == "replay"


@pytest.fixture
def accepting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that accepts everything."""
    monkeypatch.setattr("hokusai_assets.decision_rule.verdict", lambda clauses: ("accepted", ()))


def accepted(place: Path, change: Callable[[Any], None] = lambda core: None) -> None:
    """The bundle as that rule would have it, with a changed core."""
    forged(place, lambda core, plan: change(core))


@pytest.mark.usefixtures("accepting")
def test_a_contribution_accepted_under_another_core_is_a_replay(
    place: Path, url: str, tmp_path: Path
) -> None:
    counted(shutil.copytree(place, tmp_path / "other"), url)
    accepted(place)
    found = verify(str(place), Question(None, url))
    assert found.exit_code == 5
    replay = {step.name: step for step in found.steps}["replay"]
    assert replay.verdict == "replay"
    assert "accepted in entry 2" in replay.sentence


@pytest.mark.usefixtures("accepting")
def test_what_was_paid_before_and_brought_no_row_is_none(
    place: Path, url: str, tmp_path: Path
) -> None:
    counted(shutil.copytree(place, tmp_path / "other"), url)

    def nothing_kept(core: Any) -> None:
        for counts in core["counts"]:
            counts["already_paid"] += counts["kept"]
            counts["kept"] = 0

    accepted(place, nothing_kept)
    assert steps(place, url)["replay"].verdict == "holds"


def test_what_is_not_accepted_claims_nothing(
    place: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as rule:
        rule.setattr("hokusai_assets.decision_rule.verdict", lambda clauses: ("accepted", ()))
        counted(shutil.copytree(place, tmp_path / "other"), url)
    found = verify(str(place), Question(None, url))  # rejected, of the same contributions
    assert load(place, DECISION)["body"]["verdict"] == "rejected"
    assert found.exit_code == 3
    assert {s.name: s.verdict for s in found.steps}["replay"] == "holds"


def test_another_decision_than_the_ledgers_is_found(place: Path, url: str) -> None:
    counted(place, url)
    decision = load(place, DECISION)
    decision["ledger"]["previous"] = "ab" * 32
    store(place, DECISION, decision)
    found = steps(place, url)["ledger"]
    assert (found.verdict, "ledger.previous" in found.sentence) == ("fails", True)


def test_a_broken_ledger_proves_nothing(place: Path, url: str) -> None:
    import sqlite3

    counted(place, url)
    with sqlite3.connect(url) as book:
        (table,) = [
            name
            for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name.endswith("entries")
        ]
        columns = [row[1] for row in book.execute(f"PRAGMA table_info({table})")]
        content = next(name for name in columns if name in {"content", "body", "entry"})
        (old,) = book.execute(f"SELECT {content} FROM {table} WHERE sequence = 1").fetchone()
        new = old.replace(b"plan", b"plam") if isinstance(old, bytes) else old.replace("plan", "x")
        book.execute(f"UPDATE {table} SET {content} = ? WHERE sequence = 1", (new,))
    found = steps(place, url)
    assert found["ledger"].verdict == "fails"
    assert "broken" in found["ledger"].sentence


def test_the_manifest_fits_what_was_counted(place: Path, url: str) -> None:
    counted(place, url)
    assert json.loads((place / MANIFEST).read_bytes()) == manifest_of(place)
    assert any_audit(place)


def any_audit(place: Path) -> Any:
    return sorted((place / "audit").rglob("*"))
