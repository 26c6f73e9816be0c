"""Signatures of a whole folder: who counts, and what an attacker may try with the files."""

import copy
import json
import random
from typing import Any

import pytest

from hokusai_assets.attestation.signing.checking import (
    SUFFIXES,
    SignaturesVerdict,
    check_signatures,
)
from hokusai_assets.attestation.signing.dsse import sign_payload
from hokusai_assets.attestation.signing.keys import SigningKey
from hokusai_assets.attestation.signing.policy import NamedKey, Policy, policy_of
from hokusai_assets.attestation.signing.signing import signature_files
from hokusai_assets.attestation.signing.sigstore_bundle import bundle_content
from hokusai_assets.attestation.signing.statements import (
    attestation_statement,
    public_files,
    result_statement,
)
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError
from hokusai_assets_tests.attestation.public_folder import public_content
from hokusai_assets_tests.attestation.signing.conftest import key_of

DRY = {"core": {"dry_run": True}, "plan": {"dry_run": True}, "decision": {"dry_run": True}}


def signed(*keys: SigningKey, **changes: Any) -> dict[str, bytes]:
    """A public folder and these keys' signatures."""
    content = public_content(**changes)
    files = {name: data for key in keys for name, data in signature_files(content, key).items()}
    return content | {f"signatures/{name}": data for name, data in files.items()}


def policy(threshold: int, *keys: SigningKey, revoked: Any = ()) -> Policy:
    named = tuple(NamedKey(f"signer {i}", key.public) for i, key in enumerate(keys))
    return Policy(threshold, named, frozenset(revoked))


def states(verdict: SignaturesVerdict) -> dict[str, str]:
    return {signer.keyid: signer.state for signer in verdict.signers}


def test_one_key_one_signature(alice: SigningKey, bob: SigningKey) -> None:
    verdict = check_signatures(signed(alice), policy_of([alice.public]))
    assert verdict.satisfied
    assert "1 of 1 required signatures hold" in verdict.sentence
    other = check_signatures(signed(alice), policy_of([bob.public]))
    assert states(other) == {alice.keyid: "unknown key"}
    assert not other.satisfied
    assert not other.tampered
    assert "0 of 1" in other.sentence


def test_unsigned_is_said_and_satisfies_nothing(alice: SigningKey) -> None:
    for given in (None, policy_of([alice.public])):
        verdict = check_signatures(public_content(), given)
        assert verdict.signers == ()
        assert not verdict.satisfied
        assert not verdict.tampered
        assert verdict.sentence.startswith("Unsigned")


def test_without_a_key_nothing_is_claimed(alice: SigningKey) -> None:
    verdict = check_signatures(signed(alice), None)
    assert states(verdict) == {alice.keyid: "unknown key"}
    assert not verdict.satisfied
    assert "no key was given" in verdict.sentence


@pytest.mark.parametrize("signers", [1, 2, 3])
@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_m_of_n(signers: int, threshold: int) -> None:
    keys = [key_of(seed) for seed in (1, 2, 3)]
    verdict = check_signatures(signed(*keys[:signers]), policy(threshold, *keys))
    assert verdict.valid == signers
    assert verdict.satisfied is (signers >= threshold)


def test_a_revoked_key_does_not_count(alice: SigningKey, bob: SigningKey) -> None:
    content = signed(alice, bob)
    for threshold_met, revoked in ((True, []), (True, [bob.keyid]), (False, [alice.keyid])):
        given = Policy(1, (NamedKey("a", alice.public), NamedKey("b", bob.public)))
        given = Policy(1, given.keys, frozenset(revoked))
        verdict = check_signatures(content if threshold_met else signed(alice), given)
        assert verdict.satisfied is threshold_met
        assert [states(verdict)[keyid] for keyid in revoked] == ["revoked"] * len(revoked)
        assert not verdict.tampered


def forged(key: SigningKey, statement: bytes, result: bytes, name: str) -> dict[str, bytes]:
    """Signature files under `name` that say what `key` was made to sign."""
    envelope = sign_payload(statement, key)
    parts = (envelope.content(), bundle_content(envelope), sign_payload(result, key).content())
    return {
        f"signatures/{name}{suffix}": part for suffix, part in zip(SUFFIXES, parts, strict=True)
    }


def test_a_dry_run_satisfies_nothing_even_where_it_is_signed(alice: SigningKey) -> None:
    content = public_content(**DRY)
    files = public_files(content)
    content |= forged(alice, attestation_statement(files), result_statement(files), alice.keyid)
    verdict = check_signatures(content, policy_of([alice.public]))
    assert states(verdict) == {alice.keyid: "dry run"}
    assert not verdict.satisfied
    assert "counts for nothing" in verdict.sentence


def invalid(content: dict[str, bytes], key: SigningKey, said: str, problems: int) -> None:
    verdict = check_signatures(content, policy_of([key.public]))
    assert states(verdict)[key.keyid] == "invalid"
    assert verdict.tampered
    assert not verdict.satisfied
    (signer,) = verdict.signers
    assert said in " ".join(signer.problems)
    assert len(signer.problems) == problems


def test_signatures_of_another_bundle_are_refused(alice: SigningKey) -> None:
    others = {
        name: data
        for name, data in signed(alice, core={"model_id": "other"}).items()
        if name.startswith("signatures/")
    }
    invalid(public_content() | others, alice, "those of another bundle", 3)


def test_a_statement_that_denies_the_dry_run_is_refused(alice: SigningKey) -> None:
    """Signing a lie about the files must not help."""
    content = public_content(**DRY)
    files = public_files(content)
    statement = json.loads(attestation_statement(files))
    statement["predicate"]["dry_run"] = False
    content |= forged(alice, canonical_json(statement), result_statement(files), alice.keyid)
    invalid(content, alice, "the predicate that is signed", 2)


def test_statements_cannot_change_places(alice: SigningKey) -> None:
    content = public_content()
    files = public_files(content)
    content |= forged(alice, result_statement(files), attestation_statement(files), alice.keyid)
    invalid(content, alice, "predicateType of what is signed", 3)


def test_a_file_named_after_another_key_is_refused(alice: SigningKey, bob: SigningKey) -> None:
    """One signer must not stand for two by copying files to another name."""
    content = public_content()
    files = public_files(content)
    content |= forged(bob, attestation_statement(files), result_statement(files), alice.keyid)
    for given in (policy_of([alice.public]), policy_of([bob.public]), None):
        verdict = check_signatures(content, given)
        assert states(verdict) == {alice.keyid: "invalid"}
        assert "keyid is not the file's name" in verdict.sentence
        assert not verdict.satisfied


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_file_is_named(alice: SigningKey, suffix: str) -> None:
    content = signed(alice)
    del content[f"signatures/{alice.keyid}{suffix}"]
    invalid(content, alice, f"{suffix} is missing", 1)


@pytest.mark.parametrize(
    "name", ["note.txt", "../core.json", "A" * 64 + ".dsse.json", "a" * 64 + ".json", "", "\x1b[2J"]
)
def test_other_files_among_the_signatures_are_refused(alice: SigningKey, name: str) -> None:
    content = signed(alice) | {f"signatures/{name}": b"{}"}
    verdict = check_signatures(content, policy_of([alice.public]))
    assert verdict.tampered
    assert not verdict.satisfied
    assert "no name of a signature file" in verdict.sentence
    assert verdict.sentence.isprintable()


def test_changed_files_are_found_before_any_signature(alice: SigningKey) -> None:
    content = signed(alice)
    content["decision.json"] = content["decision.json"].replace(b"168", b"999")
    with pytest.raises(AttestationError, match=r"decision\.json"):
        check_signatures(content, policy_of([alice.public]))


def test_everything_changed_consistently_still_fails_the_signature(alice: SigningKey) -> None:
    """Digests alone protect nothing: whoever changes a file can change the manifest too."""
    better = signed(alice) | public_content(decision={"payable_bps": 999})
    invalid(better, alice, "those of another bundle", 3)


@pytest.mark.parametrize("given", [True, False], ids=["with the key", "without"])
def test_sampled_bytes_of_every_file(alice: SigningKey, given: bool) -> None:
    content = signed(alice)
    chosen = policy_of([alice.public]) if given else None
    rng = random.Random(11)
    for name in sorted(content):
        for _ in range(60):
            mutant = copy.copy(content)
            place, flip = rng.randrange(len(content[name])), 1 << rng.randrange(8)
            data = bytearray(content[name])
            data[place] ^= flip
            mutant[name] = bytes(data)
            try:
                verdict = check_signatures(mutant, chosen)
            except AttestationError:
                continue
            assert not verdict.satisfied
            # The bits of a signature alone cannot be told without the key.
            assert verdict.tampered or not given, (name, place)
