"""Many writers at the same moment: each attempt has its own number, and one acceptance wins."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.attestation.ledger.database import Database
from hokusai_assets.errors import LedgerError
from hokusai_assets_tests.attestation.ledger.conftest import Evaluation, sha

PROCESSES = 5


def commit_some(path: str, names: list[str], gate: Any, results: Any) -> None:
    """In a process of its own, and there in as many threads as names."""
    evaluations = [Evaluation(name, attempts=100).on(SqlLedger(path)) for name in names]
    gate.wait()
    with ThreadPoolExecutor(len(names)) as pool:
        results.put(list(pool.map(lambda one: one.commit(SqlLedger(path)), evaluations)))


def evaluate_some(path: str, names: list[str], gate: Any, results: Any) -> None:
    """Likewise: all are committed before any is decided."""
    evaluations = [Evaluation(name).on(SqlLedger(path)) for name in names]
    for one in evaluations:
        one.commit(SqlLedger(path))
    gate.wait()
    with ThreadPoolExecutor(len(names)) as pool:
        verdicts = pool.map(lambda one: one.decide(SqlLedger(path)), evaluations)
        results.put(list(zip(names, verdicts, strict=True)))


def in_processes(work: Callable[..., None], path: str, each: int) -> list[Any]:
    """What `work` gave in all processes."""
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(PROCESSES), context.Queue()
    children = []
    for process in range(PROCESSES):
        names = [f"{process}-{index}" for index in range(each)]
        child = context.Process(target=work, args=(path, names, gate, results))
        child.start()
        children.append(child)
    found = [item for _ in children for item in results.get(timeout=60)]
    for child in children:
        child.join()
        assert child.exitcode == 0
    return found


def test_fifty_at_once_get_fifty_numbers(ledger: SqlLedger, tmp_path: Path) -> None:
    numbers = in_processes(commit_some, str(tmp_path / "ledger.sqlite"), each=10)
    assert sorted(numbers) == list(range(1, 51))
    assert ledger.check() == ()


def test_one_of_twenty_on_one_champion_wins(ledger: SqlLedger, tmp_path: Path) -> None:
    found = in_processes(evaluate_some, str(tmp_path / "ledger.sqlite"), each=4)
    assert sorted(verdict for _, verdict in found) == ["accepted"] + ["superseded"] * 19
    (name,) = [name for name, verdict in found if verdict == "accepted"]
    winner = Evaluation(name)
    (head,) = ledger.rows("heads")
    assert head["training_root"] == sha(winner.merged)
    assert ledger.check() == ()
    # All twenty are to be evaluated anew, on the new champion; nineteen attempts were used.
    again = Evaluation("again").after(winner, "benchmark-2").on(ledger)
    assert again.commit(ledger) == 20


def test_the_same_plan_at_once_is_one_attempt(ledger: SqlLedger, tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.sqlite")
    one = Evaluation("a").on(ledger)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: one.commit(SqlLedger(path)), range(8)))
        verdicts = list(pool.map(lambda _: one.decide(SqlLedger(path)), range(8)))
    assert numbers == [1] * 8
    assert verdicts == ["accepted"] * 8
    assert [entry.kind for entry in ledger.entries()] == ["plan", "decision", "retire"]


def test_a_new_ledger_is_made_by_one_of_many(tmp_path: Path) -> None:
    path = str(tmp_path / "new.sqlite")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: SqlLedger(path, "create").checkpoint(), range(8)))
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM ledger_meta").fetchall() == [(1,)]


def test_writers_that_do_not_queue_are_told_apart_by_the_unique_sequence(
    ledger: SqlLedger, tmp_path: Path
) -> None:
    """As on a database without BEGIN IMMEDIATE: the loser of a race begins again."""
    path = str(tmp_path / "ledger.sqlite")
    evaluations = [Evaluation(f"c{index}").on(ledger) for index in range(6)]

    def run(one: Evaluation) -> int:
        return one.commit(SqlLedger(path, immediate=False))

    with ThreadPoolExecutor(3) as pool:
        numbers = list(pool.map(run, evaluations))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    assert ledger.check() == ()


def test_a_lost_race_is_run_again_from_the_start(
    ledger: SqlLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one commits between our reading of the newest entry and our appending."""
    from hokusai_assets.attestation.ledger.sql_book import SqlBook

    path = str(tmp_path / "ledger.sqlite")
    ours, theirs = Evaluation("ours").on(ledger), Evaluation("theirs").on(ledger)
    number = theirs.commit(ledger)
    last, stale = SqlBook.last, [None]

    def once_behind(book: SqlBook) -> tuple[int, str] | None:
        return stale.pop() if stale else last(book)

    monkeypatch.setattr(SqlBook, "last", once_behind)
    assert (number, ours.commit(SqlLedger(path))) == (1, 2)
    assert not stale
    assert ledger.check() == ()


def test_what_never_wins_a_race_gives_up_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(str(tmp_path / "ledger.sqlite"), "create")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    tried = []

    def lose(connection: object) -> None:
        tried.append(connection)
        meta = database.tables["meta"]
        connection.execute(meta.insert().values(name="schema_version", value="1"))  # type: ignore[attr-defined]

    with pytest.raises(LedgerError, match="too busy: evaluate again later"):
        database.write(lose)
    assert len(tried) > 10


def test_nothing_of_a_refused_append_stays(ledger: SqlLedger) -> None:
    one = Evaluation("a").on(ledger)
    one.commit(ledger)
    before = [ledger.rows(table) for table in ("plans", "lineages", "benchmarks", "paid")]

    def crash(current: bool | None) -> dict[str, object]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.append_decision(one.plan_digest, one.core_digest, crash)
    assert [ledger.rows(t) for t in ("plans", "lineages", "benchmarks", "paid")] == before
    assert one.decide(ledger) == "accepted"
