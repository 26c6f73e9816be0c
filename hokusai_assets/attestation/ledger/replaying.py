"""The chain walked again: what is broken in it, and where an entry stands to a checkpoint.

`check_chain` takes nothing from the tables: it makes them again from the entries, asks every rule
of every entry, and compares. What it cannot see is what was taken from the chain's end, with the
tables changed to fit; a checkpoint kept elsewhere shows that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hokusai_assets.attestation.ledger.book import TABLES, MemoryBook
from hokusai_assets.attestation.ledger.entries import Entry, read_entry
from hokusai_assets.attestation.ledger.facts import decision_facts, is_digest, plan_facts
from hokusai_assets.attestation.ledger.following import apply_entry
from hokusai_assets.attestation.ledger.interface import Checkpoint
from hokusai_assets.attestation.ledger.rules import (
    attempt_number,
    decision_violations,
    due_retirement,
    mint_violations,
    plan_violations,
)
from hokusai_assets.errors import LedgerBrokenError, LedgerError, UsageError

if TYPE_CHECKING:
    from hokusai_assets.attestation.ledger.sql_book import SqlBook

_MOST_PROBLEMS = 1000


@dataclass(frozen=True)
class Problem:
    """Something that is broken: in which entry or table, and what."""

    where: str
    sentence: str


@dataclass(frozen=True)
class OrderProof:
    """That a chain of entries leads from one of two to the other, each hash recomputed.

    `before`: the entry was there when the checkpoint's hash was published. `at`: it is the
    checkpoint. `after`: the chain that the checkpoint names was continued, not rewritten.
    """

    position: Literal["before", "at", "after"]
    entry: Entry
    checkpoint: Checkpoint


def check_chain(book: SqlBook, checkpoint: str | None = None) -> tuple[Problem, ...]:
    """Every break of the chain, of the rules and of the tables that follow from it.

    With `checkpoint`, an entry's hash that was kept elsewhere, also whether that entry is still
    there. After the first entry that cannot be replayed, rules and tables are not looked at: what
    follows from a broken entry says nothing.
    """
    replay = _Replay()
    for stored, content in book.stored_entries():
        replay.take(stored, content)
    replay.finish()
    problems = replay.problems
    if replay.sound:
        for table in TABLES:
            problems += _differences(table, book, replay.book)
    if checkpoint is not None and check_hash(checkpoint) not in replay.hashes:
        problems.append(
            Problem("chain", f"No entry has the checkpoint's hash {checkpoint}: entries are gone.")
        )
    return tuple(problems[:_MOST_PROBLEMS])


def prove_order(book: SqlBook, entry_hash: str, checkpoint: str) -> OrderProof:
    """Walk the chain between an entry and a checkpoint's hash, and say which came first.

    Raises LedgerBrokenError where the chain between them is broken or one of them is not in it,
    UsageError for what is no hash.
    """
    places = {}
    for what, wanted in (("entry", entry_hash), ("checkpoint", checkpoint)):
        place = book.sequence_of(check_hash(wanted))
        if place is None:
            raise LedgerBrokenError(
                f"The {what} {wanted} is not in the ledger: it is another ledger, or entries of "
                "this one are gone."
            )
        places[wanted] = place
    first, last = min(places.values()), max(places.values())
    found: dict[int, Entry] = {}
    expected = None
    for sequence, entry in enumerate(book.entries(first - 1, last - first + 1), first):
        if entry.sequence != sequence or (expected and entry.previous != expected):
            raise LedgerBrokenError(f"The chain breaks at entry {sequence}: it was rewritten.")
        expected = entry.hash
        if sequence in places.values():
            found[sequence] = entry
    for wanted, place in places.items():
        if place not in found or found[place].hash != wanted:
            raise LedgerBrokenError(f"Entry {place} does not have the hash it is listed under.")
    mine, theirs = places[entry_hash], places[checkpoint]
    position: Literal["before", "at", "after"] = "at"
    if mine != theirs:
        position = "before" if mine < theirs else "after"
    return OrderProof(position, found[mine], Checkpoint(theirs, checkpoint))


def check_hash(text: str) -> str:
    """`text` if it can be an entry's hash, else UsageError."""
    if not is_digest(text):
        raise UsageError("A checkpoint is an entry's hash: 64 lower-case hexadecimal digits.")
    return text


class _Replay:
    """The entries so far: what they say, and what is wrong with them."""

    def __init__(self) -> None:
        self.book = MemoryBook()
        self.problems: list[Problem] = []
        self.hashes: set[str] = set()
        self.sound = True
        self._count = 0
        self._previous: str | None = None
        self._due: Mapping[str, Any] | None = None  # the retirement that must come next
        self._replaced: str | None = None  # the lineage whose benchmark was just replaced

    def take(self, stored: Mapping[str, Any], content: bytes) -> None:
        """The next entry as it is stored."""
        sequence = self._count = self._count + 1
        try:
            entry = read_entry(content, sequence)
        except LedgerBrokenError as error:
            self._unsound(sequence, str(error))
            self._previous = str(stored["hash"])
            return
        for name in ("sequence", "hash", "previous", "kind"):
            if stored[name] != getattr(entry, name):
                self._say(sequence, f"Its column {name} is not what its content says.")
        if entry.sequence != sequence:
            self._unsound(sequence, f"It says that it is entry {entry.sequence}.")
        if entry.previous != self._previous:
            self._unsound(sequence, "Its predecessor is not the entry before it.")
        self._previous = entry.hash
        self.hashes.add(entry.hash)
        if self.sound:
            self._follow(entry)

    def finish(self) -> None:
        """After the last entry."""
        if self.sound and (self._due or self._replaced):
            self._say(self._count, "It is the last, and the one that belongs to it is gone.")

    def _follow(self, entry: Entry) -> None:
        try:
            for sentence in self._violations(entry):
                self._say(entry.sequence, sentence)
            apply_entry(self.book, entry)
            self._expect(entry)
        except (LedgerError, KeyError, TypeError, AssertionError) as error:
            detail = str(error) if isinstance(error, LedgerError) else "It is not of its form."
            self._unsound(entry.sequence, detail)

    def _violations(self, entry: Entry) -> list[str]:
        body, found = entry.body, []
        if self._due is not None and (entry.kind != "retire" or body != self._due):
            found.append("The entry before it demands that its benchmark is retired here.")
        if entry.kind == "plan":
            plan = plan_facts(body["plan"])
            self.book.keep_plan(body["plan_digest"], body["plan"])
            found += plan_violations(self.book, body["plan_digest"], body["plan"])
            lineage = self.book.get("lineages", plan.lineage)
            due = attempt_number(lineage)
            if body["attempt"] != due:
                found.append(f"Its attempt number is {body['attempt']}, and {due} is due.")
            if lineage is not None and lineage["live_root"] not in (None, plan.benchmark_root):
                found.append("Another benchmark of its lineage is live.")
            if self._replaced not in (None, plan.lineage):
                found.append("The benchmark before it was replaced for another lineage's plan.")
        elif self._replaced is not None:
            found.append("The entry before it replaced a benchmark, and no plan follows.")
        if entry.kind == "decision":
            facts = decision_facts(body)
            found += decision_violations(self.book, facts.plan_digest, facts.core_digest, body)
        elif entry.kind == "mint":
            found += mint_violations(self.book, body["core_digest"], body["request_sha256"])
        elif entry.kind == "retire":
            found += self._retirement_violations(body)
        return found

    def _retirement_violations(self, body: Mapping[str, Any]) -> list[str]:
        lineage = self.book.get("lineages", body["lineage"])
        if lineage is None or lineage["live_root"] != body["benchmark_root"]:
            return ["It retires a benchmark that is not live."]
        if self._due is None and body["reason"] != "replaced":
            return ["Nothing before it demands that a benchmark is retired."]
        return []

    def _expect(self, entry: Entry) -> None:
        body, self._due, self._replaced = entry.body, None, None
        if entry.kind == "retire" and body["reason"] == "replaced":
            self._replaced = body["lineage"]
        if entry.kind != "decision":
            return
        digest = body["plan_digest"]
        plan = plan_facts(self.book.plan(digest) or {})
        reason = due_retirement(self.book, body, plan)
        if reason is not None:
            self._due = {
                "lineage": plan.lineage,
                "benchmark_root": plan.benchmark_root,
                "reason": reason,
            }
        self.book.forget_plan(digest)

    def _say(self, sequence: int, sentence: str) -> None:
        self.problems.append(Problem(f"entry {sequence}", sentence))

    def _unsound(self, sequence: int, sentence: str) -> None:
        self._say(sequence, sentence)
        self.sound = False


def _differences(table: str, book: SqlBook, replayed: MemoryBook) -> list[Problem]:
    expected = dict(replayed.rows(table))
    found = []
    for row in book.rows(table):
        key = tuple(row[name] for name in TABLES[table].key)
        due = expected.pop(key, None)
        if due is None:
            found.append(Problem(f"table {table}", f"The row {_named(key)} follows from no entry."))
            continue
        found += [
            Problem(f"table {table}", f"Of the row {_named(key)}, {name} is not what follows.")
            for name in due
            if due[name] != row[name]
        ]
    return found + [
        Problem(f"table {table}", f"The row {_named(key)} is missing.") for key in expected
    ]


def _named(key: tuple[Any, ...]) -> str:
    return " ".join(str(part)[:16] for part in key)
