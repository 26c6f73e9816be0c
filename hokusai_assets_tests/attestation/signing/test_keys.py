"""Keys: published vectors, ids that openssl gives too, file modes, and no secret in any message."""

import hashlib
import os
import pickle
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hokusai_assets.attestation.signing import keys
from hokusai_assets.attestation.signing.keys import (
    PublicKey,
    SigningKey,
    new_key_pair,
    parse_private_key,
    parse_public_key,
    private_key_from_environment,
    read_private_key,
    read_public_key,
)
from hokusai_assets.errors import AlreadyWrittenError, HokusaiError, KeyFileError

# RFC 8410, section 10.3: the private key without attributes, and section 10.1: its public key.
RFC_8410_PRIVATE = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
RFC_8410_PUBLIC = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""
SECRET = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp"


def test_the_keys_of_rfc_8410_belong_together() -> None:
    private = parse_private_key(RFC_8410_PRIVATE, "rfc")
    public = parse_public_key(RFC_8410_PUBLIC, "rfc")
    assert private.public == public
    assert public.pem.encode() == RFC_8410_PUBLIC
    assert private.keyid == public.keyid == hashlib.sha256(public.der).hexdigest()
    assert len(public.der) == 44
    assert public.der.endswith(public.raw)


def test_openssl_gives_the_same_key_id(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pair = new_key_pair(tmp_path)
    words = ["openssl", "pkey", "-pubin", "-in", pair.public_path, "-outform", "DER"]
    der = subprocess.run(words, capture_output=True, check=True).stdout
    assert hashlib.sha256(der).hexdigest() == pair.keyid


def test_a_new_pair_is_written_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)  # the laxest of all: the mode must come from us
    try:
        pair = new_key_pair(tmp_path / "keys")
    finally:
        os.umask(old)
    private, public = Path(pair.private_path), Path(pair.public_path)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(public.stat().st_mode) == 0o644
    assert read_private_key(private).public == read_public_key(public)
    assert read_public_key(public).keyid == pair.keyid
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(AlreadyWrittenError, match="never overwritten"):
        new_key_pair(tmp_path / "keys")
    assert (private.read_bytes(), public.read_bytes()) == before


def test_half_a_pair_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / keys.PUBLIC_NAME).write_text("another's")
    with pytest.raises(AlreadyWrittenError):
        new_key_pair(tmp_path)
    assert not (tmp_path / keys.PRIVATE_NAME).exists()
    assert (tmp_path / keys.PUBLIC_NAME).read_text() == "another's"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o601, 0o644])
def test_a_key_that_others_can_touch_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = Path(new_key_pair(tmp_path).private_path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 .*{path.name}"):
        read_private_key(path)
    path.chmod(0o400)
    read_private_key(path)


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="There is no key file"):
        read_private_key(tmp_path / "none.pem")
    with pytest.raises(KeyFileError, match="not a file"):
        read_private_key(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(KeyFileError, match="not a file"):
        read_private_key(pipe)
    large = tmp_path / "large"
    large.write_bytes(b"x" * 20_000)
    large.chmod(0o600)
    with pytest.raises(KeyFileError, match="no single key"):
        read_private_key(large)


def test_a_key_comes_from_the_environment_also_on_one_line() -> None:
    text = RFC_8410_PRIVATE.decode()
    expected = parse_private_key(RFC_8410_PRIVATE, "rfc").public
    for value in (text, text.replace("\n", "\\n")):
        assert private_key_from_environment("KEY", {"KEY": value}).public == expected
    with pytest.raises(KeyFileError, match="KEY is not set or empty"):
        private_key_from_environment("KEY", {"KEY": " "})


def other_keys() -> dict[str, bytes]:
    p256 = generate_private_key(SECP256R1())
    ed25519 = Ed25519PrivateKey.generate()
    return {
        "not an Ed25519 key": p256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "is encrypted": ed25519.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
        ),
        "does not hold a private key": RFC_8410_PUBLIC,
    }


@pytest.mark.parametrize("said", list(other_keys()))
def test_other_private_keys_are_refused(said: str) -> None:
    with pytest.raises(KeyFileError, match=said):
        parse_private_key(other_keys()[said], "here")


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (RFC_8410_PRIVATE, "holds a private key where a public one belongs"),
        (b"", "does not hold one public key"),
        (RFC_8410_PUBLIC * 2, "does not hold one public key"),
        (RFC_8410_PUBLIC.replace(b"Gb9E", b"G"), "was cut off or changed"),
        (RFC_8410_PUBLIC.replace(b"MCow", b"%Cow"), "was cut off or changed"),
        (
            generate_private_key(SECP256R1())
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not an Ed25519 key",
        ),
    ],
)
def test_other_public_keys_are_refused(pem: bytes, said: str) -> None:
    with pytest.raises(KeyFileError, match=said):
        parse_public_key(pem, "here")


def small_order(encoding: bytes) -> bool:
    """Whether 8 times the point is the neutral one, by the curve's own formulas (RFC 8032, 5.1)."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    y = int.from_bytes(encoding, "little") % 2**255 % p
    square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    x = pow(square, (p + 3) // 8, p)
    if x * x % p != square:
        x = x * pow(2, (p - 1) // 4, p) % p
    assert x * x % p == square, "not on the curve"
    for _ in range(3):
        twist = d * x * x * y * y
        x, y = (
            2 * x * y * pow(1 + twist, -1, p) % p,
            (y * y + x * x) * pow(1 - twist, -1, p) % p,
        )
    return (x, y) == (0, 1)


def test_keys_under_which_anybody_can_sign_are_refused() -> None:
    assert len(keys._SMALL_ORDER) == 7
    for raw in keys._SMALL_ORDER:
        assert small_order(raw)
        for sign in (0, 0x80):
            point = PublicKey(raw[:31] + bytes([raw[31] | sign]))
            with pytest.raises(KeyFileError, match="small order"):
                parse_public_key(point.pem.encode(), "here")
    assert not small_order(parse_public_key(RFC_8410_PUBLIC, "rfc").raw)


def test_no_message_or_repr_holds_the_secret(tmp_path: Path) -> None:
    key = parse_private_key(RFC_8410_PRIVATE, "rfc")
    raw = key.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    told = [repr(key), str(key), repr([key])]
    damaged = RFC_8410_PRIVATE.replace(b"+K06", b"+K0")
    path = tmp_path / "key"
    path.write_bytes(RFC_8410_PRIVATE)
    path.chmod(0o644)
    for attempt in (
        lambda: parse_private_key(damaged, "here"),
        lambda: parse_public_key(RFC_8410_PRIVATE, "here"),
        lambda: private_key_from_environment("KEY", {"KEY": damaged.decode()}),
        lambda: read_private_key(path),
    ):
        with pytest.raises(HokusaiError) as caught:
            attempt()
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        told.append(str(caught.value))
    for text in told:
        assert SECRET[:12] not in text
        assert raw.hex() not in text
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(key)
    assert isinstance(key, SigningKey)
