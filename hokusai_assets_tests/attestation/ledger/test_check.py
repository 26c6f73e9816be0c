"""What `check` finds: a change of any cell, an entry moved, taken away or made up."""

import hashlib
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.attestation.ledger.entries import Entry, read_entry
from hokusai_assets.errors import LedgerBrokenError, UsageError
from hokusai_assets_tests.attestation.ledger.conftest import Evaluation, sha


def tables(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        return [name for (name,) in database.execute(query)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which everything happened once."""
    path = tmp_path_factory.mktemp("written") / "ledger.sqlite"
    ledger = SqlLedger(str(path), "create")
    declined, one, late = (Evaluation(name).on(ledger) for name in "abc")
    for evaluation in (declined, one, late):
        evaluation.commit(ledger)
    declined.decide(ledger, good=False)
    one.decide(ledger)
    late.decide(ledger)
    ledger.record_mint(one.core_digest, sha("request"))
    pending = Evaluation("d").after(one, "benchmark-2").on(ledger)
    pending.commit(ledger)
    replace(pending, benchmark="benchmark-3").on(ledger).commit(ledger)
    assert ledger.check() == ()
    return path


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path / "copy.sqlite"))


def broken(path: Path, checkpoint: str | None = None) -> list[str]:
    return [f"{p.where}: {p.sentence}" for p in SqlLedger(str(path), "read").check(checkpoint)]


def test_every_kind_of_entry_stands_in_the_tested_ledger(written: Path) -> None:
    kinds = [entry.kind for entry in SqlLedger(str(written)).entries()]
    assert set(kinds) == {"plan", "decision", "retire", "mint"}
    with sqlite3.connect(written) as database:
        for table in tables(written):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() > (0,)


@pytest.mark.slow
def test_a_change_of_any_cell_is_found(written: Path, tmp_path: Path) -> None:
    tried = 0
    with sqlite3.connect(written) as database:
        cells = [
            (table, row, column)
            for table in tables(written)
            if table != "ledger_meta"  # the version, of which opening says what is wrong
            for row in range(1, database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] + 1)
            for (_, column, *_) in database.execute(f"PRAGMA table_info({table})").fetchall()
        ]
    for table, row, column in cells:
        path = Path(shutil.copy(written, tmp_path / "changed.sqlite"))
        with sqlite3.connect(path) as database:
            chosen = f"WHERE rowid = (SELECT rowid FROM {table} ORDER BY rowid LIMIT 1 OFFSET ?)"
            query = f"SELECT {column} FROM {table} {chosen}"
            (old,) = database.execute(query, [row - 1]).fetchone()
            new = changed(old)
            database.execute(f"UPDATE {table} SET {column} = ? {chosen}", [new, row - 1])
        assert broken(path), (table, row, column, old)
        tried += 1
    assert tried > 100


def changed(old: Any) -> Any:
    if isinstance(old, int):
        return old + 1000
    if old is None:
        return 1
    return old[:-2] + ("0" if old[-2] != "0" else "1") + old[-1]


def test_a_row_that_is_taken_away_is_found(written: Path, tmp_path: Path) -> None:
    for table in tables(written):
        if table in {"ledger_meta", "ledger_entries"}:
            continue
        path = Path(shutil.copy(written, tmp_path / "changed.sqlite"))
        with sqlite3.connect(path) as database:
            database.execute(f"DELETE FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table})")
        assert any("is missing" in problem for problem in broken(path)), table


def test_a_row_that_is_made_up_is_found(copy: Path) -> None:
    with sqlite3.connect(copy) as database:
        values = ("reviews", sha("x"), "contribution", 1)
        database.execute("INSERT INTO ledger_paid VALUES (?, ?, ?, ?)", values)
    assert broken(copy) == [f"table paid: The row reviews {sha('x')[:16]} follows from no entry."]


def test_entries_that_changed_places_are_found(copy: Path) -> None:
    with sqlite3.connect(copy) as database:
        for old, new in ((2, -1), (3, 2), (-1, 3)):
            database.execute(
                "UPDATE ledger_entries SET sequence = ? WHERE sequence = ?", [new, old]
            )
    problems = broken(copy)
    assert any(p.startswith("entry 2: Its predecessor is not") for p in problems)
    assert any("It says that it is entry 3" in p for p in problems)


def rehash(path: Path, change: dict[int, Any], drop: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    """Write the chain anew as an operator could who owns the file: every hash fits again."""
    entries = list(SqlLedger(str(path)).entries())
    previous: str | None = None
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM ledger_entries")
        sequence = 0
        for entry in entries:
            if entry.sequence in drop:
                continue
            sequence += 1
            body = change.get(entry.sequence, lambda b: b)(dict(entry.body))
            new = Entry(sequence, previous, entry.kind, body)
            row = (sequence, new.hash, previous, new.kind, new.content.decode())
            database.execute("INSERT INTO ledger_entries VALUES (?, ?, ?, ?, ?)", row)
            previous = new.hash


@pytest.mark.parametrize(
    ("sequence", "change", "sentence"),
    [
        (1, lambda b: b | {"attempt": 2}, "Its attempt number is 2, and 1 is due"),
        (2, lambda b: b | {"plan_digest": sha("x")}, "is not that of its canonical JSON"),
        (4, lambda b: b | {"verdict": "superseded"}, "superseded although"),
        (5, lambda b: b | {"training_root": sha("x")}, "training_root is not the merged root"),
        (6, lambda b: b | {"reason": "attempts"}, "demands that its benchmark is retired"),
        (7, lambda b: b | {"verdict": "accepted"}, "The decision accepts although"),
        (8, lambda b: b | {"core_digest": sha("x")}, "The core was never decided"),
        (10, lambda b: b | {"lineage": "x"}, "retires a benchmark that is not live"),
        (8, lambda b: b | {"request_sha256": "x"}, "request_sha256 is no SHA-256"),
        (9, lambda b: {}, "not of its form"),
    ],
)
def test_a_chain_that_was_written_anew_still_has_to_keep_the_rules(
    copy: Path, sequence: int, change: Any, sentence: str
) -> None:
    rehash(copy, {sequence: change})
    assert any(sentence in problem for problem in broken(copy)), broken(copy)


@pytest.mark.slow
def test_a_member_that_is_something_else_is_a_break_and_never_a_crash(
    written: Path, tmp_path: Path
) -> None:
    for entry in SqlLedger(str(written)).entries():
        for path in paths_in(entry.body):
            for value in (None, 7, "x" * 64, [[]]):
                copied = Path(shutil.copy(written, tmp_path / "changed.sqlite"))
                rehash(copied, {entry.sequence: lambda b, p=path, v=value: replaced(b, p, v)})
                same = replaced(dict(entry.body), path, value) == entry.body
                assert same or broken(copied), (entry.kind, path, value)


def paths_in(value: Any, start: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [start] if start else []
    for name, item in value.items() if isinstance(value, dict) else ():
        found += paths_in(item, (*start, name))
    return found


def replaced(value: Any, path: tuple[str, ...], new: Any) -> Any:
    if not path:
        return new
    return {**value, path[0]: replaced(value[path[0]], path[1:], new)}


@pytest.mark.parametrize("gone", range(1, 12))
def test_an_entry_taken_from_the_middle_is_found_though_the_chain_fits_again(
    copy: Path, gone: int
) -> None:
    rehash(copy, {}, drop={gone})
    assert broken(copy)


def test_the_last_entry_taken_away_is_seen_against_a_checkpoint(copy: Path) -> None:
    ledger = SqlLedger(str(copy))
    published = ledger.checkpoint()
    assert published is not None
    assert broken(copy, published.entry_hash) == []
    # Whoever owns the file takes the newest attempt away, tables and all: it never happened.
    with sqlite3.connect(copy) as database:
        database.execute("DELETE FROM ledger_entries WHERE sequence = ?", [published.sequence])
        database.execute("DELETE FROM ledger_plans WHERE sequence = ?", [published.sequence])
        database.execute("DELETE FROM ledger_benchmarks WHERE root = ?", [sha("benchmark-3")])
        database.execute("UPDATE ledger_lineages SET plans = plans - 1, live_root = NULL")
    assert not any("table" in problem for problem in broken(copy))
    (problem,) = [p for p in broken(copy, published.entry_hash) if p.startswith("chain")]
    assert "entries are gone" in problem


def test_a_checkpoint_must_be_a_hash(ledger: SqlLedger) -> None:
    with pytest.raises(UsageError, match="64 lower-case hexadecimal digits"):
        ledger.check("latest")


def test_order_is_proven_both_ways(copy: Path) -> None:
    ledger = SqlLedger(str(copy), "read")
    hashes = [entry.hash for entry in ledger.entries()]
    for first in range(len(hashes)):
        proof = ledger.prove(hashes[first], hashes[4])
        assert proof.position == ("before" if first < 4 else "at" if first == 4 else "after")
        assert proof.entry.hash == hashes[first]
        assert proof.checkpoint.sequence == 5
    with pytest.raises(LedgerBrokenError, match="is not in the ledger"):
        ledger.prove(hashes[0], sha("another ledger's"))
    with pytest.raises(UsageError):
        ledger.prove("plan.json", hashes[0])


def test_no_order_is_proven_over_a_broken_chain(copy: Path) -> None:
    hashes = [entry.hash for entry in SqlLedger(str(copy)).entries()]
    with sqlite3.connect(copy) as database:
        database.execute("DELETE FROM ledger_entries WHERE sequence = 3")
    with pytest.raises(LedgerBrokenError, match="The chain breaks at entry 3"):
        SqlLedger(str(copy)).prove(hashes[0], hashes[4])
    assert SqlLedger(str(copy)).prove(hashes[4], hashes[6]).position == "before"


def test_no_order_is_proven_for_a_hash_that_only_the_column_has(copy: Path) -> None:
    checkpoint = [entry.hash for entry in SqlLedger(str(copy)).entries()][4]
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE ledger_entries SET hash = ? WHERE sequence = 2", [sha("x")])
    with pytest.raises(LedgerBrokenError, match="does not have the hash"):
        SqlLedger(str(copy)).prove(sha("x"), checkpoint)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"body":{},"kind":"plan","previous":null,"sequence":1} ',
        b'{"body":{},"kind":"gift","previous":null,"sequence":1}',
        b'{"body":{},"kind":"plan","previous":null,"sequence":true}',
        b'{"body":{},"kind":"plan","previous":1,"sequence":1}',
        b'{"body":[],"kind":"plan","previous":null,"sequence":1}',
        b'{"body":{"a":1.5},"kind":"plan","previous":null,"sequence":1}',
        b'{"body":{"a":1,"a":1},"kind":"plan","previous":null,"sequence":1}',
        b'{"body":{"a":123456789012345678901},"kind":"plan","previous":null,"sequence":1}',
        b'{"kind":"plan","body":{},"previous":null,"sequence":1}',
    ],
)
def test_bytes_that_are_no_entry_are_refused(content: bytes) -> None:
    with pytest.raises(LedgerBrokenError, match="Entry 1 of the ledger"):
        read_entry(content, 1)


def test_an_entry_is_read_back() -> None:
    entry = Entry(1, None, "plan", {"a": ["é", 1, None]})
    assert read_entry(entry.content, 1) == entry
    text = '{"body":{"a":["é",1,null]},"kind":"plan","previous":null,"sequence":1}'
    assert entry.content == text.encode()
    assert entry.hash == hashlib.sha256(text.encode()).hexdigest()
