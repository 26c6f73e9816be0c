"""Signing a folder: what is written, what never is, and repairs."""

import json
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.signing.checking import SUFFIXES, check_signatures
from hokusai_assets.attestation.signing.keys import SigningKey
from hokusai_assets.attestation.signing.policy import policy_of
from hokusai_assets.attestation.signing.signing import (
    KeySigner,
    NoSigner,
    read_public_folder,
    sign_bundle,
    signature_files,
)
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import (
    AlreadyWrittenError,
    MissingFileError,
    SigningRefusedError,
)
from hokusai_assets_tests.attestation.public_folder import (
    public_content,
    sha256,
    write_bundle,
)

# Computed once by this version; a later version must write and accept the same.
GOLDEN = {
    ".dsse.json": "c88f961a3d21c16c6f1ec0efc23c9d5b07e2386214fb7153959acd5f312d29dd",
    ".sigstore.json": "0a98384f96624503c7b532045b7129d3101083e76c7ef41122f87f9d584966d7",
    ".test-result.dsse.json": "a682a95275d31830534da3001820de332980a868448a8768a5a42fff3fca9102",
}


def test_three_files_by_each_signer(tmp_path: Path, alice: SigningKey, bob: SigningKey) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    before = {p: p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    first = sign_bundle(str(bundle), alice)
    assert (first.keyid, first.already) == (alice.keyid, ())
    assert [Path(p).name for p in first.written] == [f"{alice.keyid}{s}" for s in SUFFIXES]
    between = {p: p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    sign_bundle(str(bundle), bob)
    assert {p: p.read_bytes() for p in before} == before
    assert {p: p.read_bytes() for p in between} == between
    content = read_public_folder(str(bundle))
    assert len(content) == 4 + 6
    assert check_signatures(content, policy_of([alice.public, bob.public])).satisfied


def test_files_are_canonical_and_as_they_always_were(tmp_path: Path, alice: SigningKey) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    for path in sign_bundle(str(bundle), alice).written:
        content = Path(path).read_bytes()
        assert canonical_json(json.loads(content)) == content
        suffix = Path(path).name.removeprefix(alice.keyid)
        assert sha256(content) == GOLDEN[suffix], suffix


def test_signing_again_repairs_what_a_crash_left_out(tmp_path: Path, alice: SigningKey) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    whole = {Path(p): Path(p).read_bytes() for p in sign_bundle(str(bundle), alice).written}
    lost = sorted(whole)[1]
    lost.unlink()
    again = sign_bundle(str(bundle), alice)
    assert again.written == (str(lost),)
    assert len(again.already) == 2
    assert {p: p.read_bytes() for p in whole} == whole


def test_a_file_that_was_changed_is_not_overwritten(tmp_path: Path, alice: SigningKey) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    path = Path(sign_bundle(str(bundle), alice).written[0])
    path.write_bytes(b"{}")
    with pytest.raises(AlreadyWrittenError, match="is not what this key signs now"):
        sign_bundle(str(bundle), alice)
    assert path.read_bytes() == b"{}"


@pytest.mark.parametrize(
    "changes",
    [
        {"core": {"dry_run": True}, "plan": {"dry_run": True}, "decision": {"dry_run": True}},
        {"core": {"dry_run": True}},
        {"plan": {"dry_run": True}},
        {"decision": {"dry_run": True}},
        {"core": {"dry_run": None}},
        {"core": {"dry_run": "false"}},
    ],
)
def test_a_dry_run_is_never_signed(tmp_path: Path, alice: SigningKey, changes: Any) -> None:
    bundle = write_bundle(tmp_path / "bundle", **changes)
    with pytest.raises(SigningRefusedError) as caught:
        sign_bundle(str(bundle), alice)
    assert caught.value.exit_code == 3
    assert not (bundle / "public" / "signatures").exists()


def test_a_dry_run_is_refused_by_name(alice: SigningKey) -> None:
    everywhere = {name: {"dry_run": True} for name in ("core", "plan", "decision")}
    with pytest.raises(SigningRefusedError, match="A dry run is never signed"):
        signature_files(public_content(**everywhere), alice)


def test_files_that_disagree_are_not_signed(tmp_path: Path, alice: SigningKey) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    decision = bundle / "public" / "decision.json"
    decision.write_bytes(decision.read_bytes().replace(b'"payable_bps":168', b'"payable_bps":999'))
    with pytest.raises(SigningRefusedError, match=r"manifest\.json does not hold"):
        sign_bundle(str(bundle), alice)
    decision.unlink()
    with pytest.raises(MissingFileError, match=r"decision\.json"):
        sign_bundle(str(bundle), alice)
    assert not (bundle / "public" / "signatures").exists()


def test_a_rejected_and_a_provisional_run_may_be_signed(alice: SigningKey) -> None:
    for decision in ({"verdict": "rejected", "payable_bps": 0}, {"provisional": True}):
        content = public_content(decision=decision)
        files = signature_files(content, alice)
        content |= {f"signatures/{name}": data for name, data in files.items()}
        assert check_signatures(content, policy_of([alice.public])).satisfied


def test_signers_sign_or_do_not(tmp_path: Path, alice: SigningKey) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    assert NoSigner().sign(str(bundle)) is None
    assert not (bundle / "public" / "signatures").exists()
    signed = KeySigner(alice).sign(str(bundle))
    assert signed is not None
    assert len(signed.written) == 3


def test_a_bundle_may_lie_at_a_url(alice: SigningKey) -> None:
    import fsspec

    fs = fsspec.filesystem("memory")
    for name, data in public_content().items():
        fs.pipe_file(f"/signed-here/public/{name}", data)
    try:
        signed = sign_bundle("memory://signed-here", alice)
        content = read_public_folder("memory://signed-here")
    finally:
        fs.rm("/signed-here", recursive=True)
    assert all(path.startswith("memory://") for path in signed.written)
    assert check_signatures(content, policy_of([alice.public])).satisfied


def test_no_private_byte_is_written(tmp_path: Path, alice: SigningKey) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    sign_bundle(str(bundle), alice)
    secret = alice.private.private_bytes_raw()
    for path in bundle.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for form in (secret, secret.hex().encode(), secret[:24]):
                assert form not in content
