"""The plan's digest and the seeds that follow from it."""

import hashlib

import pytest
from pydantic import ValidationError

from hokusai_assets.attestation.ledger import NoLedger
from hokusai_assets.attestation.plan import commit_plan, derive_seed
from hokusai_assets.records import Attempt, EvaluationPlan

BODY = {"number_of_seeds": 3, "plan_version": 1}


def test_seeds_are_the_first_four_bytes_of_a_digest() -> None:
    digest = "ab" * 32
    material = bytes.fromhex(digest) + b"nonce" + (2).to_bytes(4, "big")
    expected = int.from_bytes(hashlib.sha256(material).digest()[:4], "big")
    assert derive_seed(digest, b"nonce", 2) == expected
    assert derive_seed(digest, None, 2) != expected


def test_a_golden_plan() -> None:
    plan = commit_plan(BODY, NoLedger(), nonce=None, rows_left_in_training=0, shares=())
    # Both computed outside this package: sha256sum, and the formula by hand.
    canonical = b'{"number_of_seeds":3,"plan_version":1}'
    assert plan.digest == hashlib.sha256(canonical).hexdigest()
    assert plan.digest == "b920c2176bbedbc85e01730e7433863c122a82792e8c4faf1d940b3c958827e2"
    assert plan.seeds == (3007706421, 2799953736, 2314604610)
    assert plan.attempt == Attempt(number=1, provisional=True)


def test_any_change_of_the_plan_changes_every_seed() -> None:
    first = commit_plan(BODY, NoLedger(), nonce=None, rows_left_in_training=0, shares=())
    other = commit_plan(
        {**BODY, "plan_version": 2}, NoLedger(), nonce=None, rows_left_in_training=0, shares=()
    )
    assert not set(first.seeds) & set(other.seeds)


def test_a_plan_whose_digest_is_not_its_bodys_is_refused() -> None:
    with pytest.raises(ValidationError, match="not that of its body"):
        EvaluationPlan(
            body=BODY,
            digest="00" * 32,
            seeds=(),
            attempt=Attempt(number=1, provisional=True),
            rows_left_in_training=0,
            shares=(),
        )
