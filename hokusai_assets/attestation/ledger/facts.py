"""What the ledger reads in a plan and in a decision, as typed facts.

Everything else in them is carried unread. A member that is missing or of another type raises
LedgerError: the ledger counts nothing that it does not understand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from hokusai_assets.digests import digest_json
from hokusai_assets.errors import LedgerError

Verdict = Literal["accepted", "rejected", "superseded"]
Reason = Literal["accepted", "attempts", "replaced"]
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class PlanFacts:
    """A plan: whose attempt it is, on what, and by which rule; roots are content roots, as hex."""

    lineage: str
    model_id: str
    benchmark_root: str
    base_root: str
    merged_root: str
    contribution_roots: tuple[str, ...]  # as cleaned
    baseline_sha256: str | None  # None: to be trained
    paid_root: str | None
    attempts_per_benchmark: int
    retires: bool
    dry_run: bool


@dataclass(frozen=True)
class DecisionFacts:
    """A decision: what it decides, how, and the model that an acceptance makes the head."""

    plan_digest: str
    core_digest: str
    verdict: Verdict
    candidate_file_sha256: str
    training_root: str


def plan_facts(plan: Mapping[str, Any]) -> PlanFacts:
    """The facts of a plan."""
    read = _Reader("plan", plan)
    roots = "content_roots"
    baseline = read.of("baseline", str | dict)
    if baseline != "trained":
        baseline = read.digest("baseline", "file_sha256")
    retire = read.of("rule", "retire", str)
    if retire not in {"on_acceptance", "never"}:
        raise LedgerError(f"The plan's rule.retire is {retire!r}, which the ledger does not know.")
    attempts = read.of("rule", "attempts_per_benchmark", int)
    if attempts < 1:
        raise LedgerError("The plan's rule.attempts_per_benchmark is below 1.")
    contributions = read.of(roots, "contributions", list | tuple)
    return PlanFacts(
        lineage=read.name("rule", "lineage"),
        model_id=read.name("model_id"),
        benchmark_root=read.digest(roots, "benchmark_received"),
        base_root=read.digest(roots, "base"),
        merged_root=read.digest(roots, "merged"),
        contribution_roots=tuple(
            _Reader(f"plan's {roots}.contributions[{index}]", item).digest("cleaned")
            for index, item in enumerate(contributions)
        ),
        baseline_sha256=None if baseline == "trained" else baseline,
        paid_root=None if plan.get("paid_root") is None else read.digest("paid_root"),
        attempts_per_benchmark=attempts,
        retires=retire != "never",
        dry_run=read.of("dry_run", bool),
    )


def decision_facts(body: Mapping[str, Any]) -> DecisionFacts:
    """The facts of a decision's body."""
    read = _Reader("decision", body)
    verdict = read.of("verdict", str)
    if verdict not in get_args(Verdict):
        raise LedgerError(f"The decision's verdict is {verdict!r}, which the ledger does not know.")
    return DecisionFacts(
        plan_digest=read.digest("plan_digest"),
        core_digest=read.digest("core_digest"),
        verdict=cast(Verdict, verdict),
        candidate_file_sha256=read.digest("candidate_file_sha256"),
        training_root=read.digest("training_root"),
    )


def root_over(roots: Iterable[str]) -> str:
    """paid_root: the SHA-256 of the canonical JSON of the sorted roots."""
    return digest_json(sorted(set(roots)))


def is_digest(value: object) -> bool:
    """Whether a value is a SHA-256 as 64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


class _Reader:
    """Members of nested records, by name and type."""

    def __init__(self, what: str, record: Any) -> None:
        self._what = what
        self._record = record

    def of(self, *names_and_type: Any) -> Any:
        """The member at the end of some names, which must be of the type that comes last."""
        *names, wanted = names_and_type
        value: Any = self._record
        for name in names:
            if not isinstance(value, Mapping) or name not in value:
                raise LedgerError(
                    f"The {self._what} lacks {'.'.join(names)}, which the ledger needs: it was "
                    "made by another version of this program."
                )
            value = value[name]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise LedgerError(f"The {self._what}'s {'.'.join(names)} is of a wrong type.")
        return value

    def digest(self, *names: str) -> str:
        value = self.of(*names, str)
        if not is_digest(value):
            raise LedgerError(
                f"The {self._what}'s {'.'.join(names)} is no SHA-256 in 64 hexadecimal digits."
            )
        return str(value)

    def name(self, *names: str) -> str:
        value = str(self.of(*names, str))
        if not 0 < len(value) <= 255:
            raise LedgerError(f"The {self._what}'s {'.'.join(names)} is empty or too long.")
        return value
