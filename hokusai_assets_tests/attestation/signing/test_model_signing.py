"""Signed models are those of OpenSSF model-signing: the package itself verifies and hashes them."""

import json
import random
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from model_signing import hashing, verifying
from model_signing._signing.signing import Payload

from hokusai_assets.attestation.bundle import MODELS, manifest_of
from hokusai_assets.attestation.bundle_reading import read_bundle
from hokusai_assets.attestation.signing.model_keys import ModelKey
from hokusai_assets.attestation.signing.model_statements import model_files, model_statement
from hokusai_assets.attestation.signing.signing import sign_models
from hokusai_assets.attestation.verifying.verify import verify
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.attestation.signing.conftest import (
    check,
    model_key_of,
    signature_path,
)
from hokusai_assets_tests.conftest import Evaluated


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle", models=True)


def public_file(folder: Path, key: ModelKey) -> Path:
    path = folder / f"{key.keyid[:8]}.pub.pem"
    path.write_bytes(
        key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return path


def model_signing_verifies(model: Path, signature: Path, public: Path) -> None:
    """What `model_signing verify key` does; raises where it does not hold."""
    config = verifying.Config().use_elliptic_key_verifier(public_key=public)
    config.verify(model, signature)


def test_the_packages_own_verifier_takes_what_an_evaluation_wrote(
    evaluated: Evaluated, tmp_path: Path, key: ModelKey
) -> None:
    bundle = shutil.copytree(evaluated["attestation"].bundle_path, tmp_path / "bundle")
    before = {p: p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    signed = sign_models(str(bundle), key)
    assert signed.written == tuple(str(signature_path(bundle, key, role)) for role in MODELS)
    assert {p: p.read_bytes() for p in before} == before
    public = public_file(tmp_path, key)
    for role, folder in MODELS.items():
        model_signing_verifies(bundle / folder, signature_path(bundle, key, role), public)
    found = read_bundle(str(bundle))
    assert len(found.added) == 2
    steps = {step.name: step for step in verify(str(bundle)).steps}
    assert steps["files"].verdict == "holds"
    assert steps["signatures"].verdict == "unsigned"
    assert steps["signatures"].sentence == (
        "Unsigned: nobody vouches for these files. The models are signed by "
        f"{key.keyid[:16]}: not checked here."
    )


def test_its_verifier_refuses_other_models_and_other_keys(
    bundle: Path, tmp_path: Path, key: ModelKey
) -> None:
    sign_models(str(bundle), key)
    public = public_file(tmp_path, key)
    model, signature = bundle / MODELS["candidate"], signature_path(bundle, key, "candidate")
    model_signing_verifies(model, signature, public)
    with pytest.raises(ValueError, match="Key mismatch"):
        model_signing_verifies(model, signature, public_file(tmp_path, model_key_of(8)))
    with pytest.raises(ValueError, match="Signature mismatch"):
        model_signing_verifies(bundle / MODELS["baseline"], signature, public)
    (model / "more.txt").write_text("x")
    with pytest.raises(ValueError, match="Extra files"):
        model_signing_verifies(model, signature, public)
    (model / "more.txt").unlink()
    (model / "model-0.skops").write_bytes(b"another")
    with pytest.raises(ValueError, match="Hash mismatch"):
        model_signing_verifies(model, signature, public)


NAMES = st.lists(
    st.lists(st.sampled_from(["a", "b", "a.b", "a-"]), min_size=1, max_size=3).map("/".join),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(deadline=None)
@given(names=NAMES)
def test_the_statement_is_that_of_the_package(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    """Of folders with folders in them too, whose order is not that of their names' characters."""
    folder = tmp_path_factory.mktemp("models")
    for name in names:
        path = folder / "audit/models/candidate" / name
        if any(p.is_file() for p in path.parents) or path.is_dir():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    manifest = canonical_json(manifest_of(folder))
    ours = json.loads(model_statement("candidate", model_files(manifest, "candidate")))
    theirs = Payload(hashing.hash(folder / "audit/models/candidate")).statement.pb
    expected = json.loads(json_format.MessageToJson(theirs))
    # What it ignores when nothing is there to be ignored: files of git.
    del expected["predicate"]["serialization"]["ignore_paths"]
    assert ours == expected


def test_of_every_changed_byte_somebody_complains(
    bundle: Path, tmp_path: Path, key: ModelKey
) -> None:
    """Our check without a key; or, of signature and hint, model-signing's verifier with one."""
    sign_models(str(bundle), key)
    path, public = signature_path(bundle, key, "candidate"), public_file(tmp_path, key)
    whole, rng = path.read_bytes(), random.Random(3)
    left = 0
    for place in sorted(rng.sample(range(len(whole)), 250)):
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        if check(bundle).tampered:
            continue
        left += 1
        before, after = json.loads(whole), json.loads(bytes(changed))
        for body in (before, after):
            body["dsseEnvelope"]["signatures"][0].pop("sig")
            body["verificationMaterial"]["publicKey"].pop("hint")
        assert before == after
        with pytest.raises(Exception):  # noqa: B017 - it has no errors of its own
            model_signing_verifies(bundle / MODELS["candidate"], path, public)
    assert 0 < left < 100
