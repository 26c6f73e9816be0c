"""The attestation document: canonical, self-consistent, and refusing every change."""

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.core import (
    NUMERIC_PACKAGES,
    constraints_digest,
    core_digest,
    nullifier,
    package_versions,
)
from hokusai_assets.attestation.document import disagreements, document_bytes, read_document
from hokusai_assets.errors import AttestationError
from hokusai_assets_tests.conftest import Evaluated

# What two runs with one core may differ in; only a signature can bind these.
FREE = {("run_id",), ("timestamp",), ("models", "improved", "model_hash")}
FREE |= {
    ("models", model, key) for model in ("baseline", "improved") for key in ("model_id", "origin")
}
FREE |= {("models", "baseline", "model_hash")}  # of a trained baseline
FREE |= {("decision", "attempt"), ("decision", "provisional")}  # the ledger's to say


def document(evaluated: Evaluated) -> dict[str, Any]:
    content = Path(evaluated["attestation"].attestation_path).read_bytes()
    return read_document(content, "a.json")


def files(evaluated: Evaluated) -> dict[str, str]:
    path = Path(evaluated["attestation"].delta_output_path)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every scalar and every empty container of a document, with the way to it."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    if not items or not value:
        yield path, value
    for key, item in items:
        yield from leaves(item, (*path, key))


def replaced(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    place: Any = changed
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return changed


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}0" if isinstance(value, str) else "something"


def test_an_intact_document_has_no_disagreements(evaluated: Evaluated) -> None:
    assert disagreements(document(evaluated), files(evaluated)) == []


def test_every_changed_value_is_named(evaluated: Evaluated) -> None:
    body, found = document(evaluated), files(evaluated)
    paths = list(leaves(body))
    assert len(paths) > 300
    unnoticed = {
        path
        for path, value in paths
        if not disagreements(replaced(body, path, another(value)), found)
    }
    assert unnoticed <= FREE - {("decision", "attempt")}
    # Attempts of one block share a level, but the sentences say which attempt it was.
    assert disagreements(replaced(body, ("decision", "attempt"), 2), found)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("core", "dry_run"), True, "core_digest does not follow"),
        (("dry_run",), True, "dry_run does not follow"),
        (("plan", "rule", "min_delta_bps"), 0, "the plan is not the one"),
        (("decision", "verdict"), "accepted", "decision does not follow"),
        (("decision", "attempt"), True, "decision does not follow"),
        (("decision", "dry_run"), 0, "decision does not follow"),
        (("dry_run",), 0, "dry_run does not follow"),
        (("bundle",), "bundle_of_another", "bundle is not that of the run"),
        (("decision", "dry_run"), True, "decision does not follow"),
        (("evaluation", "delta_score"), "0.990000", "evaluation does not follow"),
        (("signed",), True, "signed does not follow"),
        (("core",), None, "core is missing"),
        (("plan",), None, "plan is missing"),
        (("core", "metrics"), {}, "not of their form"),
        (("decision",), None, "not of their form"),
        (("core", "guards"), [{"name": "g"}], "not of their form"),
    ],
)
def test_what_is_said_of_a_change(
    evaluated: Evaluated, path: tuple[str, ...], value: Any, said: str
) -> None:
    body = document(evaluated)
    assert body["decision"]["verdict"] == "rejected"
    changed = replaced(body, path, value)
    assert said in "; ".join(disagreements(changed, files(evaluated)))


def test_a_forged_verdict_is_found_though_every_digest_is_right(evaluated: Evaluated) -> None:
    """Somebody who writes a better core and all its digests must also change what follows."""
    body = document(evaluated)
    core = body["core"]
    core["metrics"]["accuracy"]["p_value_pico"] = core["delta_one"]["p_value_pico"] = 1
    forged = core_digest(core)
    body["core_digest"] = body["proof_data"]["commitment"] = forged
    assert disagreements(body, files(evaluated)) == [
        "the decision does not follow from plan and core"
    ]


def test_a_stored_baselines_file_is_bound(evaluated: Evaluated) -> None:
    body = document(evaluated)
    body["core"]["baseline"] = {"origin": "stored", "file_sha256": "33" * 32}
    problems = disagreements(body, files(evaluated))
    assert "models.baseline.model_hash is not the core's" in problems


def test_a_missing_file_is_named(evaluated: Evaluated) -> None:
    (name,) = files(evaluated)
    assert disagreements(document(evaluated), {}) == [f"file {name} is missing"]


SMALL = {
    "run_id": "r",
    "core": {"dry_run": False, "labels": ["bad", "good"]},
    "core_digest": "11" * 32,
}


def test_every_byte_counts() -> None:
    """Any byte changed gives another document, or one that is refused."""
    content = document_bytes(SMALL)
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        try:
            read = read_document(bytes(changed), "a.json")
        except AttestationError:
            continue
        assert read != SMALL


def test_readable_json_is_not_canonical() -> None:
    with pytest.raises(AttestationError, match="not canonical"):
        read_document(json.dumps(SMALL, indent=2).encode(), "a.json")
    with pytest.raises(AttestationError, match="not JSON"):
        read_document(document_bytes(SMALL)[:-1], "a.json")
    with pytest.raises(AttestationError, match="the key 'a' twice"):
        read_document(b'{"a":1,"a":1}', "a.json")
    with pytest.raises(AttestationError, match="a is no integer"):
        read_document(b'{"a":0.5}', "a.json")


def test_a_nullifier_is_of_model_lineage_and_content() -> None:
    # { printf 'deltaone/nullifier/v1\0m\0l\0'; head -c 32 /dev/zero; } | sha256sum
    assert (
        nullifier("m", "l", "00" * 32)
        == "9a2de8fe9169c98bd228d2c248147fd66073daecfdea8f72f7b8eefd894482f4"
    )
    # What is joined without a mark between would be one for both.
    assert nullifier("a", "bc", "00" * 32) != nullifier("ab", "c", "00" * 32)
    assert nullifier("m", "l", "00" * 32) != nullifier("m", "l", "01" * 32)


def test_versions_and_constraints_are_digestible() -> None:
    versions = package_versions()
    assert set(versions) == {*NUMERIC_PACKAGES, "python"}
    assert len(core_digest({"versions": versions})) == 64
    assert len(constraints_digest()) == 64
