"""Keys for tests: fixed ones, so that what they sign is the same on every machine."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hokusai_assets.attestation.signing.keys import SigningKey, parse_private_key


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
