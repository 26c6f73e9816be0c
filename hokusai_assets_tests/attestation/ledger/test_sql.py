"""What the ledger counts, hands out and refuses."""

import dataclasses
import hashlib
import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.digests import digest_json
from hokusai_assets.errors import LedgerError, UsageError
from hokusai_assets.records import Attempt
from hokusai_assets_tests.attestation.ledger.conftest import Evaluation, sha


def verdicts(ledger: SqlLedger) -> list[tuple[str, str]]:
    """Kind of each entry, and its verdict or reason."""
    return [
        (e.kind, str(e.body.get("verdict") or e.body.get("reason") or e.body.get("attempt", "")))
        for e in ledger.entries()
    ]


def test_a_golden_chain(ledger: SqlLedger) -> None:
    one = Evaluation("a").on(ledger)
    one.commit(ledger)
    one.decide(ledger)
    entries = list(ledger.entries())
    assert [(e.sequence, e.kind) for e in entries] == [(1, "plan"), (2, "decision"), (3, "retire")]
    # Made outside this package: compact JSON with sorted keys is what RFC 8785 makes of ASCII text
    # and small integers.
    previous = None
    for entry in entries:
        members = {"sequence": entry.sequence, "kind": entry.kind, "body": entry.body}
        text = json.dumps(members | {"previous": previous}, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert entry.hash == previous
    assert previous == "05aba9d6c94fa7c41e8ec2089c1ec0cc0e5dba1ca7a869b2a621837150a15c89"
    assert ledger.check() == ()


def test_attempts_count_what_was_not_accepted_whoever_tries(ledger: SqlLedger) -> None:
    first, second, third = (Evaluation(name).on(ledger) for name in "abc")
    assert first.commit(ledger) == 1
    assert second.commit(ledger) == 2  # the first is pending, and a crashed run stays so for ever
    assert first.decide(ledger, good=False) == "rejected"
    other_model = replace(third, model="another", contribution="d")
    assert other_model.commit(ledger) == 3
    assert replace(third, lineage="elsewhere").on(ledger).commit(ledger) == 1
    assert second.decide(ledger) == "accepted"
    # After a promotion, on a new benchmark, the count goes on: a and d were not accepted.
    promoted = Evaluation("e").after(second, "benchmark-2").on(ledger)
    assert promoted.commit(ledger) == 3
    assert ledger.check() == ()


def test_the_same_plan_again_gets_its_old_number(ledger: SqlLedger) -> None:
    first = Evaluation("a").on(ledger)
    assert first.commit(ledger) == 1
    assert Evaluation("b").on(ledger).commit(ledger) == 2
    again = ledger.commit(first.plan_digest, first.plan)
    assert again == Attempt(number=1, provisional=False)
    assert len(list(ledger.entries())) == 2


def test_an_acceptance_makes_the_head_pays_the_rows_and_retires(ledger: SqlLedger) -> None:
    one = Evaluation("a").on(ledger)
    before = ledger.paid("reviews", sha("benchmark-1"))
    assert before.root == digest_json([]) and before.roots == ()
    one.commit(ledger)
    assert one.decide(ledger) == "accepted"
    assert ledger.rows("heads") == [
        {
            "model_id": "classifier",
            "candidate_file_sha256": sha(one.candidate),
            "training_root": sha(one.merged),
            "sequence": 2,
        }
    ]
    paid = ledger.paid("reviews", sha("benchmark-2"))
    assert paid.roots == tuple(sorted([sha("a"), sha("benchmark-1")]))
    assert paid.root == digest_json(sorted([sha("a"), sha("benchmark-1")]))
    with pytest.raises(LedgerError, match="was retired by entry 3"):
        Evaluation("b").after(one, "benchmark-1").on(ledger).commit(ledger)


def test_a_model_with_a_head_takes_no_other_baseline_nor_base(ledger: SqlLedger) -> None:
    one = Evaluation("a").on(ledger)
    one.commit(ledger)
    one.decide(ledger)
    right = Evaluation("b").after(one, "benchmark-2").on(ledger)
    for wrong, sentences in (
        (replace(right, baseline=None), ["The baseline (trained) is not the head"]),
        (replace(right, baseline="older"), ["is not the head"]),
        (replace(right, base="base"), ["The base data are not what the head"]),
        (replace(right, baseline=None, base="base"), ["not the head", "base data are not"]),
    ):
        with pytest.raises(LedgerError) as refused:
            wrong.commit(ledger)
        assert all(sentence in str(refused.value) for sentence in sentences)
    assert right.commit(ledger) == 1
    # Another model of the lineage has no head, and may train its baseline.
    assert replace(right, model="another", baseline=None, base="base").commit(ledger) == 2


def test_a_plan_cleaned_against_fewer_rows_than_are_paid_is_refused(ledger: SqlLedger) -> None:
    stale = Evaluation("b").on(ledger)
    one = Evaluation("a").on(ledger)
    one.commit(ledger)
    one.decide(ledger)
    late = replace(stale.after(one, "benchmark-2"), paid_root=stale.paid_root)
    with pytest.raises(LedgerError, match=r"since this contribution was cleaned\. Evaluate again"):
        late.commit(ledger)
    with pytest.raises(LedgerError, match="Evaluate again"):
        replace(late, paid_root=None).commit(ledger)
    assert len(list(ledger.entries())) == 3  # no attempt was used, and no benchmark retired
    assert late.on(ledger).commit(ledger) == 1


def test_another_benchmark_retires_the_live_one_and_what_hangs_on_it(ledger: SqlLedger) -> None:
    pending = Evaluation("a").on(ledger)
    pending.commit(ledger)
    other = Evaluation("b", benchmark="benchmark-2").on(ledger)
    # The run on the new benchmark knows the live one's rows as retired already.
    assert ledger.paid("reviews", sha("benchmark-2")).roots == (sha("benchmark-1"),)
    assert ledger.paid("reviews", sha("benchmark-1")).roots == ()
    assert other.commit(ledger) == 2
    assert verdicts(ledger) == [("plan", "1"), ("retire", "replaced"), ("plan", "2")]
    assert other.on(ledger) == other  # the same run again is the same plan
    assert pending.decide(ledger) == "superseded"
    with pytest.raises(LedgerError, match="was retired by entry 2"):
        Evaluation("c").on(ledger).commit(ledger)
    assert other.decide(ledger) == "accepted"
    assert ledger.check() == ()


def test_a_plan_that_is_refused_retires_nothing(ledger: SqlLedger) -> None:
    Evaluation("a").on(ledger).commit(ledger)
    with pytest.raises(LedgerError):
        Evaluation("b", benchmark="benchmark-2").commit(ledger)  # not cleaned against anything
    assert verdicts(ledger) == [("plan", "1")]


def test_k_attempts_that_were_not_accepted_retire(ledger: SqlLedger) -> None:
    tried = [Evaluation(name, attempts=3).on(ledger) for name in "abc"]
    for one in tried:
        one.commit(ledger)
    with pytest.raises(LedgerError, match="All 3 attempts"):  # pending ones have used theirs
        Evaluation("d", attempts=3).on(ledger).commit(ledger)
    for one in tried[:2]:
        one.decide(ledger, good=False)
    assert ledger.rows("benchmarks")[0]["retired_sequence"] is None
    tried[2].decide(ledger, good=False)
    assert verdicts(ledger)[-2:] == [("decision", "rejected"), ("retire", "attempts")]
    assert Evaluation("d", benchmark="benchmark-2").on(ledger).commit(ledger) == 4
    assert ledger.check() == ()


def test_the_last_attempt_can_still_be_accepted(ledger: SqlLedger) -> None:
    tried = [Evaluation(name, attempts=2).on(ledger) for name in "ab"]
    for one in tried:
        one.commit(ledger)
    assert tried[0].decide(ledger, good=False) == "rejected"
    assert tried[1].decide(ledger) == "accepted"


def test_retire_never_is_honoured(ledger: SqlLedger) -> None:
    first, second = (Evaluation(n, attempts=1, retire="never").on(ledger) for n in "ab")
    first.commit(ledger)
    first.decide(ledger, good=False)
    assert second.commit(ledger) == 2  # past K, at the level of the next block
    assert second.decide(ledger) == "accepted"
    third = replace(Evaluation("c", retire="never").after(second, "benchmark-1")).on(ledger)
    assert third.commit(ledger) == 2
    assert "retire" not in {kind for kind, _ in verdicts(ledger)}
    assert ledger.check() == ()


def test_a_benchmark_that_stays_live_does_not_pay_two_models_for_the_same_rows(
    ledger: SqlLedger,
) -> None:
    one = Evaluation("a", retire="never").on(ledger)
    other = replace(one, model="another")
    one.commit(ledger)
    other.commit(ledger)
    assert one.decide(ledger) == "accepted"
    assert other.decide(ledger) == "superseded"


def test_only_one_of_two_on_the_same_champion_is_accepted(ledger: SqlLedger) -> None:
    first, second = (Evaluation(name).on(ledger) for name in "ab")
    first.commit(ledger)
    second.commit(ledger)
    assert second.decide(ledger) == "accepted"
    assert first.decide(ledger) == "superseded"
    assert [row["verdict"] for row in ledger.rows("decisions")].count("accepted") == 1


def test_the_same_core_again_gets_what_was_appended(ledger: SqlLedger) -> None:
    """A run that crashed between the ledger and its files is repaired by running it again."""
    one = Evaluation("a").on(ledger)
    one.commit(ledger)
    first = one.recorded(ledger)
    again = ledger.append_decision(
        one.plan_digest, one.core_digest, lambda current: pytest.fail("nothing is decided again")
    )
    assert again == first
    assert first.body == one.body("accepted")
    entry = ledger.decision_entry(one.core_digest)
    assert entry is not None
    assert (entry.hash, entry.previous) == (first.entry_hash, first.previous)
    plan = ledger.plan_entry(one.plan_digest)
    assert plan is not None and plan.hash == first.previous


def test_a_plan_has_one_decision_whatever_another_machine_computes(ledger: SqlLedger) -> None:
    one = Evaluation("a").on(ledger)
    one.commit(ledger)
    one.decide(ledger, good=False)
    luckier = one.body("accepted", core_digest=sha("luckier"))
    with pytest.raises(LedgerError, match="the first decision stands"):
        ledger.append_decision(one.plan_digest, sha("luckier"), lambda current: luckier)
    other = Evaluation("b").on(ledger)
    other.commit(ledger)
    with pytest.raises(LedgerError, match="was decided by entry 2"):
        ledger.append_decision(other.plan_digest, one.core_digest, lambda _: other.body("accepted"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"verdict": "superseded"}, "superseded although benchmark and baseline are current"),
        ({"training_root": sha("x")}, "training_root is not the merged root"),
        ({"m": 7}, "decision's m is 7, that of its plan is 1"),
        ({"lineage": "x"}, "decision's lineage is x"),
        ({"provisional": True}, "provisional or a dry run's"),
        ({"dry_run": True}, "provisional or a dry run's"),
        ({"core_digest": sha("x")}, "names another plan or core"),
        ({"verdict": "perhaps"}, "which the ledger does not know"),
        ({"candidate_file_sha256": "abc"}, "candidate_file_sha256 is no SHA-256"),
        ({"training_root": None}, "training_root is of a wrong type"),
    ],
)
def test_a_decision_that_does_not_fit_its_plan_is_refused(
    ledger: SqlLedger, changes: dict[str, object], sentence: str
) -> None:
    one = Evaluation("a").on(ledger)
    one.commit(ledger)
    body = one.body("accepted") | changes
    with pytest.raises(LedgerError, match=sentence):
        ledger.append_decision(one.plan_digest, one.core_digest, lambda current: body)
    assert len(list(ledger.entries())) == 1


def test_an_acceptance_that_is_not_current_is_refused(ledger: SqlLedger) -> None:
    first, second = (Evaluation(name).on(ledger) for name in "ab")
    first.commit(ledger)
    second.commit(ledger)
    second.decide(ledger)
    with pytest.raises(LedgerError, match="it is superseded"):
        ledger.append_decision(
            first.plan_digest, first.core_digest, lambda current: first.body("accepted")
        )


def test_a_decision_without_its_plan_is_refused(ledger: SqlLedger) -> None:
    one = Evaluation("a").on(ledger)
    with pytest.raises(LedgerError, match="was never committed here"):
        one.decide(ledger)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("dry_run",), True, "dry run's"),
        (("rule", "lineage"), "", "rule.lineage is empty or too long"),
        (("rule", "retire"), "later", "does not know"),
        (("rule", "attempts_per_benchmark"), 0, "is below 1"),
        (("rule", "attempts_per_benchmark"), True, "is of a wrong type"),
        (("content_roots", "base"), "ABC", "content_roots.base is no SHA-256"),
        (("content_roots", "contributions"), [{}], r"contributions\[0\] lacks cleaned"),
        (("baseline",), {"file": "x"}, "lacks baseline.file_sha256"),
        (("rule",), {}, "lacks rule.retire"),
    ],
)
def test_a_plan_that_the_ledger_does_not_understand_counts_nothing(
    ledger: SqlLedger, path: tuple[str, ...], value: object, sentence: str
) -> None:
    plan = Evaluation("a").on(ledger).plan
    *parents, last = path
    place = plan
    for name in parents:
        place = place[name]
    place[last] = value
    with pytest.raises(LedgerError, match=sentence):
        ledger.commit(digest_json(plan), plan)
    assert ledger.checkpoint() is None


def test_a_plan_under_another_digest_is_refused(ledger: SqlLedger) -> None:
    with pytest.raises(LedgerError, match="is not that of its canonical JSON"):
        ledger.commit(sha("x"), Evaluation("a").on(ledger).plan)


def test_minting_needs_an_acceptance_and_happens_once(ledger: SqlLedger) -> None:
    first, second = (Evaluation(name).on(ledger) for name in "ab")
    for one in (first, second):
        one.commit(ledger)
    with pytest.raises(LedgerError, match="never decided here"):
        ledger.record_mint(first.core_digest, sha("request"))
    assert ledger.accepted_entry(first.core_digest) is None
    first.decide(ledger)
    second.decide(ledger)
    with pytest.raises(LedgerError, match="was superseded: nothing can be minted"):
        ledger.record_mint(second.core_digest, sha("request"))
    assert ledger.accepted_entry(second.core_digest) is None
    accepted = ledger.accepted_entry(first.core_digest)
    assert accepted is not None and accepted.body["verdict"] == "accepted"
    minted = ledger.record_mint(first.core_digest, sha("request"))
    assert ledger.record_mint(first.core_digest, sha("another deadline")) == minted
    entry = ledger.mint_entry(first.core_digest)
    assert entry is not None and entry.hash == minted
    assert [kind for kind, _ in verdicts(ledger)].count("mint") == 1
    assert ledger.check() == ()


def test_what_stands_in_the_ledger_is_read_by_another_process(tmp_path: Path) -> None:
    path = str(tmp_path / "new folder" / "ledger.sqlite")
    one = Evaluation("a").on(SqlLedger(path, "create"))
    one.commit(SqlLedger(path))
    assert one.decide(SqlLedger(f"sqlite:///{path}", "create")) == "accepted"
    reader = SqlLedger(path, "read")
    assert reader.check() == ()
    with pytest.raises(LedgerError, match="cannot be read or written"):
        Evaluation("b").after(one, "benchmark-2").on(reader).commit(reader)


def test_a_ledger_is_opened_or_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no ledger .*nowhere"):
        SqlLedger(str(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(UsageError, match="has no name"):
        SqlLedger(" ", "create")
    with pytest.raises(UsageError, match="in memory keeps nothing"):
        SqlLedger("sqlite://", "create")
    with pytest.raises(UsageError, match="not one of SQLAlchemy's"):
        SqlLedger("nosuch://host/name")
    text = tmp_path / "text"
    text.write_text("no database, but long enough to be looked at as one " * 20)
    with pytest.raises(LedgerError, match="check that it is a ledger"):
        SqlLedger(str(text))
    sqlite3.connect(tmp_path / "empty").execute("CREATE TABLE other (x)")
    with pytest.raises(UsageError, match="is no ledger"):
        SqlLedger(str(tmp_path / "empty"))


def test_a_password_in_a_url_is_not_told(tmp_path: Path) -> None:
    with pytest.raises((LedgerError, UsageError)) as refused:
        SqlLedger("postgresql://someone:hunter2@127.0.0.1:1/ledger")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "sentence"), [("2", "update hokusai-assets"), ("", "damaged"), ("0", "damaged")]
)
def test_a_newer_or_damaged_version_is_refused(
    ledger: SqlLedger, tmp_path: Path, value: str, sentence: str
) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE ledger_meta SET value = ?", [value])
    for mode in ("create", "write", "read"):
        with pytest.raises(LedgerError, match=sentence):
            SqlLedger(str(path), mode)


def test_the_package_imports_nothing_heavy() -> None:
    heavy = "dagster mlflow pandas polars duckdb pyarrow scipy sklearn sqlalchemy".split()
    code = (
        "import sys, hokusai_assets.attestation.ledger as _; "
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_records_are_frozen(ledger: SqlLedger) -> None:
    paid = ledger.paid("reviews", sha("benchmark-1"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        paid.root = ""  # type: ignore[misc]
