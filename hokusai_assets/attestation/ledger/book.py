"""What follows from the entries, as tables: plans, decisions, heads, benchmarks, rows paid, counts.

Kept so that committing a plan need not read the chain; the chain alone could make them again, and
`check` does. Two kinds of book hold the same tables, one in memory and one in a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Row = dict[str, Any]
ColumnType = Literal["digest", "name", "count"]


@dataclass(frozen=True)
class Table:
    """A table's columns, its key, and what no two rows share beside the key.

    Columns in `nullable` may be empty.
    """

    columns: Mapping[str, ColumnType]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()
    nullable: tuple[str, ...] = ()


TABLES: dict[str, Table] = {
    # One row a plan; `paid_root` is that of its lineage right after it was committed.
    "plans": Table(
        {
            "plan_digest": "digest",
            "sequence": "count",
            "lineage": "name",
            "model_id": "name",
            "benchmark_root": "digest",
            "attempt": "count",
            "paid_root": "digest",
        },
        key=("plan_digest",),
        unique=("sequence",),
    ),
    # One row a decision: a plan has one, and so has a core.
    "decisions": Table(
        {
            "core_digest": "digest",
            "plan_digest": "digest",
            "sequence": "count",
            "verdict": "name",
        },
        key=("core_digest",),
        unique=("plan_digest", "sequence"),
    ),
    "mints": Table(
        {"core_digest": "digest", "sequence": "count"}, key=("core_digest",), unique=("sequence",)
    ),
    # One row a model that an acceptance made.
    "heads": Table(
        {
            "model_id": "name",
            "candidate_file_sha256": "digest",
            "training_root": "digest",
            "sequence": "count",
        },
        key=("model_id",),
    ),
    # One row a lineage: plans and acceptances so far, the live benchmark, the rows paid.
    "lineages": Table(
        {
            "lineage": "name",
            "plans": "count",
            "accepted": "count",
            "live_root": "digest",
            "paid_root": "digest",
        },
        key=("lineage",),
        nullable=("live_root",),
    ),
    # One row a benchmark, by its root as received: its plans, and how many were declined.
    "benchmarks": Table(
        {
            "lineage": "name",
            "root": "digest",
            "plans": "count",
            "declined": "count",
            "retired_sequence": "count",
        },
        key=("lineage", "root"),
        nullable=("retired_sequence",),
    ),
    # One row a set of rows that is paid for, or was opened: the entry that made it so.
    "paid": Table(
        {"lineage": "name", "root": "digest", "kind": "name", "sequence": "count"},
        key=("lineage", "root"),
    ),
}


class Book(Protocol):
    """The tables of TABLES, by key."""

    def get(self, table: str, *key: str) -> Row | None:
        """A row, or None."""
        ...

    def put(self, table: str, row: Row) -> None:
        """Add a row, or replace the one with its key."""
        ...

    def paid_roots(self, lineage: str) -> list[str]:
        """The roots of a lineage's table `paid`, sorted."""
        ...

    def plan(self, plan_digest: str) -> Mapping[str, Any] | None:
        """The plan itself, from its entry, or None where none was committed."""
        ...

    def decided(self, plan_digest: str) -> bool:
        """Whether a plan has a decision."""
        ...


class MemoryBook:
    """The tables as dictionaries. Plans are reduced to what `keep_plan` was given."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[str, ...], Row]] = {name: {} for name in TABLES}
        self._plans: dict[str, Mapping[str, Any]] = {}
        self._paid: dict[str, list[str]] = {}
        self._decided: set[str] = set()

    def get(self, table: str, *key: str) -> Row | None:
        """A row, or None."""
        return self._tables[table].get(key)

    def put(self, table: str, row: Row) -> None:
        """Add a row, or replace the one with its key."""
        key = tuple(row[name] for name in TABLES[table].key)
        if table == "paid" and key not in self._tables[table]:
            self._paid.setdefault(row["lineage"], []).append(row["root"])
        if table == "decisions":
            self._decided.add(row["plan_digest"])
        self._tables[table][key] = row

    def paid_roots(self, lineage: str) -> list[str]:
        """The roots of a lineage's table `paid`, sorted."""
        return sorted(self._paid.get(lineage, ()))

    def plan(self, plan_digest: str) -> Mapping[str, Any] | None:
        """A plan that `keep_plan` was given."""
        return self._plans.get(plan_digest)

    def decided(self, plan_digest: str) -> bool:
        """Whether a plan has a decision."""
        return plan_digest in self._decided

    def keep_plan(self, plan_digest: str, plan: Mapping[str, Any]) -> None:
        """Remember a plan until `forget_plan`."""
        self._plans[plan_digest] = plan

    def forget_plan(self, plan_digest: str) -> None:
        """A decided plan is asked for no more."""
        self._plans.pop(plan_digest, None)

    def rows(self, table: str) -> dict[tuple[str, ...], Row]:
        """All rows of a table by key."""
        return self._tables[table]
