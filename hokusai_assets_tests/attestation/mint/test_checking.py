"""A mint file as a stranger gets it: it follows from the files, and any change is named."""

import hashlib
import json
import random
from typing import Any

import pytest

from hokusai_assets.attestation.mint.checking import (
    MintVerdict,
    check_mint_file,
    check_mint_files,
)
from hokusai_assets.attestation.mint.signing import EthereumKey, sign_request
from hokusai_assets.attestation.mint.writing import mint_file
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.attestation.mint.conftest import files_of, request_of
from hokusai_assets_tests.attestation.public_folder import RUN_ID, two_contributors

KEYS = [EthereumKey(number.to_bytes(32, "big")) for number in (11, 12, 13)]


def whole(*keys: EthereumKey, **given: Any) -> tuple[str, bytes]:
    request = request_of(**given)
    return mint_file(request, [sign_request(request, key) for key in keys])


def checked(content: bytes, name: str | None = None, **changes: Any) -> MintVerdict:
    """The verdict on a file that, unless it is named, has the name that its content asks for."""
    own = f"mint/{hashlib.sha256(content).hexdigest()}.json"
    return check_mint_file(content, name or own, files_of(**changes), RUN_ID)


def changed(path: str, value: Any) -> bytes:
    """The file with one field changed, or dropped where `value` is ...."""
    body = json.loads(whole(KEYS[0])[1])
    *parents, last = path.split(".")
    place = body
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if value is ...:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return canonical_json(body)


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("basis", ["measured", "lower_bound"])
def test_what_was_written_follows(count: int, basis: str) -> None:
    name, content = whole(*KEYS[:count], score_basis=basis)
    verdict = checked(content, name)
    assert verdict.problems == ()
    assert verdict.request is not None
    assert verdict.request == request_of(score_basis=basis)
    assert len(verdict.signatures) == count
    assert canonical_json(json.loads(content)) == content


def test_warnings_are_told_again() -> None:
    (warning,) = checked(whole(actual_cost_usd_micro="9000000")[1]).warnings
    assert "mints nothing" in warning


def test_every_file_below_mint_is_checked() -> None:
    name, content = whole()
    files = {f"mint/{name}": content, "mint/note.txt": b"x", "core.json": b"not looked at"}
    good, bad = check_mint_files(files, files_of(), RUN_ID)
    assert (good.problems, bad.name) == ((), "mint/note.txt")
    assert "not the SHA-256" in bad.problems[0]


PAYLOAD = "typed_data.message.payload"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("mint_request_version", 2, "mint_request_version does not follow"),
        ("mint_request_version", True, "mint_request_version does not follow"),
        ("core_digest", "ab" * 32, "core_digest does not follow"),
        ("digest", "0x" + "ab" * 32, "digest does not follow"),
        ("spec_id", "another", "benchmarkSpecHash does not follow"),
        ("score_basis", "lower_bound", "candidateScoreBps does not follow"),
        ("reveal_live_scores", 1, "no mint request of this version"),
        ("reveal_live_scores", ..., "no mint request of this version"),
        ("typed_data", [], "no mint request of this version"),
        ("typed_data.primaryType", "Mail", "typed_data.primaryType does not follow"),
        ("typed_data.types.Contributor", [], "typed_data.types.Contributor does not follow"),
        ("typed_data.domain.name", "Other", "typed_data.domain.name does not follow"),
        ("typed_data.domain.chainId", 8453, "no mint request of this version"),
        ("typed_data.domain.chainId", "1", "digest does not follow"),
        (
            "typed_data.domain.verifyingContract",
            "0xdbf03b407c01e7cd3cbea99509d93f8dddc8c6fb",
            "verifyingContract does not follow",
        ),
        ("typed_data.message.modelId", "8", "idempotencyKey does not follow"),
        ("typed_data.message.modelId", "08", "model_id must be a whole number"),
        ("typed_data.message.extra", "1", "typed_data.message.extra stands here"),
        ("typed_data.message.contributors", [], "contributors does not follow"),
        (
            "typed_data.message.contributors.0.walletAddress",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "contributors does not follow",
        ),
        (f"{PAYLOAD}.candidateScoreBps", "7936", "candidateScoreBps does not follow"),
        (f"{PAYLOAD}.candidateScoreBps", 7935, "candidateScoreBps does not follow"),
        (f"{PAYLOAD}.totalSamples", ..., "payload.totalSamples is missing"),
        (f"{PAYLOAD}.pipelineRunId", "another", "pipelineRunId is not the run's id"),
        (f"{PAYLOAD}.pipelineRunId", None, "no mint request of this version"),
        (f"{PAYLOAD}.anchors.metricFamily", "continuous", "metricFamily does not follow"),
        (f"{PAYLOAD}.deadline", "1999999999", "not by the signer named"),
        (f"{PAYLOAD}.deadline", "0", "deadline is 0"),
        ("signatures", ..., "signatures must be a list"),
        ("signatures.0", {}, "must hold signer and signature"),
    ],
)
def test_every_changed_field_is_named(path: str, value: Any, said: str) -> None:
    verdict = checked(changed(path, value))
    assert said in " ".join(verdict.problems)
    assert verdict.request is None
    assert verdict.signatures == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"core": {"model_id": "another"}},
        {"core": {"contributors": two_contributors()}},
        {"decision": {"payable_bps": 200}},
        {"decision": {"verdict": "rejected"}},
        {"decision": {"provisional": True}},
        {"plan": {"rule": {"retire": "never"}}},
        {part: {"dry_run": True} for part in ("core", "plan", "decision")},
    ],
)
def test_the_request_of_another_bundle_does_not_follow(changes: Any) -> None:
    assert checked(whole(KEYS[0], score_basis="lower_bound")[1], **changes).problems


def test_bytes_and_names_are_bound() -> None:
    name, content = whole(KEYS[0])
    assert "not the SHA-256" in checked(content + b"\n", name).problems[0]
    assert "canonical" in checked(content + b"\n").problems[0]
    assert "not JSON" in checked(content[:-1]).problems[0]
    assert "not the SHA-256" in checked(content, f"mint/../{name}").problems[0]
    assert checked(content, f"mint/{name}").problems == ()
    rng = random.Random(5)
    for _ in range(150):
        place = rng.randrange(len(content))
        mutant = bytearray(content)
        mutant[place] ^= 1 << rng.randrange(8)
        verdict = checked(bytes(mutant))  # whoever changes a file can rename it too
        assert verdict.problems, content[place - 20 : place + 20]
