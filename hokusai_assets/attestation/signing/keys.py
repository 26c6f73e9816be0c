"""Ed25519 keys (RFC 8032) as PEM: made, loaded, named by their digest.

A key id is the SHA-256 of the key's SubjectPublicKeyInfo in DER (RFC 8410), as hex, so that it
binds the algorithm too and anybody can compute it:
`openssl pkey -pubin -in KEY.pub.pem -outform DER | sha256sum`.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hokusai_assets.attestation.signing.secret_files import (
    read_secret_file,
    read_secret_variable,
    write_new_file,
)
from hokusai_assets.errors import HokusaiError, KeyFileError

PRIVATE_NAME = "signing_key.pem"
PUBLIC_NAME = "signing_key.pub.pem"

# Points of order 1, 2, 4 and 8, in every encoding that a lax decoder takes, the sign bit cleared.
# Under such a key anybody can make signatures that hold for any message.
_SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
_PUBLIC_MARKS = (b"-----BEGIN PUBLIC KEY-----", b"-----END PUBLIC KEY-----")


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key: 32 raw bytes, and the id that follows from them."""

    raw: bytes

    @property
    def der(self) -> bytes:
        """Its SubjectPublicKeyInfo in DER, 44 bytes."""
        return _library_key(self.raw).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def keyid(self) -> str:
        """The SHA-256 of the DER, as hex: 64 digits."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> str:
        """Its PEM text, as in a file of a public key."""
        return (
            _library_key(self.raw)
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )


@dataclass(frozen=True)
class SigningKey:
    """A private key; its repr, and whatever prints it, shows the public part alone."""

    private: Ed25519PrivateKey = field(repr=False)
    public: PublicKey

    @property
    def keyid(self) -> str:
        """The id of its public key."""
        return self.public.keyid

    def __reduce__(self) -> str:
        """Refuse pickling: a key that is pickled is a key in a file that nobody guards."""
        raise TypeError("a signing key is not to be pickled")


@dataclass(frozen=True)
class KeyPairFiles:
    """Where a new pair of keys was written."""

    keyid: str
    private_path: str
    public_path: str


def parse_public_key(pem: bytes, where: str) -> PublicKey:
    """The public key in PEM text; raises KeyFileError naming `where` it was."""
    if b"PRIVATE KEY" in pem:
        raise KeyFileError(
            f"{where} holds a private key where a public one belongs: name the .pub.pem file, and "
            "if the private key was given to anybody, make a new one and revoke it."
        )
    start, end = _PUBLIC_MARKS
    if pem.count(start) != 1 or pem.count(end) != 1:
        raise KeyFileError(f"{where} does not hold one public key in PEM: check the file.")
    body = b"".join(pem.partition(start)[2].partition(end)[0].split())
    try:
        base64.b64decode(body, validate=True)
        key = load_pem_public_key(pem)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{where} is not a public key in PEM: it was cut off or changed.") from (
            None
        )
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{where} is not an Ed25519 key: make one with hokusai keys new.")
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    if raw[:31] + bytes([raw[31] & 0x7F]) in _SMALL_ORDER:
        raise KeyFileError(
            f"{where} is a point of small order, under which anybody can sign: it is no key."
        )
    return PublicKey(raw)


def read_public_key(path: str | Path) -> PublicKey:
    """The public key in a file."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise KeyFileError(f"There is no key file {path}: check the path.") from None
    except OSError as error:
        raise KeyFileError(
            f"The key file {path} cannot be read ({type(error).__name__})."
        ) from None
    return parse_public_key(content, str(path))


def load_private_key(pem: bytes, where: str) -> PrivateKeyTypes:
    """The private key of any kind in PEM text, not encrypted; raises KeyFileError."""
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError:
        raise KeyFileError(
            f"The key in {where} is encrypted, and no passphrase is asked for: decrypt it to a "
            "file of mode 600, or keep it in a secret store that sets an environment variable."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"{where} does not hold a private key in PEM: check which file or variable it is."
        ) from None


def parse_private_key(pem: bytes, where: str) -> SigningKey:
    """The private key in PEM text (PKCS #8, not encrypted); raises KeyFileError."""
    key = load_private_key(pem, where)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(
            f"The key in {where} is not an Ed25519 key: make one with hokusai keys new."
        )
    return _signing_key(key)


def read_private_key(path: str | Path) -> SigningKey:
    """The private key in a file that only its owner can read."""
    return parse_private_key(read_secret_file(path), str(path))


def private_key_from_environment(
    name: str, environment: Mapping[str, str] | None = None
) -> SigningKey:
    """The private key whose PEM text an environment variable holds."""
    return parse_private_key(
        read_secret_variable(name, environment), f"the environment variable {name}"
    )


def new_key_pair(folder: str | Path) -> KeyPairFiles:
    """Make a pair: the private key with mode 0600, and its public key; overwrites nothing."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise KeyFileError(
            f"The folder {folder} cannot be made ({type(error).__name__}): choose another."
        ) from None
    private_path, public_path = folder / PRIVATE_NAME, folder / PUBLIC_NAME
    key = _signing_key(Ed25519PrivateKey.generate())
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_new_file(private_path, pem, 0o600)
    try:
        write_new_file(public_path, key.public.pem.encode(), 0o644)
    except HokusaiError:
        private_path.unlink()  # ours, made a moment ago and used by nobody
        raise
    return KeyPairFiles(key.keyid, str(private_path), str(public_path))


def _signing_key(key: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(key, PublicKey(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)))


def _library_key(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)
