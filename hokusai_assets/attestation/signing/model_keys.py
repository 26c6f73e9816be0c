"""ECDSA keys on P-256 (FIPS 186-5) for signing models: loaded, and named by their digest.

OpenSSF model-signing takes elliptic-curve keys and no Ed25519, so these are other keys than those
of attestations. A key id is made alike: the SHA-256 of the public key's SubjectPublicKeyInfo in
DER, as hex. Such a key is made by
`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from hokusai_assets.attestation.signing.keys import load_private_key
from hokusai_assets.attestation.signing.secret_files import read_secret_file, read_secret_variable
from hokusai_assets.errors import KeyFileError

_MAKE = "make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"


@dataclass(frozen=True)
class ModelKey:
    """A private key on P-256; its repr, and whatever prints it, shows the ids alone.

    `keyid` names it here; `hint`, the SHA-256 of its public PEM text, is how model-signing does.
    """

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    keyid: str
    hint: str

    def sign(self, data: bytes) -> bytes:
        """The signature of `data` in DER, by SHA-256; of equal data the same (RFC 6979)."""
        try:
            return self.private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        except UnsupportedAlgorithm:
            raise KeyFileError(
                "The OpenSSL that the package cryptography is built on cannot sign models the same "
                "way twice (RFC 6979): install a build on OpenSSL 3.2 or later."
            ) from None

    def __reduce__(self) -> str:
        """Refuse pickling: a key that is pickled is a key in a file that nobody guards."""
        raise TypeError("a signing key is not to be pickled")


def parse_model_key(pem: bytes, where: str) -> ModelKey:
    """The private key in PEM text, not encrypted; raises KeyFileError naming `where` it was."""
    key = load_private_key(pem, where)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFileError(
            f"The key in {where} is not on the curve P-256, which models are signed with (an "
            f"attestation's Ed25519 key cannot sign them): {_MAKE}."
        )
    public = key.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return ModelKey(key, hashlib.sha256(der).hexdigest(), hashlib.sha256(text).hexdigest())


def read_model_key(path: str | Path) -> ModelKey:
    """The private key in a file that only its owner can read."""
    return parse_model_key(read_secret_file(path), str(path))


def model_key_from_environment(name: str, environment: Mapping[str, str] | None = None) -> ModelKey:
    """The private key whose PEM text an environment variable holds."""
    return parse_model_key(
        read_secret_variable(name, environment), f"the environment variable {name}"
    )
