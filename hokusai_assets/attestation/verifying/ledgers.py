"""What a ledger says of a bundle: whether it counted it, when, and whether the gain is another's.

The ledger is read and replayed, never trusted: an entry counts only if the chain that holds it is
sound. When it was written only a checkpoint's hash, kept elsewhere, can tell.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hokusai_assets.attestation.bundle import DECISION
from hokusai_assets.attestation.bundle_reading import Bundle
from hokusai_assets.attestation.core import nullifier
from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.attestation.mint.checking import MintVerdict
from hokusai_assets.attestation.verifying.outcome import Step
from hokusai_assets.digests import canonical_json


def ledger_steps(
    bundle: Bundle, core_digest: str, url: str | None, checkpoint: str | None
) -> Iterator[Step]:
    """The steps `ledger`, `order` and `replay`; all `not asked` without a URL."""
    if url is None:
        counted = bundle.decision["ledger"] is not None
        yield Step(
            "ledger",
            "not asked",
            "An entry is named; give --ledger to see it."
            if counted
            else "No ledger counted this evaluation.",
        )
        yield Step(
            "order", "not proven", "Order not proven: no ledger and no checkpoint were given."
        )
        yield Step("replay", "not asked", "Whether it was paid before, only a ledger tells.")
        return
    ledger = SqlLedger(url, "read")
    problems = [f"{problem.where}: {problem.sentence}" for problem in ledger.check()]
    if problems:
        yield Step("ledger", "fails", f"The ledger is broken. {problems[0]}", tuple(problems[1:]))
        return
    entry = ledger.decision_entry(core_digest)
    place = bundle.decision["ledger"]
    if entry is None:
        if place is not None:
            missing = f"{DECISION}: ledger.entry is not in this ledger: {ledger.name}."
            yield Step("ledger", "fails", missing)
        else:
            yield Step("ledger", "provisional", "The ledger does not hold this evaluation.")
        yield Step("order", "not proven", "What is not in the ledger has no order.")
    else:
        problem = _entry_problem(bundle, entry.hash, entry.previous, entry.body)
        if problem is None:
            yield Step("ledger", "holds", f"Entry {entry.sequence} is this decision.")
        elif place is None or place.get("entry") != entry.hash:
            # The same core stands there by another bundle: the same gain, shown twice.
            yield Step("ledger", "replay", problem)
        else:
            yield Step("ledger", "fails", problem)
        yield _order(ledger, entry.hash, checkpoint)
    yield _replay(ledger, bundle, core_digest)


def mint_problems(verdicts: Iterable[MintVerdict], core_digest: str, url: str) -> Iterator[str]:
    """Requests that the ledger never saw, one line each.

    Of one core one thing is minted. A file for another model, chain or contract follows from core
    and decision just as well, so that only the ledger's entry tells which of them it is.
    """
    entry = SqlLedger(url, "read").mint_entry(core_digest)
    said = None if entry is None else entry.body.get("request_sha256")
    for verdict in verdicts:
        if verdict.request is not None and verdict.request.identity != said:
            yield f"{verdict.name} is not the request that the ledger holds of this core."


def _entry_problem(
    bundle: Bundle, entry_hash: str, previous: str | None, body: Mapping[str, Any]
) -> str | None:
    place = bundle.decision["ledger"]
    if place is None or place.get("entry") != entry_hash:
        return f"{DECISION}: ledger.entry is not the ledger's entry of this core, {entry_hash}."
    if place.get("previous") != previous:
        return f"{DECISION}: ledger.previous is not that of the ledger's entry, {previous}."
    if canonical_json(body) != canonical_json(bundle.decision["body"]):
        return f"{DECISION}: body is not what the ledger holds in entry {entry_hash}."
    return None


def _order(ledger: SqlLedger, entry_hash: str, checkpoint: str | None) -> Step:
    if checkpoint is None:
        return Step("order", "not proven", "Order not proven: no checkpoint was given.")
    proof = ledger.prove(entry_hash, checkpoint)
    at = proof.checkpoint.sequence
    if proof.position == "after":
        return Step(
            "order",
            "not proven",
            f"Entry {proof.entry.sequence} came after the checkpoint (entry {at}): a later one is "
            "needed to prove when.",
        )
    return Step(
        "order", "holds", f"Entry {proof.entry.sequence} stood before the checkpoint (entry {at})."
    )


def _replay(ledger: SqlLedger, bundle: Bundle, core_digest: str) -> Step:
    """Whether a contribution that this bundle is accepted for was accepted under another core.

    What is not accepted claims nothing; and of a contribution that was paid before and is sent
    again beside a new one no row is kept, so it claims nothing either.
    """
    if bundle.decision["body"]["verdict"] != "accepted":
        return Step("replay", "holds", "Nothing is claimed: the verdict is not an acceptance.")
    core = bundle.core
    kept = [counts["kept"] > 0 for counts in core["counts"]]
    mine = {n for n, claims in zip(core["nullifiers"], kept, strict=True) if claims}
    plans: dict[str, Mapping[str, Any]] = {}
    for entry in ledger.entries():
        if entry.kind == "plan":
            plans[entry.body["plan_digest"]] = entry.body["plan"]
        elif entry.kind == "decision" and entry.body["verdict"] == "accepted":
            if entry.body["core_digest"] == core_digest:
                continue
            plan = plans[entry.body["plan_digest"]]
            if mine & set(_nullifiers(plan)):
                return Step(
                    "replay",
                    "replay",
                    f"A contribution of this bundle was accepted in entry {entry.sequence}, under "
                    f"the core {entry.body['core_digest']}.",
                )
    return Step(
        "replay", "holds", "No contribution of this bundle was accepted under another core."
    )


def _nullifiers(plan: Mapping[str, Any]) -> Iterator[str]:
    for roots in plan["content_roots"]["contributions"]:
        yield nullifier(plan["model_id"], plan["rule"]["lineage"], roots["received"])
