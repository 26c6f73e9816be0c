"""Statements: valid for the in-toto library, and a function of the files alone."""

import json
from typing import Any

import google.protobuf.json_format as pb_json
import pytest
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from hokusai_assets.attestation.signing.statements import (
    PREDICATE_TYPE,
    TEST_RESULT_TYPE,
    PublicFiles,
    attestation_statement,
    payload_problem,
    public_files,
    result_statement,
)
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError
from hokusai_assets_tests.attestation.public_folder import (
    DECISION,
    public_content,
    sha256,
)


def by_the_library(payload: bytes) -> Statement:
    """The statement as the in-toto library parses and validates it; unknown fields are errors."""
    read = Statement.copy_from_pb(pb_json.Parse(payload, statement_pb2.Statement()))
    read.validate()
    return read


@pytest.mark.parametrize("make", [attestation_statement, result_statement])
def test_the_subjects_are_the_files_by_digest(make: Any) -> None:
    content = public_content()
    read = by_the_library(make(public_files(content)))
    assert {s.name: dict(s.digest) for s in read.pb.subject} == {
        name: {"sha256": sha256(content[name])}
        for name in ("core.json", "decision.json", "manifest.json")
    }


def test_our_predicate_says_what_the_files_say() -> None:
    content = public_content()
    read = json.loads(attestation_statement(public_files(content)))
    assert read["predicateType"] == PREDICATE_TYPE
    assert read["predicate"] == {
        "core_digest": sha256(content["core.json"]),
        "plan_digest": sha256(content["plan.json"]),
        "dry_run": False,
        "verdict": "accepted",
        "provisional": False,
        "payable_bps": 168,
    }


def clauses(**holds: bool | None) -> list[dict[str, Any]]:
    return [{"name": name, "holds": value} for name, value in holds.items()]


@pytest.mark.parametrize(
    ("decision", "result", "passed", "warned", "failed"),
    [
        ({}, "PASSED", [c["name"] for c in DECISION["clauses"]], [], []),
        (
            {"verdict": "rejected", "clauses": clauses(data=True, rows=False, current=True)},
            "FAILED",
            ["data", "current"],
            [],
            ["rows"],
        ),
        (
            {"verdict": "superseded", "clauses": clauses(data=True, current=False)},
            "FAILED",
            ["data"],
            [],
            ["current"],
        ),
        (
            {"provisional": True, "clauses": clauses(data=True)},
            "PASSED",
            ["data"],
            ["current"],
            [],
        ),
        (
            {"provisional": True, "clauses": clauses(data=True, current=None)},
            "PASSED",
            ["data"],
            ["current"],
            [],
        ),
    ],
)
def test_the_test_result_is_the_verdict(
    decision: Any, result: str, passed: Any, warned: Any, failed: Any
) -> None:
    content = public_content(decision=decision)
    payload = result_statement(public_files(content))
    assert by_the_library(payload).pb.predicate_type == TEST_RESULT_TYPE
    predicate = pb_json.ParseDict(json.loads(payload)["predicate"], test_result_pb2.TestResult())
    assert predicate.result == result
    assert list(predicate.passed_tests) == passed
    assert list(predicate.warned_tests) == warned
    assert list(predicate.failed_tests) == failed
    (plan,) = predicate.configuration
    ResourceDescriptor.copy_from_pb(plan).validate()
    assert (plan.name, plan.digest["sha256"]) == ("plan.json", sha256(content["plan.json"]))


def test_statements_are_canonical_and_the_same_again() -> None:
    for make in (attestation_statement, result_statement):
        payload = make(public_files(public_content()))
        assert payload == make(public_files(public_content()))
        assert payload == canonical_json(json.loads(payload))


def replaced(name: str, **fields: Any) -> dict[str, bytes]:
    """The folder with fields of one file changed after its digest was taken."""
    content = public_content()
    return content | {name: canonical_json(json.loads(content[name]) | fields)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "lacks core.json, decision.json, manifest.json, plan.json"),
        (replaced("core.json", model_id="x"), "manifest.json does not hold .* core.json"),
        (replaced("core.json", model_id="x"), "core_digest is not the SHA-256 of core.json"),
        (replaced("plan.json", x=1), "decision.json: body.plan_digest is not"),
        (replaced("plan.json", x=1), "core.json: plan_digest is not"),
        (replaced("decision.json", ledger=None), "manifest.json does not hold .* decision.json"),
        (public_content(core={"dry_run": None}), "core.json: dry_run must be true or false"),
        (public_content(core={"dry_run": 0}), "core.json: dry_run must be true or false"),
        (public_content(decision={"dry_run": True}), "dry_run is not that of core.json"),
        (public_content(plan={"dry_run": True}), "plan.json: dry_run is not that of core.json"),
        (public_content(decision={"verdict": "PASSED"}), "verdict must be"),
        (public_content(decision={"verdict": ["accepted"]}), "verdict must be"),
        (public_content(decision={"provisional": 0}), "provisional must be"),
        (public_content(decision={"payable_bps": True}), "payable_bps must be an integer"),
        (public_content(decision={"payable_bps": "168"}), "payable_bps must be an integer"),
        (public_content(decision={"clauses": {}}), "clauses must be a list"),
        (public_content(decision={"clauses": [{"name": "x", "holds": 1}]}), "clauses must be"),
        (public_content(decision={"clauses": [1]}), "clauses must be"),
        (
            public_content(decision={"clauses": [*clauses(rows=True), *clauses(rows=False)]}),
            "holds a name twice",
        ),
        (replaced("decision.json", body=[]), "must hold body, an object"),
        (replaced("decision.json", ledger="x"), "must hold body, an object"),
        (replaced("decision.json", extra=1), "must hold body, an object"),
        (public_content() | {"core.json": b"{}\n"}, "core.json is not canonical"),
        (public_content() | {"manifest.json": b"{}"}, "manifest.json does not hold"),
    ],
)
def test_files_that_do_not_fit_are_named(content: dict[str, bytes], said: str) -> None:
    with pytest.raises(AttestationError, match=said):
        public_files(content)


def test_how_a_payload_differs_is_told() -> None:
    expected = attestation_statement(public_files(public_content()))
    statement = json.loads(expected)
    other = public_content(core={"model_id": "other"})
    assert payload_problem(expected, expected) is None
    for payload, said in (
        (b"{", "not JSON"),
        (b"[]", "no in-toto Statement"),
        (canonical_json(statement | {"_type": "x"}), "_type of what is signed"),
        (result_statement(public_files(public_content())), "predicateType of what"),
        (attestation_statement(public_files(other)), "those of another bundle"),
        (
            canonical_json(statement | {"predicate": statement["predicate"] | {"dry_run": True}}),
            "the predicate that is signed",
        ),
        (canonical_json(statement | {"extra": 1}), "more than it should"),
        (expected + b" ", "is not canonical JSON"),
        (b"[" * 100_000, "nested deeper"),
    ):
        problem = payload_problem(payload, expected)
        assert problem is not None
        assert said in problem


def test_the_files_are_handed_on_as_they_are() -> None:
    content = public_content()
    files = public_files(content | {"signatures/x": b"not looked at"})
    assert files.core == json.loads(content["core.json"])
    assert files.plan == json.loads(content["plan.json"])
    assert {"body": files.decision, "ledger": files.ledger} == json.loads(content["decision.json"])
    assert public_files(public_content(ledger=None)).ledger is None
    assert files.core_digest == sha256(content["core.json"])
    assert not files.dry_run
    assert public_files(
        public_content(core={"dry_run": True}, plan={"dry_run": True}, decision={"dry_run": True})
    ).dry_run


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("said", [{}, {"dry_run": True}, {"dry_run": 0}, {"dry_run": None}])
def test_one_file_that_does_not_deny_it_makes_a_dry_run(part: int, said: dict[str, Any]) -> None:
    parts: list[dict[str, Any]] = [{"dry_run": False}] * 3
    assert not PublicFiles({}, *parts, None).dry_run
    parts[part] = said
    assert PublicFiles({}, *parts, None).dry_run
