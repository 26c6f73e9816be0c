"""The ledger: who tried when, what was accepted, which rows were paid.

The interface, and the implementation for a project that keeps none. Nothing here decides; the
decision rule does.
"""

from typing import Any, Protocol

from hokusai_assets.records import Attempt


class Ledger(Protocol):
    """What an evaluation asks of a ledger."""

    def paid_root(self) -> str | None:
        """The digest over the rows already paid for, or None where none are kept."""
        ...

    def commit(self, plan_digest: str, plan: dict[str, Any]) -> Attempt:
        """Commit to a plan before training; the same plan again gets its old attempt number."""
        ...

    def append(self, decision: dict[str, Any]) -> str | None:
        """Append a decision; returns the entry's hash, or None where nothing is kept."""
        ...


class NoLedger:
    """No ledger: nothing was paid before, every attempt is the first, decisions are provisional."""

    def paid_root(self) -> str | None:
        """None: no rows are known to be paid."""
        return None

    def commit(self, plan_digest: str, plan: dict[str, Any]) -> Attempt:
        """The first attempt, provisionally."""
        return Attempt(number=1, provisional=True)

    def append(self, decision: dict[str, Any]) -> str | None:
        """Keeps nothing."""
        return None
