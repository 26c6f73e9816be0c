"""Keys for tests: fixed ones, so that what they sign is the same on every machine."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hokusai_assets.attestation.signing.checking import SignaturesVerdict, check_signatures
from hokusai_assets.attestation.signing.keys import SigningKey, parse_private_key
from hokusai_assets.attestation.signing.model_keys import ModelKey, parse_model_key
from hokusai_assets.attestation.signing.signing import read_public_folder


def key_of(seed: int) -> SigningKey:
    """The key whose 32 private bytes are all `seed`."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return parse_private_key(pem, f"key {seed}")


@pytest.fixture
def alice() -> SigningKey:
    return key_of(1)


@pytest.fixture
def bob() -> SigningKey:
    return key_of(2)


def model_key_of(number: int) -> ModelKey:
    """The key on P-256 whose secret is this number."""
    private = ec.derive_private_key(number, ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return parse_model_key(pem, f"model key {number}")


@pytest.fixture
def key() -> ModelKey:
    return model_key_of(7)


def check(bundle: Path) -> SignaturesVerdict:
    """What is found of a bundle's signatures without any key."""
    return check_signatures(read_public_folder(str(bundle)), None)


def signature_path(bundle: Path, key: ModelKey, role: str) -> Path:
    """Where a model's signature is put."""
    return bundle / "public" / "signatures" / f"{key.keyid}.{role}.model.sigstore.json"
