"""What may be appended: every rule of the ledger, as sentences about an entry that breaks some.

Asked before anything is appended, and again of every entry when the chain is checked. All of what
is wrong is told at once, each with what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hokusai_assets.attestation.ledger.book import Book, Row
from hokusai_assets.attestation.ledger.facts import (
    DecisionFacts,
    PlanFacts,
    Reason,
    decision_facts,
    is_digest,
    plan_facts,
    root_over,
)
from hokusai_assets.digests import digest_json

CLEAN_AGAIN = "Evaluate again, so that the contribution is cleaned against the rows paid since."


def attempt_number(lineage: Row | None) -> int:
    """m: 1 + the plans of the lineage so far that were not accepted; pending ones count."""
    return 1 if lineage is None else 1 + int(lineage["plans"]) - int(lineage["accepted"])


def paid_root_of(lineage: Row | None) -> str:
    """The root over the rows that a lineage has paid for."""
    return root_over(()) if lineage is None else str(lineage["paid_root"])


def replaced_benchmark(book: Book, plan: PlanFacts) -> str | None:
    """The live benchmark that committing this plan retires first, or None."""
    lineage = book.get("lineages", plan.lineage)
    live = None if lineage is None else lineage["live_root"]
    return None if live in (None, plan.benchmark_root) else str(live)


def is_current(book: Book, plan_row: Row, plan: PlanFacts) -> bool:
    """Whether a committed plan's benchmark is live and its baseline the model's head, or there is
    none.

    And whether nothing was paid since: of a benchmark that is never retired, two models of one
    lineage could otherwise be paid for the same rows.
    """
    lineage = book.get("lineages", plan.lineage)
    if lineage is None or lineage["live_root"] != plan.benchmark_root:
        return False
    return lineage["paid_root"] == plan_row["paid_root"] and not _other_baseline(book, plan)


def due_retirement(book: Book, body: Mapping[str, Any], plan: PlanFacts) -> Reason | None:
    """Why the benchmark of a decision that was just appended is to be retired, or None.

    An acceptance retires it, and so do K attempts that were not. Attempts that crashed were used
    but decide nothing: past K no further plan is taken, and the next benchmark's retires this one.
    """
    benchmark = book.get("benchmarks", plan.lineage, plan.benchmark_root)
    if not plan.retires or benchmark is None or benchmark["retired_sequence"] is not None:
        return None
    if body["verdict"] == "accepted":
        return "accepted"
    return "attempts" if benchmark["declined"] >= plan.attempts_per_benchmark else None


def plan_violations(book: Book, plan_digest: str, plan: Mapping[str, Any]) -> list[str]:
    """Why a plan may not be committed; the benchmark that it replaces was retired before."""
    facts = plan_facts(plan)
    lineage = book.get("lineages", facts.lineage)
    benchmark = book.get("benchmarks", facts.lineage, facts.benchmark_root)
    found = []
    if digest_json(plan) != plan_digest:
        found.append("The plan's digest is not that of its canonical JSON: commit it unchanged.")
    if book.get("plans", plan_digest) is not None:
        found.append("The plan was committed before.")
    if facts.dry_run:
        found.append("The plan is a dry run's, of which a ledger keeps none.")
    if facts.paid_root != paid_root_of(lineage):
        found.append(
            f"Rows were paid for in lineage {facts.lineage} since this contribution was cleaned. "
            f"{CLEAN_AGAIN}"
        )
    if benchmark is not None and benchmark["retired_sequence"] is not None:
        found.append(
            f"The benchmark {facts.benchmark_root[:12]} of lineage {facts.lineage} was retired by "
            f"entry {benchmark['retired_sequence']}: evaluate on a new one that shares no row "
            "with it."
        )
    elif (
        benchmark is not None
        and facts.retires
        and benchmark["plans"] >= facts.attempts_per_benchmark
    ):
        found.append(
            f"All {facts.attempts_per_benchmark} attempts on the benchmark "
            f"{facts.benchmark_root[:12]} of lineage {facts.lineage} are used: evaluate on a "
            "new one that shares no row with it."
        )
    return found + _other_baseline(book, facts)


def decision_violations(
    book: Book, plan_digest: str, core_digest: str, body: Mapping[str, Any]
) -> list[str]:
    """Why a decision may not be appended."""
    row, plan = book.get("plans", plan_digest), book.plan(plan_digest)
    if row is None or plan is None:
        return ["The decision's plan was never committed here: evaluate with this ledger anew."]
    facts, planned = decision_facts(body), plan_facts(plan)
    found = []
    if (facts.plan_digest, facts.core_digest) != (plan_digest, core_digest):
        found.append("The decision's body names another plan or core than the one it is of.")
    found += already_decided(book, plan_digest, core_digest)
    for name, expected in (("m", row["attempt"]), ("lineage", row["lineage"])):
        if body.get(name, expected) != expected:
            found.append(f"The decision's {name} is {body[name]}, that of its plan is {expected}.")
    if body.get("provisional") or body.get("dry_run"):
        found.append("The decision is provisional or a dry run's, of which a ledger keeps none.")
    return found + _verdict_violations(facts, planned, current=is_current(book, row, planned))


def already_decided(book: Book, plan_digest: str, core_digest: str) -> list[str]:
    """Whether a plan was decided under another core, or this core is another plan's.

    One plan has one decision: else whoever runs it on many machines, whose scores differ in the
    last digits, could choose among the verdicts.
    """
    decided = book.get("decisions", core_digest)
    if decided is not None:
        return [f"The core was decided by entry {decided['sequence']} already."]
    if book.decided(plan_digest):
        return [
            "The plan was decided already, with other numbers than these: the first decision "
            "stands, whatever another machine computes."
        ]
    return []


def mint_violations(book: Book, core_digest: str, request_sha256: object) -> list[str]:
    """Why nothing may be minted from a core."""
    decided, minted = book.get("decisions", core_digest), book.get("mints", core_digest)
    found = []
    if not is_digest(request_sha256):
        found.append("The mint request's request_sha256 is no SHA-256 in 64 hexadecimal digits.")
    if decided is None:
        found.append("The core was never decided here: nothing can be minted from it.")
    elif decided["verdict"] != "accepted":
        found.append(f"The core was {decided['verdict']}: nothing can be minted from it.")
    if minted is not None:
        found.append(f"The core was minted by entry {minted['sequence']} already.")
    return found


def _verdict_violations(facts: DecisionFacts, plan: PlanFacts, *, current: bool) -> list[str]:
    found = []
    if facts.verdict == "accepted" and not current:
        found.append(
            "The decision accepts although its benchmark is retired, its baseline no longer the "
            "model's head, or rows were paid for since: it is superseded."
        )
    if facts.verdict == "superseded" and current:
        found.append("The decision is superseded although benchmark and baseline are current.")
    if facts.training_root != plan.merged_root:
        found.append("The decision's training_root is not the merged root of its plan.")
    return found


def _other_baseline(book: Book, plan: PlanFacts) -> list[str]:
    """In what a plan's baseline differs from the model's head, if there is one."""
    head = book.get("heads", plan.model_id)
    if head is None:
        return []
    found = []
    if plan.baseline_sha256 != head["candidate_file_sha256"]:
        given = "trained" if plan.baseline_sha256 is None else plan.baseline_sha256[:12]
        found.append(
            f"The baseline ({given}) is not the head of model {plan.model_id}: give the accepted "
            f"candidate's file, whose SHA-256 begins with {head['candidate_file_sha256'][:12]}, as "
            "baseline."
        )
    if plan.base_root != head["training_root"]:
        found.append(
            f"The base data are not what the head of model {plan.model_id} was trained on: give "
            f"the merged rows of the accepted run, whose content root begins with "
            f"{head['training_root'][:12]}, as base."
        )
    return found
