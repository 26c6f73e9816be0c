"""The ledger in a database: every append is one transaction, after the rules were asked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from hokusai_assets.attestation.ledger.database import Database, Mode
from hokusai_assets.attestation.ledger.entries import Entry, Kind, read_entry
from hokusai_assets.attestation.ledger.facts import plan_facts, root_over
from hokusai_assets.attestation.ledger.following import apply_entry, plan_body
from hokusai_assets.attestation.ledger.interface import (
    BuildDecision,
    Checkpoint,
    PaidRoots,
    Recorded,
)
from hokusai_assets.attestation.ledger.replaying import (
    OrderProof,
    Problem,
    check_chain,
    prove_order,
)
from hokusai_assets.attestation.ledger.rules import (
    already_decided,
    decision_violations,
    due_retirement,
    is_current,
    mint_violations,
    plan_violations,
    replaced_benchmark,
)
from hokusai_assets.attestation.ledger.sql_book import SqlBook
from hokusai_assets.errors import LedgerError
from hokusai_assets.records import Attempt

if TYPE_CHECKING:
    import sqlalchemy as sa

Result = TypeVar("Result")

_AT_ONCE = 1000  # entries in memory


class SqlLedger:
    """A ledger that other processes may append to at the same time."""

    def __init__(self, url: str, mode: Mode = "write", *, immediate: bool = True) -> None:
        """Open the ledger at `url`: a path (SQLite) or any SQLAlchemy URL.

        Raises UsageError where there is none and `mode` is not `create`; LedgerError where it is
        of a newer version, damaged or out of reach.
        """
        self._database = Database(url, mode, immediate=immediate)

    @property
    def name(self) -> str:
        """Its path or URL, for messages: without a password."""
        return self._database.name

    # --- what an evaluation asks ------------------------------------------------------------------

    def paid(self, lineage: str, benchmark_root: str) -> PaidRoots:
        """The rows already paid for, for a run on this benchmark (its root as received)."""

        def read(book: SqlBook) -> PaidRoots:
            row, roots = book.get("lineages", lineage), set(book.paid_roots(lineage))
            # What committing to another benchmark is about to retire counts as retired, so that
            # the plan's paid_root is current when the plan follows that retirement.
            live = None if row is None else row["live_root"]
            if live not in (None, benchmark_root):
                roots.add(live)
            return PaidRoots(root_over(roots), tuple(sorted(roots)))

        return self._read(read)

    def commit(self, plan_digest: str, plan: Mapping[str, Any]) -> Attempt:
        """Commit to a plan before training; the same plan again gets its old attempt number.

        Retires the benchmark that the plan replaces. Raises LedgerError with every reason for
        which the plan is refused; no attempt is used then.
        """
        facts = plan_facts(plan)

        def append(book: SqlBook) -> int:
            before = book.get("plans", plan_digest)
            if before is not None:
                return int(before["attempt"])
            replaced = replaced_benchmark(book, facts)
            if replaced is not None:
                _append(book, "retire", _retirement(facts.lineage, replaced, "replaced"))
            _refuse(plan_violations(book, plan_digest, plan), "The ledger refuses the plan")
            body = plan_body(book, plan_digest, plan)
            _append(book, "plan", body)
            return int(body["attempt"])

        return Attempt(number=self._write(append), provisional=False)

    def append_decision(self, plan_digest: str, core_digest: str, build: BuildDecision) -> Recorded:
        """Append what `build` makes of whether benchmark and baseline are current still.

        An acceptance makes its candidate the model's head and its rows paid, and retires the
        benchmark, in the same transaction. The same core again gets the entry of then: that is
        how a run that crashed after appending is repaired. `build` must depend on nothing but its
        argument, since another process' entry can make it be called again.
        """

        def append(book: SqlBook) -> Recorded:
            decided = book.get("decisions", core_digest)
            if decided is not None:
                if decided["plan_digest"] != plan_digest:
                    _refuse(already_decided(book, plan_digest, core_digest), "Not appended")
                return _recorded(book.entry(decided["sequence"]))
            row, plan = book.get("plans", plan_digest), book.plan(plan_digest)
            current = (
                row is not None and plan is not None and is_current(book, row, plan_facts(plan))
            )
            _refuse(already_decided(book, plan_digest, core_digest), "Not appended")
            body = build(current)
            _refuse(decision_violations(book, plan_digest, core_digest, body), "Not appended")
            entry = _append(book, "decision", body)
            if plan is not None:
                facts = plan_facts(plan)
                reason = due_retirement(book, body, facts)
                if reason is not None:
                    body = _retirement(facts.lineage, facts.benchmark_root, reason)
                    _append(book, "retire", body)
            return _recorded(entry)

        return self._write(append)

    # --- what is minted ---------------------------------------------------------------------------

    def accepted_entry(self, core_digest: str) -> Entry | None:
        """The entry that accepted a core, or None where none did."""

        def read(book: SqlBook) -> Entry | None:
            decided = book.get("decisions", core_digest)
            if decided is None or decided["verdict"] != "accepted":
                return None
            return book.entry(decided["sequence"])

        return self._read(read)

    def record_mint(self, core_digest: str, request_sha256: str) -> str:
        """The hash of the core's one mint entry, which this appends unless it is there.

        A request with another deadline or other signatures reuses it. Raises LedgerError unless
        the core stands here as accepted.
        """

        def append(book: SqlBook) -> str:
            minted = book.get("mints", core_digest)
            if minted is not None:
                return book.entry(minted["sequence"]).hash
            _refuse(
                mint_violations(book, core_digest, request_sha256),
                "The ledger refuses the mint request",
            )
            body = {"core_digest": core_digest, "request_sha256": request_sha256}
            return _append(book, "mint", body).hash

        return self._write(append)

    # --- what is looked up and proven -------------------------------------------------------------

    def plan_entry(self, plan_digest: str) -> Entry | None:
        """The entry that committed a plan, or None."""
        return self._entry_of("plans", plan_digest)

    def decision_entry(self, core_digest: str) -> Entry | None:
        """The entry that decided a core, or None."""
        return self._entry_of("decisions", core_digest)

    def mint_entry(self, core_digest: str) -> Entry | None:
        """The entry that a core was minted by, or None."""
        return self._entry_of("mints", core_digest)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The entries after the `after`-th, in order; raises LedgerBrokenError at a damaged one."""
        last = self.checkpoint()
        for start in range(after, last.sequence if last else 0, _AT_ONCE):
            yield from self._read(functools.partial(_some_entries, start))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of one of the tables in book.TABLES, by key."""
        return self._read(lambda book: list(book.rows(table)))

    def checkpoint(self) -> Checkpoint | None:
        """The newest entry; None of an empty ledger."""

        def read(book: SqlBook) -> Checkpoint | None:
            last = book.last()
            return None if last is None else Checkpoint(*last)

        return self._read(read)

    def check(self, checkpoint: str | None = None) -> tuple[Problem, ...]:
        """Everything in which chain and tables break the rules; see replaying.check_chain."""
        return self._read(lambda book: check_chain(book, checkpoint))

    def prove(self, entry_hash: str, checkpoint: str) -> OrderProof:
        """Where an entry stands to a checkpoint; see replaying.prove_order."""
        return self._read(lambda book: prove_order(book, entry_hash, checkpoint))

    def _entry_of(self, table: str, key: str) -> Entry | None:
        def read(book: SqlBook) -> Entry | None:
            row = book.get(table, key)
            return None if row is None else book.entry(row["sequence"])

        return self._read(read)

    def _read(self, work: Callable[[SqlBook], Result]) -> Result:
        return self._database.read(lambda c: work(SqlBook(c, self._database.tables)))

    def _write(self, work: Callable[[SqlBook], Result]) -> Result:
        def write(connection: sa.Connection) -> Result:
            return work(SqlBook(connection, self._database.tables))

        return self._database.write(write)


def _append(book: SqlBook, kind: Kind, body: Mapping[str, Any]) -> Entry:
    sequence, previous = book.last() or (0, None)
    # Read back, so that what is returned now is what the chain will say later.
    entry = read_entry(Entry(sequence + 1, previous, kind, body).content, sequence + 1)
    book.append(entry)
    apply_entry(book, entry)
    return entry


def _some_entries(after: int, book: SqlBook) -> list[Entry]:
    return list(book.entries(after, _AT_ONCE))


def _retirement(lineage: str, root: str, reason: str) -> dict[str, Any]:
    return {"lineage": lineage, "benchmark_root": root, "reason": reason}


def _recorded(entry: Entry) -> Recorded:
    return Recorded(entry.body, entry.hash, entry.previous, entry.sequence)


def _refuse(violations: list[str], what: str) -> None:
    if violations:
        raise LedgerError(f"{what}: {' '.join(violations)}")
