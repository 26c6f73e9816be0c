"""How the tables change with an entry; the only place where they do.

An entry is taken to keep the rules (rules.py): whoever appends or checks asks them first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hokusai_assets.attestation.ledger.book import Book, Row
from hokusai_assets.attestation.ledger.entries import Entry
from hokusai_assets.attestation.ledger.facts import plan_facts, root_over
from hokusai_assets.attestation.ledger.rules import attempt_number, paid_root_of


def plan_body(book: Book, plan_digest: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a plan's entry: the whole plan, and the attempt number that it is given."""
    lineage = book.get("lineages", plan_facts(plan).lineage)
    return {"plan_digest": plan_digest, "attempt": attempt_number(lineage), "plan": dict(plan)}


def apply_entry(book: Book, entry: Entry) -> None:
    """Change the tables as `entry` says."""
    body = entry.body
    if entry.kind == "plan":
        _apply_plan(book, entry.sequence, body)
    elif entry.kind == "decision":
        _apply_decision(book, entry.sequence, body)
    elif entry.kind == "retire":
        _apply_retirement(book, entry.sequence, body["lineage"], body["benchmark_root"])
    else:
        row = {"core_digest": body["core_digest"], "sequence": entry.sequence}
        book.put("mints", row)


def _apply_plan(book: Book, sequence: int, body: Mapping[str, Any]) -> None:
    plan = plan_facts(body["plan"])
    lineage = book.get("lineages", plan.lineage)
    benchmark = book.get("benchmarks", plan.lineage, plan.benchmark_root)
    book.put(
        "plans",
        {
            "plan_digest": body["plan_digest"],
            "sequence": sequence,
            "lineage": plan.lineage,
            "model_id": plan.model_id,
            "benchmark_root": plan.benchmark_root,
            "attempt": body["attempt"],
            "paid_root": paid_root_of(lineage),
        },
    )
    book.put(
        "lineages",
        {
            "lineage": plan.lineage,
            "plans": 1 if lineage is None else lineage["plans"] + 1,
            "accepted": 0 if lineage is None else lineage["accepted"],
            "live_root": plan.benchmark_root,
            "paid_root": paid_root_of(lineage),
        },
    )
    book.put(
        "benchmarks",
        {
            "lineage": plan.lineage,
            "root": plan.benchmark_root,
            "plans": 1 if benchmark is None else benchmark["plans"] + 1,
            "declined": 0 if benchmark is None else benchmark["declined"],
            "retired_sequence": None,
        },
    )


def _apply_decision(book: Book, sequence: int, body: Mapping[str, Any]) -> None:
    digest, accepted = body["plan_digest"], body["verdict"] == "accepted"
    planned = book.get("plans", digest)
    plan = book.plan(digest)
    if planned is None or plan is None:
        raise AssertionError("a decision without its plan breaks the rules")
    facts = plan_facts(plan)
    book.put(
        "decisions",
        {
            "core_digest": body["core_digest"],
            "plan_digest": digest,
            "sequence": sequence,
            "verdict": body["verdict"],
        },
    )
    if not accepted:
        benchmark = _known(book, "benchmarks", facts.lineage, facts.benchmark_root)
        book.put("benchmarks", benchmark | {"declined": benchmark["declined"] + 1})
        return
    book.put(
        "heads",
        {
            "model_id": facts.model_id,
            "candidate_file_sha256": body["candidate_file_sha256"],
            "training_root": body["training_root"],
            "sequence": sequence,
        },
    )
    lineage = _known(book, "lineages", facts.lineage)
    book.put("lineages", lineage | {"accepted": lineage["accepted"] + 1})
    _pay(book, sequence, facts.lineage, facts.contribution_roots, "contribution")


def _apply_retirement(book: Book, sequence: int, name: str, root: str) -> None:
    benchmark = _known(book, "benchmarks", name, root)
    book.put("benchmarks", benchmark | {"retired_sequence": sequence})
    lineage = _known(book, "lineages", name)
    book.put("lineages", lineage | {"live_root": None})
    _pay(book, sequence, name, (root,), "benchmark")


def _pay(book: Book, sequence: int, lineage: str, roots: tuple[str, ...], kind: str) -> None:
    """Rows of these roots are paid for, or opened, from this entry on."""
    for root in roots:
        if book.get("paid", lineage, root) is None:
            row = {"lineage": lineage, "root": root, "kind": kind, "sequence": sequence}
            book.put("paid", row)
    paid_root = root_over(book.paid_roots(lineage))
    book.put("lineages", _known(book, "lineages", lineage) | {"paid_root": paid_root})


def _known(book: Book, table: str, *key: str) -> Row:
    row = book.get(table, *key)
    if row is None:
        raise AssertionError(f"{table} lacks {key}, which the rules demand")
    return row
