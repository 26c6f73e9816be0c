"""Signatures of models: by which keys, in one form, of this bundle's models or tampering."""

import base64
import copy
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.attestation.bundle import MANIFEST, MODELS, manifest_of
from hokusai_assets.attestation.signing.checking import check_signatures
from hokusai_assets.attestation.signing.keys import SigningKey
from hokusai_assets.attestation.signing.model_keys import (
    ModelKey,
    model_key_from_environment,
    parse_model_key,
    read_model_key,
)
from hokusai_assets.attestation.signing.model_statements import (
    ModelSignature,
    model_files,
    model_statement,
    read_model_signature,
    sign_statement,
)
from hokusai_assets.attestation.signing.policy import policy_of
from hokusai_assets.attestation.signing.signing import (
    read_public_folder,
    sign_bundle,
    sign_models,
)
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import (
    AlreadyWrittenError,
    AttestationError,
    KeyFileError,
    MissingFileError,
    SignatureError,
    SigningRefusedError,
)
from hokusai_assets_tests.attestation.public_folder import write_bundle
from hokusai_assets_tests.attestation.signing.conftest import (
    check,
    model_key_of,
    signature_path,
)


def private_pem(key: Any, encryption: Any = None) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return pem


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle", models=True)


def test_signatures_are_those_of_rfc_6979() -> None:
    """Appendix A.2.5, SHA-256, message "sample"."""
    secret = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    assert decode_dss_signature(model_key_of(secret).sign(b"sample")) == (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    )


def test_signing_again_adds_what_is_missing_and_changes_nothing(
    bundle: Path, key: ModelKey
) -> None:
    first = sign_models(str(bundle), key)
    content = [Path(p).read_bytes() for p in first.written]
    Path(first.written[0]).unlink()
    again = sign_models(str(bundle), key)
    assert again.written == first.written[:1]
    assert again.already == first.written[1:]
    assert [Path(p).read_bytes() for p in first.written] == content
    other = sign_models(str(bundle), model_key_of(8))
    assert check(bundle).model_keyids == tuple(sorted([key.keyid, other.keyid]))
    Path(first.written[0]).write_bytes(b"{}")
    with pytest.raises(AlreadyWrittenError, match="changed after it was signed"):
        sign_models(str(bundle), key)


def test_they_stand_beside_the_attestations_signatures_and_count_for_nothing(
    bundle: Path, key: ModelKey, alice: SigningKey
) -> None:
    sign_models(str(bundle), key)
    policy = policy_of([alice.public])
    content = read_public_folder(str(bundle))
    assert not check_signatures(content, policy).satisfied
    sign_bundle(str(bundle), alice)
    content = read_public_folder(str(bundle))
    found = check_signatures(content, policy)
    assert (found.satisfied, found.valid, found.tampered) == (True, 1, False)
    assert found.model_keyids == (key.keyid,)
    assert found.sentence.endswith(f"The models are signed by {key.keyid[:16]}: not checked here.")


def test_one_model_of_two_is_named(bundle: Path, key: ModelKey) -> None:
    sign_models(str(bundle), key)
    signature_path(bundle, key, "baseline").unlink()
    found = check(bundle)
    assert found.tampered
    assert "baseline.model.sigstore.json is missing" in found.sentence


def test_what_must_not_be_signed_is_refused(tmp_path: Path, key: ModelKey) -> None:
    dry = {part: {"dry_run": True} for part in ("core", "plan", "decision")}
    cases = {
        "A dry run is never signed": write_bundle(tmp_path / "dry", models=True, **dry),
        "names no files of the baseline": write_bundle(tmp_path / "none"),
        "audit/ is left out": write_bundle(tmp_path / "public", models=True),
        "has SHA-256": write_bundle(tmp_path / "changed", models=True),
        "is no file of a bundle": write_bundle(tmp_path / "more", models=True),
    }
    shutil.rmtree(cases["audit/ is left out"] / "audit")
    (cases["has SHA-256"] / MODELS["baseline"] / "model-0.skops").write_bytes(b"another")
    (cases["is no file of a bundle"] / MODELS["baseline"] / "evil.pkl").write_bytes(b"x")
    (cases["names no files of the baseline"] / "audit").mkdir()
    (cases["names no files of the baseline"] / "audit" / "x").write_bytes(b"x")
    remade = cases["names no files of the baseline"]
    (remade / MANIFEST).write_bytes(canonical_json(manifest_of(remade)))
    for said, folder in cases.items():
        with pytest.raises(SigningRefusedError, match=said):
            sign_models(str(folder), key)
        assert not (folder / "public" / "signatures").exists()
    with pytest.raises(MissingFileError):
        sign_models(str(tmp_path / "nowhere"), key)


def test_a_signature_of_another_bundles_models_is_tampering(
    bundle: Path, tmp_path: Path, key: ModelKey
) -> None:
    """Or of the other model, or under another name: each is the file of a signer, moved."""
    other = write_bundle(tmp_path / "other", models=True)
    (other / MODELS["baseline"] / "model-0.skops").write_bytes(b"another")
    (other / MANIFEST).write_bytes(canonical_json(manifest_of(other)))
    sign_models(str(bundle), key)
    sign_models(str(other), key)
    baseline = signature_path(bundle, key, "baseline")
    own = baseline.read_bytes()
    baseline.write_bytes(signature_path(other, key, "baseline").read_bytes())
    assert "is not the baseline of this bundle" in check(bundle).sentence
    baseline.write_bytes(signature_path(bundle, key, "candidate").read_bytes())
    assert "is not the baseline of this bundle" in check(bundle).sentence
    baseline.write_bytes(own)
    assert not check(bundle).tampered
    renamed = baseline.with_name(f"{model_key_of(8).keyid}.baseline.model.sigstore.json")
    baseline.rename(renamed)
    assert any("keyid is not the file's name" in p for p in check(bundle).problems)


def replaced(body: Any, way: tuple[Any, ...], value: Any) -> Any:
    body = copy.deepcopy(body)
    inner = body
    for step in way[:-1]:
        inner = inner[step]
    if value is None:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value
    return body


SIGNATURE = ("dsseEnvelope", "signatures", 0)


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("mediaType",), "application/json"),
        (("mediaType",), None),
        (("more",), 1),
        (("verificationMaterial",), None),
        (("verificationMaterial",), []),
        (("verificationMaterial", "publicKey", "hint"), "ab"),
        (("verificationMaterial", "publicKey", "hint"), 7),
        (("verificationMaterial", "tlogEntries"), []),
        (("dsseEnvelope",), "x"),
        (("dsseEnvelope", "payload"), "!"),
        (("dsseEnvelope", "payload"), 7),
        (("dsseEnvelope", "payloadType"), "text/plain"),
        (("dsseEnvelope", "signatures"), []),
        (("dsseEnvelope", "signatures"), {}),
        ((*SIGNATURE, "keyid"), ""),
        ((*SIGNATURE, "sig"), ""),
        ((*SIGNATURE, "sig"), "A" * 400),
        ((*SIGNATURE, "more"), 1),
    ],
)
def test_a_file_in_any_other_form_is_refused(key: ModelKey, way: Any, value: Any) -> None:
    payload = model_statement("candidate", {"model-0.skops": "ab" * 32})
    signature = sign_statement(payload, key)
    assert read_model_signature(signature.content(), "file") == signature
    changed = canonical_json(replaced(json.loads(signature.content()), way, value))
    with pytest.raises(SignatureError, match="file"):
        read_model_signature(changed, "file")


@given(st.binary(max_size=200))
def test_no_bytes_make_a_traceback(content: bytes) -> None:
    with pytest.raises(SignatureError):
        read_model_signature(content, "file")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b'{"subject":7}',
        model_statement("candidate", {"model-0.skops": "ab" * 32}),
        json.dumps(json.loads(model_statement("baseline", {"a": "ab" * 32}))).encode(),
    ],
)
def test_any_other_payload_is_named(bundle: Path, key: ModelKey, payload: bytes) -> None:
    """Signed by the right key, which says nothing of what it should."""
    sign_models(str(bundle), key)
    path = signature_path(bundle, key, "baseline")
    path.write_bytes(sign_statement(payload, key).content())
    found = check(bundle)
    assert found.tampered
    assert "what is signed" in found.sentence


def test_a_payload_that_says_more_is_named(bundle: Path, key: ModelKey) -> None:
    sign_models(str(bundle), key)
    path = signature_path(bundle, key, "baseline")
    signed = read_model_signature(path.read_bytes(), "file")
    body = json.loads(signed.payload)
    body["predicate"]["serialization"]["ignore_paths"] = ["evil.pkl"]
    path.write_bytes(sign_statement(canonical_json(body), key).content())
    assert "other things than the manifest, or more" in check(bundle).sentence


@pytest.mark.parametrize("manifest", [{}, {"files": []}, {"files": {"audit/models/baseline/m": 7}}])
def test_a_manifest_without_the_model_is_named(manifest: dict[str, Any]) -> None:
    with pytest.raises(AttestationError, match="names no files of the baseline"):
        model_files(canonical_json(manifest), "baseline")


def test_only_keys_on_p256_sign_models(alice: SigningKey) -> None:
    p384 = ec.generate_private_key(ec.SECP384R1())
    for pem, said in (
        (private_pem(alice.private), "not on the curve P-256.*openssl genpkey"),
        (private_pem(p384), "not on the curve P-256"),
        (private_pem(p384, BestAvailableEncryption(b"x")), "is encrypted"),
        (b"no key", "does not hold a private key"),
    ):
        with pytest.raises(KeyFileError, match=said):
            parse_model_key(pem, "here")


def test_keys_come_from_a_file_or_a_variable_and_are_never_shown(
    tmp_path: Path, key: ModelKey
) -> None:
    path = tmp_path / "model_key.pem"
    path.write_bytes(private_pem(key.private))
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_model_key(path)
    path.chmod(0o600)
    from_variable = model_key_from_environment("K", {"K": path.read_text()})
    assert read_model_key(path).keyid == from_variable.keyid == key.keyid
    assert repr(key) == f"ModelKey(keyid='{key.keyid}', hint='{key.hint}')"
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(key)


def test_nothing_of_the_key_is_in_the_file(key: ModelKey) -> None:
    content = sign_statement(b"{}", key).content()
    assert isinstance(read_model_signature(content, "file"), ModelSignature)
    secret = private_pem(key.private).splitlines()[1]
    assert secret[:20] not in content
    assert base64.b64encode(secret)[:20] not in content
