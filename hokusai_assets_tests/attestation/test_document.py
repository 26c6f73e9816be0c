"""The attestation document: canonical, self-consistent, and refusing every change."""

import copy
import json
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
from hokusai_assets.digests import digest_json
from hokusai_assets.errors import AttestationError

FILES = {"delta_output_r.json": "11" * 32}


def document() -> dict[str, Any]:
    """The smallest document whose parts agree."""
    core: dict[str, Any] = {
        "dry_run": False,
        "contributors": [{"contributor_id": "alice"}],
        "nullifiers": ["22" * 32],
        "delta_one": {"millionths": -28_000},
    }
    return {
        "core": core,
        "core_digest": digest_json(core),
        "dry_run": False,
        "contributor": {"contributors": core["contributors"]},
        "evaluation": {"delta_score": "-0.028000"},
        "proof_data": {"commitment": digest_json(core), "nullifiers": core["nullifiers"]},
        "decision": {"dry_run": False},
        "files": dict(FILES),
    }


def test_an_intact_document_has_no_disagreements() -> None:
    content = document_bytes(document())
    assert disagreements(read_document(content, "a.json"), FILES) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("core", "dry_run"), True, "core_digest"),
        (("core", "delta_one", "millionths"), 28_000, "core_digest"),
        (("core_digest",), "00" * 32, "core_digest"),
        (("dry_run",), True, "dry_run"),
        (("decision", "dry_run"), True, "decision.dry_run"),
        (("proof_data", "commitment"), "00" * 32, "commitment"),
        (("proof_data", "nullifiers"), [], "nullifiers"),
        (("contributor", "contributors"), [{"contributor_id": "mallory"}], "contributors"),
        (("evaluation", "delta_score"), "0.990000", "delta_score"),
        (("files", "delta_output_r.json"), "00" * 32, "delta_output_r.json"),
        (("core",), None, "core is missing"),
    ],
)
def test_every_change_is_named(path: tuple[str, ...], value: Any, said: str) -> None:
    changed = copy.deepcopy(document())
    place = changed
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert said in "; ".join(disagreements(changed, FILES))


def test_a_missing_file_is_named() -> None:
    assert disagreements(document(), {}) == ["file delta_output_r.json is missing"]


def test_every_byte_counts() -> None:
    """Any byte changed gives another document, or one that is refused."""
    content = document_bytes(document())
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        try:
            read = read_document(bytes(changed), "a.json")
        except AttestationError:
            continue
        assert read != document()


def test_readable_json_is_not_canonical() -> None:
    with pytest.raises(AttestationError, match="not canonical"):
        read_document(json.dumps(document(), indent=2).encode(), "a.json")
    with pytest.raises(AttestationError, match="not JSON"):
        read_document(document_bytes(document())[:-1], "a.json")
    with pytest.raises(AttestationError, match="not canonical"):
        read_document(b'{"a":1,"a":1}', "a.json")
    with pytest.raises(AttestationError, match="not canonical"):
        read_document(b'{"a":0.5}', "a.json")


def test_a_nullifier_is_of_model_lineage_and_content() -> None:
    # printf 'deltaone/nullifier/v1\0ml'; 32 zero bytes; sha256sum
    assert (
        nullifier("m", "l", "00" * 32)
        == "d1b50394d595a11a428d130442c8949d3ec688d9982d5ba3a209d07d3935cebc"
    )
    assert nullifier("m", "l", "00" * 32) != nullifier("m", "l", "01" * 32)


def test_versions_and_constraints_are_digestible() -> None:
    versions = package_versions()
    assert set(versions) == {*NUMERIC_PACKAGES, "python"}
    assert len(core_digest({"versions": versions})) == 64
    assert len(constraints_digest()) == 64
