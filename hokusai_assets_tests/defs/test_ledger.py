"""Evaluations that a ledger counts, from file to acceptance, promotion, crash and replay."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.contribution.paid_rows import PaidStore
from hokusai_assets.defs import results
from hokusai_assets.defs.running import failure_of
from hokusai_assets.errors import OutputDirError
from hokusai_assets.records import TrainedModel
from hokusai_assets_tests.conftest import OTHER_WALLET, make_rows, write_csv
from hokusai_assets_tests.defs.conftest import CONTRIBUTION, House, attested
from hokusai_assets_tests.defs.test_storage import failure_message

pytestmark = pytest.mark.slow


def test_from_acceptance_to_promotion_nothing_is_paid_twice(house: House) -> None:
    first = house.run(CONTRIBUTION)
    accepted = attested(first)
    assert accepted.decision.verdict == "accepted"
    assert not accepted.decision.provisional
    assert accepted.decision.clauses[-1].name == "current"
    assert house.kinds() == ["plan", "decision", "retire"]
    assert house.ledger.check() == ()
    entry = house.ledger.accepted_entry(accepted.core_digest)
    assert entry is not None
    assert entry.body["payable_bps"] == accepted.decision.payable_bps
    task_lineage = "small"
    paid = house.ledger.paid(task_lineage, "")
    cleaned = first.output_for_node("contributed_data").contributions[0].content_root_cleaned
    benchmark = first.output_for_node("benchmark_dataset").content_root_received
    assert set(paid.roots) == {cleaned, benchmark}
    assert (house.folder / "ledger.sqlite.paid").is_dir()

    # On the benchmark that the acceptance retired, nothing more is evaluated.
    assert "was retired, and its rows may be known" in failure_message(house.run())
    rows = make_rows(800, 5, "u")
    write_csv(house.folder / "benchmark.csv", [*rows, make_rows(800, 2, "t2-")[17]])
    assert "holds 1 row that a contributor was paid for" in failure_message(house.run())

    # The same rows again, under another name: nothing is left of them, promoted or not.
    house.benchmark(5)
    mallory = {"contributor": ("mallory", OTHER_WALLET)}
    renamed = [{**row, "key": f"m{index}"} for index, row in enumerate(CONTRIBUTION)]
    assert "paid for before: 300" in failure_message(house.run(renamed, **mallory))
    plus = [*renamed, *make_rows(1, 77, "x")]
    assert "is not the head of model small" in failure_message(house.run(plus, **mallory))
    promoted = house.promote(first)
    assert "paid for before: 300" in failure_message(house.run(renamed, **mallory, **promoted))
    assert house.kinds() == ["plan", "decision", "retire"]  # none of it was an attempt

    # With a row more it is evaluated, and gains nothing; the attempts go on counting.
    second = attested(house.run(plus, **mallory, **promoted))
    assert second.core["counts"][0]["already_paid"] == 300
    assert second.decision.verdict == "rejected"
    third = house.run(make_rows(40, 9, "z"), **mallory, **promoted)
    assert (second.decision.attempt, attested(third).decision.attempt) == (1, 2)
    assert house.ledger.check() == ()


def test_the_same_evaluation_again_is_the_same_attempt(house: House) -> None:
    weak = make_rows(20, 9, "w")
    first, again = attested(house.run(weak)), attested(house.run(weak))
    assert first.decision == again.decision
    assert first.core_digest == again.core_digest
    assert house.kinds() == ["plan", "decision"]
    other = attested(house.run(make_rows(21, 9, "w")))
    assert other.decision.attempt == 2
    assert other.decision.alpha_pico == first.decision.alpha_pico  # one block of K attempts


def test_two_that_began_on_one_champion_are_not_both_accepted(house: House) -> None:
    """Both are trained before either is decided, as at the same time."""
    begun = ("base_dataset", "benchmark_dataset", "contributed_data", "merged_dataset")
    begun += ("evaluation_plan", "baseline_model", "new_model", "benchmark_metrics")
    begun += ("delta_report",)
    slow = house.run(CONTRIBUTION, *begun)
    assert slow.success
    fast = house.run(CONTRIBUTION[:-1], contributor=("bob", OTHER_WALLET))
    assert attested(fast).decision.verdict == "accepted"
    # The slow one's last step, on what its own run stored.
    write_csv(house.folder / "contribution.csv", CONTRIBUTION)
    config = {"io_manager": {"config": {"run_id": slow.run_id}}}
    late = attested(run_last(house, config))
    assert late.decision.verdict == "superseded"
    assert late.decision.payable_bps == 0
    assert late.decision.attempt == 1
    assert house.kinds() == ["plan", "plan", "decision", "retire", "decision"]
    assert results.result_disagreements(late) == []
    assert house.ledger.check() == ()
    page = Path(late.report_path).read_text(encoding="utf-8")
    assert "Superseded" in page
    assert "another contribution was accepted" in page


def run_last(house: House, resources: dict[str, Any]) -> dg.ExecuteInProcessResult:
    """The last asset alone."""
    return house.run(None, "attestation", resources=resources)


def test_a_crash_after_the_entry_is_repaired_from_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> str:
        raise OutputDirError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(results, "write_once", crash)
        assert "The disk is full." in failure_message(house.run(CONTRIBUTION))
    assert house.kinds() == ["plan", "decision", "retire"]
    assert not list((house.folder / "out").glob("attestation_*"))
    repaired = attested(run_last(house, {}))
    assert repaired.decision.verdict == "accepted"
    assert house.kinds() == ["plan", "decision", "retire"]
    document = json.loads(Path(repaired.attestation_path).read_text())
    entry = house.ledger.accepted_entry(document["core_digest"])
    assert entry is not None and entry.body["m"] == document["decision"]["attempt"] == 1


def test_a_crashed_run_has_used_its_attempt(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any, **__: Any) -> TrainedModel:
        raise OutputDirError("The machine stopped.")

    with monkeypatch.context() as broken:
        broken.setattr("hokusai_assets.modeling.training.train", crash, raising=True)
        assert not house.run(make_rows(20, 9, "w")).success
    assert house.kinds() == ["plan"]
    assert attested(house.run(make_rows(21, 10, "v"))).decision.attempt == 2


def test_a_crash_before_the_entry_leaves_rows_that_nobody_was_paid_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise OutputDirError("The machine stopped.")

    with monkeypatch.context() as broken:
        broken.setattr(SqlLedger, "append_decision", crash)
        assert not house.run(CONTRIBUTION).success
    assert house.ledger.paid("small", "").roots != ()  # the live benchmark, for another one's run
    kept = list((house.folder / "ledger.sqlite.paid").glob("*/*"))
    assert len(kept) == 2  # the benchmark's rows, and the contribution's as an orphan
    assert attested(house.run(CONTRIBUTION)).decision.verdict == "accepted"


def test_without_the_rows_paid_for_nothing_is_evaluated(house: House) -> None:
    first = attested(house.run(CONTRIBUTION))
    assert first.decision.verdict == "accepted"
    store = house.folder / "ledger.sqlite.paid"
    store.rename(house.folder / "elsewhere")
    house.benchmark(5)
    assert "restore the store of paid rows" in failure_message(house.run())
    moved = {"backend": "sql", "url": str(house.folder / "ledger.sqlite")}
    moved["store"] = str(house.folder / "elsewhere")
    assert "paid for before: 300" in failure_message(house.run(ledger=moved))


def test_a_url_with_a_password_is_given_by_environment_variable(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(house.folder / "ledger.sqlite")
    monkeypatch.setenv("LEDGER_URL", f"sqlite:///{path}")
    result = house.run(
        make_rows(20, 9, "w"), ledger={"backend": "sql", "url": {"env": "LEDGER_URL"}}
    )
    assert not attested(result).decision.provisional
    assert house.kinds() == ["plan", "decision"]


def test_a_dry_run_touches_no_ledger(house: House) -> None:
    result = house.run(CONTRIBUTION, job="dry_run")
    assert attested(result).decision.provisional
    assert not (house.folder / "ledger.sqlite").exists()
    assert not (house.folder / "ledger.sqlite.paid").exists()


def test_without_a_ledger_the_decision_is_provisional(house: House) -> None:
    found = attested(house.run(CONTRIBUTION, ledger={}))
    assert found.decision.provisional
    assert found.decision.attempt == 1
    assert found.core["paid_root"] is None
    assert "current" not in {clause.name for clause in found.decision.clauses}


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"backend": "sql"}, "The ledger has no name"),
        ({"url": "ledger.sqlite"}, "but its backend is none"),
        ({"backend": "sql", "url": "postgresql://host/name"}, "config.store is empty"),
    ],
)
def test_a_configuration_that_contradicts_itself_is_refused_at_once(
    house: House, config: dict[str, str], sentence: str
) -> None:
    result = house.run(CONTRIBUTION, ledger=config)
    assert not result.success
    with dg.DagsterInstance.get() as instance:
        message, exit_code = failure_of(instance, result.run_id)
    assert sentence in message
    assert exit_code == 2
    assert not (house.folder / "ledger.sqlite").exists()


def test_what_is_kept_holds_no_id(house: House) -> None:
    rows = [{**row, "key": f"canary-{index}"} for index, row in enumerate(CONTRIBUTION)]
    result = house.run(rows)
    assert attested(result).decision.verdict == "accepted"
    files = [p for p in house.folder.rglob("ledger.sqlite*/**/*") if p.is_file()]
    contents = [house.folder / "ledger.sqlite", *files]
    assert len(files) >= 4
    assert not [p for p in contents if b"canary-" in p.read_bytes()]
    run = result.output_for_node("contributed_data")
    from hokusai_assets.task import load_task

    task = load_task(house.folder / "task.toml").task
    store = PaidStore(str(house.folder / "ledger.sqlite.paid"), task, run.pii_key_id)
    for root in house.ledger.paid("small", "").roots:
        assert store.damage(root) is None
