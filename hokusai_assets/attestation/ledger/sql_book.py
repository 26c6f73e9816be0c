"""The ledger's tables in a database, within one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hokusai_assets.attestation.ledger.book import TABLES, Row
from hokusai_assets.attestation.ledger.entries import Entry, read_entry
from hokusai_assets.errors import LedgerBrokenError

if TYPE_CHECKING:
    import sqlalchemy as sa

_AT_ONCE = 1000  # entries in memory


class SqlBook:
    """Entries and tables as one connection sees them."""

    def __init__(self, connection: sa.Connection, tables: Mapping[str, sa.Table]) -> None:
        self._connection = connection
        self._tables = tables

    def get(self, table: str, *key: str) -> Row | None:
        """A row, or None."""
        found = self._tables[table]
        query = found.select()
        for name, value in zip(TABLES[table].key, key, strict=True):
            query = query.where(found.c[name] == value)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    def put(self, table: str, row: Row) -> None:
        """Add a row, or replace the one with its key."""
        found = self._tables[table]
        key = TABLES[table].key
        update = found.update().values({n: v for n, v in row.items() if n not in key})
        for name in key:
            update = update.where(found.c[name] == row[name])
        if not self._connection.execute(update).rowcount:
            self._connection.execute(found.insert().values(row))

    def rows(self, table: str) -> Iterator[Row]:
        """All rows of a table, by key."""
        found = self._tables[table]
        query = found.select().order_by(*(found.c[name] for name in TABLES[table].key))
        for row in self._connection.execute(query).mappings():
            yield dict(row)

    def paid_roots(self, lineage: str) -> list[str]:
        """The roots of a lineage's table `paid`, sorted."""
        import sqlalchemy as sa

        paid = self._tables["paid"]
        query = sa.select(paid.c.root).where(paid.c.lineage == lineage)
        return sorted(self._connection.execute(query).scalars())

    def decided(self, plan_digest: str) -> bool:
        """Whether a plan has a decision."""
        decisions = self._tables["decisions"]
        query = decisions.select().where(decisions.c.plan_digest == plan_digest)
        return self._connection.execute(query).first() is not None

    def plan(self, plan_digest: str) -> Mapping[str, Any] | None:
        """The plan itself, from its entry, or None where none was committed."""
        row = self.get("plans", plan_digest)
        if row is None:
            return None
        plan: Mapping[str, Any] = self.entry(row["sequence"]).body["plan"]
        return plan

    def entry(self, sequence: int) -> Entry:
        """The `sequence`-th entry; raises LedgerBrokenError if it is gone or damaged."""
        for entry in self.entries(sequence - 1, 1):
            if entry.sequence == sequence:
                return entry
        raise LedgerBrokenError(
            f"Entry {sequence} of the ledger is gone: restore the ledger from a backup."
        )

    def entries(self, after: int, count: int) -> Iterator[Entry]:
        """At most `count` entries after the `after`-th, in order."""
        entries = self._tables["entries"]
        query = entries.select().where(entries.c.sequence > after)
        query = query.order_by(entries.c.sequence).limit(count)
        query = query.execution_options(yield_per=_AT_ONCE)
        for row in self._connection.execute(query).mappings():
            yield read_entry(str(row["content"]).encode(), row["sequence"])

    def stored_entries(self) -> Iterator[tuple[Row, bytes]]:
        """Every entry's columns and its content, as they are stored, in order."""
        entries = self._tables["entries"]
        query = entries.select().order_by(entries.c.sequence)
        query = query.execution_options(yield_per=_AT_ONCE)
        for row in self._connection.execute(query).mappings():
            content = row["content"]
            stored = content if isinstance(content, bytes) else str(content).encode()
            yield {n: row[n] for n in ("sequence", "hash", "previous", "kind")}, stored

    def sequence_of(self, entry_hash: str) -> int | None:
        """Where the entry with a hash stands, by what its column says."""
        import sqlalchemy as sa

        entries = self._tables["entries"]
        query = sa.select(entries.c.sequence).where(entries.c.hash == entry_hash)
        found: int | None = self._connection.execute(query).scalar()
        return found

    def last(self) -> tuple[int, str] | None:
        """Sequence and hash of the newest entry; None of an empty ledger."""
        import sqlalchemy as sa

        entries = self._tables["entries"]
        query = sa.select(entries.c.sequence, entries.c.hash)
        row = self._connection.execute(query.order_by(entries.c.sequence.desc()).limit(1)).first()
        return None if row is None else (int(row[0]), str(row[1]))

    def append(self, entry: Entry) -> None:
        """Store an entry; the database refuses a second one of its sequence or predecessor."""
        values = {
            "sequence": entry.sequence,
            "hash": entry.hash,
            "previous": entry.previous,
            "kind": entry.kind,
            "content": entry.content.decode(),
        }
        self._connection.execute(self._tables["entries"].insert().values(values))
