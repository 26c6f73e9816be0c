"""Envelopes: the published vector, other implementations, and every way to say something else."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope

from hokusai_assets.attestation.signing.dsse import (
    PAYLOAD_TYPE,
    SignedEnvelope,
    read_envelope,
    sign_payload,
    verify_envelope,
)
from hokusai_assets.attestation.signing.keys import SigningKey
from hokusai_assets.attestation.signing.sigstore_bundle import bundle_content, read_bundle
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import SignatureError
from hokusai_assets_tests.attestation.signing.conftest import key_of

# The order of the group that Ed25519 signs in (RFC 8032, section 5.1).
ORDER = 2**252 + 27742317777372353535851937790883648493
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'


def changed(envelope: SignedEnvelope, **fields: Any) -> bytes:
    return canonical_json(envelope.as_json() | fields)


def test_the_pre_authentication_encoding_is_the_protocols() -> None:
    """The example of the DSSE protocol's own text."""
    envelope = Envelope(b"hello world", "http://example.com/HelloWorld", {})
    assert envelope.pae() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_what_is_signed_is_the_encoding_of_type_and_payload(alice: SigningKey) -> None:
    envelope = sign_payload(PAYLOAD, alice)
    pae = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(PAYLOAD), PAYLOAD)
    alice.private.public_key().verify(envelope.signature, pae)
    assert envelope.signature == alice.private.sign(pae)


@given(st.binary(max_size=300), st.integers(0, 255))
def test_every_payload_comes_back_and_signing_twice_gives_the_same(data: bytes, seed: int) -> None:
    key = key_of(seed)
    content = sign_payload(data, key).content()
    assert content == sign_payload(data, key).content()
    assert verify_envelope(read_envelope(content, "x"), key.public, "x") == data
    assert read_bundle(bundle_content(read_envelope(content, "x")), "x").content() == content


def test_another_implementation_reads_it(alice: SigningKey) -> None:
    read = Envelope.from_dict(json.loads(sign_payload(PAYLOAD, alice).content()))
    assert read.payload == PAYLOAD
    assert list(read.signatures) == [alice.keyid]


def test_every_changed_byte_is_refused(alice: SigningKey) -> None:
    content = sign_payload(PAYLOAD, alice).content()
    for place in range(len(content)):
        for flip in (0x01, 0x20, 0x80):
            mutant = content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :]
            with pytest.raises(SignatureError):
                verify_envelope(read_envelope(mutant, "x"), alice.public, "x")
    for mutant in (content + b"\n", b" " + content, content[:-1], b""):
        with pytest.raises(SignatureError):
            read_envelope(mutant, "x")


def test_an_envelope_has_one_form_only(alice: SigningKey, bob: SigningKey) -> None:
    envelope = sign_payload(PAYLOAD, alice)
    (signature,) = envelope.as_json()["signatures"]
    (other,) = sign_payload(PAYLOAD, bob).as_json()["signatures"]
    encoded = envelope.as_json()["payload"]
    assert encoded.endswith("=")
    for content, said in (
        (changed(envelope, signatures=[signature, other]), "exactly one"),
        (changed(envelope, signatures=[signature, signature]), "exactly one"),
        (changed(envelope, signatures=[]), "exactly one"),
        (changed(envelope, signatures=signature), "exactly one"),
        (changed(envelope, payloadType="application/json"), "payloadType is not"),
        (changed(envelope, extra=1), "and nothing else"),
        (changed(envelope, signatures=[signature | {"extra": 1}]), "and nothing else"),
        (changed(envelope, signatures=[signature | {"keyid": "alice"}]), "not a SHA-256"),
        (changed(envelope, signatures=[signature | {"keyid": None}]), "not a SHA-256"),
        (
            changed(envelope, signatures=[signature | {"keyid": alice.keyid.upper()}]),
            "not a SHA-256",
        ),
        (changed(envelope, payload=encoded.rstrip("=")), "not base64"),
        (changed(envelope, payload=encoded + "\n"), "not base64"),
        (changed(envelope, payload="é"), "not base64"),
        (changed(envelope, payload=7), "not base64"),
        (changed(envelope, signatures=[signature | {"sig": "AAAA"}]), "64 bytes"),
        (json.dumps(envelope.as_json()).encode(), "not canonical JSON"),
        (envelope.content()[:-1] + b',"payload":""}', "payload' twice"),
        (b"[" * 100_000, "nested deeper"),
        (b"9" * 10_000, "beyond 2"),
        (b"1.5", "no integer"),
        (b"{" + b" " * (17 << 20), "are read"),
    ):
        with pytest.raises(SignatureError, match=said):
            read_envelope(content, "x")


def test_base64_with_other_bits_in_its_padding_is_refused(alice: SigningKey) -> None:
    envelope = sign_payload(b"ab", alice)
    assert envelope.as_json()["payload"] == "YWI="
    assert base64.b64decode("YWJ=") == b"ab"  # what a lax reader takes for the same
    with pytest.raises(SignatureError, match="another encoder"):
        read_envelope(changed(envelope, payload="YWJ="), "x")


def test_a_signature_of_another_payload_type_does_not_hold(alice: SigningKey) -> None:
    for pae in (
        PAYLOAD,
        b"DSSEv1 16 application/json %d %s" % (len(PAYLOAD), PAYLOAD),
    ):
        forged = SignedEnvelope(PAYLOAD, alice.keyid, alice.private.sign(pae))
        with pytest.raises(SignatureError, match="not by the key"):
            verify_envelope(read_envelope(forged.content(), "x"), alice.public, "x")


def test_the_key_id_must_be_that_of_the_key(alice: SigningKey, bob: SigningKey) -> None:
    envelope = sign_payload(PAYLOAD, alice)
    with pytest.raises(SignatureError, match="is not that of the key"):
        verify_envelope(envelope, bob.public, "x")
    posing = SignedEnvelope(PAYLOAD, bob.keyid, envelope.signature)
    with pytest.raises(SignatureError, match="not by the key"):
        verify_envelope(posing, bob.public, "x")


def test_the_same_signature_in_another_form_is_refused(alice: SigningKey) -> None:
    """S + L signs the same under a verifier that does not check S < L (RFC 8032, 5.1.7)."""
    envelope = sign_payload(PAYLOAD, alice)
    r, s = envelope.signature[:32], int.from_bytes(envelope.signature[32:], "little")
    assert s < ORDER
    for factor in range(1, 15):
        other = (s + factor * ORDER).to_bytes(32, "little")
        malleable = SignedEnvelope(PAYLOAD, alice.keyid, r + other)
        with pytest.raises(SignatureError, match="not by the key"):
            verify_envelope(malleable, alice.public, "x")


def test_a_sigstore_bundle_says_nothing_besides(alice: SigningKey, bob: SigningKey) -> None:
    envelope = sign_payload(PAYLOAD, alice)
    bundle = json.loads(bundle_content(envelope))
    for change, said in (
        ({"mediaType": "application/vnd.dev.sigstore.bundle.v0.2+json"}, "mediaType or"),
        ({"verificationMaterial": {"publicKey": {"hint": bob.keyid}}}, "verificationMaterial"),
        (
            {"verificationMaterial": {"publicKey": {"hint": alice.keyid}, "tlogEntries": []}},
            "verificationMaterial",
        ),
        ({"extra": 1}, "mediaType or"),
        ({"dsseEnvelope": None}, "no DSSE envelope"),
    ):
        with pytest.raises(SignatureError, match=said):
            read_bundle(canonical_json(bundle | change), "x")
    with pytest.raises(SignatureError, match="not JSON"):
        read_bundle(b"{", "x")
