"""What a signer states: in-toto Statements v1 that follow wholly from the public files.

Two of them, over the same subjects, core.json, decision.json and manifest.json by SHA-256 (the
manifest names every other file, and decision.json is named by the statement): this program's own,
and the in-toto test-result v0.1 predicate for tools that know nothing of it. No time, signer's name
or comment stands in either, so anybody who has the files can write the payload again, and a payload
that differs by a byte is refused.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.canonical import read_canonical, read_record
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
# A name, not an address: nothing is ever fetched from it.
PREDICATE_TYPE = "urn:hokusai-assets:attestation:v1"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"

SUBJECTS = ("core.json", "decision.json", "manifest.json")
PLAN = "plan.json"


@dataclass(frozen=True)
class PublicFiles:
    """The four signed files of a public folder: bytes, and what they hold.

    `decision` is the body of decision.json, `ledger` where the ledger holds it, or None.
    """

    content: Mapping[str, bytes]
    core: Mapping[str, Any]
    plan: Mapping[str, Any]
    decision: Mapping[str, Any]
    ledger: Mapping[str, Any] | None

    @property
    def core_digest(self) -> str:
        """The SHA-256 of core.json, as hex."""
        return _sha256(self.content["core.json"])

    @property
    def dry_run(self) -> bool:
        """Whether any of the files says that it was a dry run, or does not deny it."""
        parts = (self.core, self.plan, self.decision)
        return any(part.get("dry_run") is not False for part in parts)


def public_files(content: Mapping[str, bytes]) -> PublicFiles:
    """The files, once they are canonical and name one another; raises AttestationError.

    `content` maps names relative to the public folder to bytes; other names are not looked at.
    """
    missing = [name for name in (*SUBJECTS, PLAN) if name not in content]
    if missing:
        raise AttestationError(f"The public folder lacks {', '.join(missing)}.")
    parsed = {name: read_record(content[name], name) for name in (*SUBJECTS, PLAN)}
    decision = parsed["decision.json"]
    body, place = decision.get("body"), decision.get("ledger")
    if (
        set(decision) != {"body", "ledger"}
        or not isinstance(body, dict)
        or not (place is None or isinstance(place, dict))
    ):
        raise AttestationError(
            "decision.json must hold body, an object, and ledger, an object or null."
        )
    files = PublicFiles(
        {name: content[name] for name in parsed},
        parsed["core.json"],
        parsed[PLAN],
        body,
        place,
    )
    problems = list(_contradictions(files, parsed["manifest.json"]))
    if problems:
        raise AttestationError(" ".join(problems))
    return files


def attestation_statement(files: PublicFiles) -> bytes:
    """The payload of this program's own predicate, as canonical JSON."""
    return _statement(
        files,
        PREDICATE_TYPE,
        {
            "core_digest": files.core_digest,
            "plan_digest": _sha256(files.content[PLAN]),
            "dry_run": files.dry_run,
            "verdict": files.decision["verdict"],
            "provisional": files.decision["provisional"],
            "payable_bps": files.decision["payable_bps"],
        },
    )


def result_statement(files: PublicFiles) -> bytes:
    """The payload of in-toto's test-result v0.1: PASSED where accepted, and the clauses as tests.

    A clause that nobody evaluated, such as `current` without a ledger, is a warned test.
    """
    clauses = files.decision["clauses"]
    held = {str(clause["name"]): clause.get("holds") for clause in clauses}
    if files.decision["provisional"]:
        held.setdefault("current", None)
    accepted = files.decision["verdict"] == "accepted"
    return _statement(
        files,
        TEST_RESULT_TYPE,
        {
            "result": "PASSED" if accepted else "FAILED",
            "configuration": [_descriptor(files, PLAN)],
            "passedTests": [name for name, holds in held.items() if holds is True],
            "warnedTests": [name for name, holds in held.items() if holds is None],
            "failedTests": [name for name, holds in held.items() if holds is False],
        },
    )


def payload_problem(payload: bytes, expected: bytes) -> str | None:
    """How a payload whose signature holds differs from the one that follows from the files."""
    if payload == expected:
        return None
    try:
        found = read_canonical(payload, "what is signed")
    except AttestationError as error:
        return str(error).rstrip(".")
    wanted = json.loads(expected)
    if not isinstance(found, dict):
        return "what is signed is no in-toto Statement"
    for name in ("_type", "predicateType"):
        if found.get(name) != wanted[name]:
            return f"{name} of what is signed is not {wanted[name]}"
    if found.get("subject") != wanted["subject"]:
        return (
            "the subjects that are signed are not the files here: they are those of another "
            "bundle, or a file was changed after it was signed"
        )
    if found.get("predicate") != wanted["predicate"]:
        return "the predicate that is signed does not follow from the files"
    return "what is signed is not written canonically, or says more than it should"


def _contradictions(files: PublicFiles, manifest: Mapping[str, Any]) -> Iterator[str]:
    decision, plan_digest = files.decision, _sha256(files.content[PLAN])
    listed = set(_texts(manifest))
    for name in ("core.json", PLAN, "decision.json"):
        if _sha256(files.content[name]) not in listed:
            yield f"manifest.json does not hold the SHA-256 of {name}."
    if decision.get("core_digest") != files.core_digest:
        yield "decision.json: body.core_digest is not the SHA-256 of core.json."
    if decision.get("plan_digest") != plan_digest:
        yield "decision.json: body.plan_digest is not the SHA-256 of plan.json."
    if files.core.get("plan_digest") != plan_digest:
        yield "core.json: plan_digest is not the SHA-256 of plan.json."
    for name, part in (("core.json", files.core), (PLAN, files.plan), ("decision.json", decision)):
        if not isinstance(part.get("dry_run"), bool):
            yield f"{name}: dry_run must be true or false."
        elif part["dry_run"] is not files.core.get("dry_run"):
            yield f"{name}: dry_run is not that of core.json."
    if decision.get("verdict") not in ("accepted", "rejected", "superseded"):
        yield "decision.json: body.verdict must be accepted, rejected or superseded."
    if not isinstance(decision.get("provisional"), bool):
        yield "decision.json: body.provisional must be true or false."
    if type(decision.get("payable_bps")) is not int:
        yield "decision.json: body.payable_bps must be an integer."
    clauses = decision.get("clauses")
    if not isinstance(clauses, list) or not all(
        isinstance(clause, dict)
        and isinstance(clause.get("name"), str)
        and (clause.get("holds") is None or isinstance(clause["holds"], bool))
        for clause in clauses
    ):
        yield "decision.json: body.clauses must be a list of clauses, each with name and holds."
    elif len({clause["name"] for clause in clauses}) != len(clauses):
        yield "decision.json: body.clauses holds a name twice."


def _texts(value: Any) -> Iterator[str]:
    """Every text in a manifest, however it is arranged: only its digests matter here."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _statement(files: PublicFiles, predicate_type: str, predicate: dict[str, Any]) -> bytes:
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [_descriptor(files, name) for name in SUBJECTS],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )


def _descriptor(files: PublicFiles, name: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": _sha256(files.content[name])}}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
