"""What an evaluation asks of a ledger, and the answer where none is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hokusai_assets.records import Attempt

# From whether the clause `current` holds (None: there is no ledger to say) to a decision's body.
BuildDecision = Callable[[bool | None], Mapping[str, Any]]


@dataclass(frozen=True)
class PaidRoots:
    """The rows that a run must not pay for again: content roots, sorted, and the root over them.

    Of every accepted contribution and every retired benchmark of a lineage; also of the live
    benchmark, where the run has another, because committing its plan retires that one first.
    `root` is None where no ledger is kept.
    """

    root: str | None
    roots: tuple[str, ...]


@dataclass(frozen=True)
class Recorded:
    """A decision as it was appended, now or by an earlier run of the same core.

    Without a ledger, `entry_hash`, `previous` and `sequence` are None.
    """

    body: Mapping[str, Any]
    entry_hash: str | None
    previous: str | None
    sequence: int | None


@dataclass(frozen=True)
class Checkpoint:
    """The chain's newest entry: whoever keeps this hash elsewhere can prove what came before."""

    sequence: int
    entry_hash: str


class Ledger(Protocol):
    """What an evaluation asks of a ledger."""

    def paid(self, lineage: str, benchmark_root: str) -> PaidRoots:
        """The rows already paid for, for a run on this benchmark (its root as received)."""
        ...

    def commit(self, plan_digest: str, plan: Mapping[str, Any]) -> Attempt:
        """Commit to a plan before training; the same plan again gets its old attempt number."""
        ...

    def append_decision(self, plan_digest: str, core_digest: str, build: BuildDecision) -> Recorded:
        """Append what `build` makes of whether benchmark and baseline are current still.

        The same core again gets what was appended then, whatever `build` would say now.
        """
        ...


class NoLedger:
    """No ledger: nothing was paid before, every attempt is the first, decisions are provisional."""

    def paid(self, lineage: str, benchmark_root: str) -> PaidRoots:
        """None: no rows are known to be paid."""
        return PaidRoots(None, ())

    def commit(self, plan_digest: str, plan: Mapping[str, Any]) -> Attempt:
        """The first attempt, provisionally."""
        return Attempt(number=1, provisional=True)

    def append_decision(self, plan_digest: str, core_digest: str, build: BuildDecision) -> Recorded:
        """Keeps nothing."""
        return Recorded(build(None), None, None, None)
