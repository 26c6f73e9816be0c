"""A real bundle to be verified, signed where wanted, and forged as somebody would who can write."""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.bundle import CORE, DECISION, MANIFEST, PLAN, manifest_of
from hokusai_assets.attestation.decision import current_of, decision_body
from hokusai_assets.attestation.signing.keys import new_key_pair
from hokusai_assets.digests import canonical_json, digest_json
from hokusai_assets_tests.conftest import Evaluated


@pytest.fixture
def place(evaluated: Evaluated, tmp_path: Path) -> Path:
    """A copy of one evaluation's bundle: two classes, two contributors, no ledger."""
    return shutil.copytree(evaluated["attestation"].bundle_path, tmp_path / "bundle")


@pytest.fixture
def keys(tmp_path: Path) -> Any:
    """A new pair of keys."""
    return new_key_pair(str(tmp_path / "keys"))


def load(place: Path, name: str) -> Any:
    """A record of a bundle, to be changed."""
    return json.loads((place / name).read_bytes())


def store(place: Path, name: str, record: Any, *, audit: bool = True) -> None:
    """Write a record, with a manifest that fits; without `audit` it names what is not there."""
    before = load(place, MANIFEST)
    (place / name).write_bytes(canonical_json(record))
    manifest = manifest_of(place)
    if not audit:
        manifest["files"] = before["files"] | manifest["files"]
    (place / MANIFEST).write_bytes(canonical_json(manifest))


def forged(place: Path, change: Callable[[Any, Any], None], *, audit: bool = True) -> None:
    """Change core and plan, and make all that follows from them anew: digests and decision.

    Nobody's signature fits then; all that can be computed from what was changed does.
    """
    core, plan = load(place, CORE), load(place, PLAN)
    old = copy.deepcopy(load(place, DECISION))
    change(core, plan)
    core["plan_digest"] = digest_json(plan)
    body = decision_body(
        core,
        plan,
        attempt=old["body"]["m"],
        current=current_of(old["body"]),
        candidate_file_sha256=old["body"]["candidate_file_sha256"],
        provisional=old["body"]["provisional"],
    )
    (place / CORE).write_bytes(canonical_json(core))
    (place / PLAN).write_bytes(canonical_json(plan))
    store(place, DECISION, old | {"body": body}, audit=audit)
