"""DSSE envelopes with one Ed25519 signature: written, read strictly, verified before parsing.

Dead Simple Signing Envelope, protocol version 1.0.2: what is signed is the pre-authentication
encoding of payload type and payload (securesystemslib computes it), so a payload cannot be passed
off as another type. What a payload says is the business of statements.py.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.canonical import read_record
from hokusai_assets.attestation.signing.keys import PublicKey, SigningKey
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError, SignatureError

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_KEYID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class SignedEnvelope:
    """An envelope whose form is right; whether its signature holds is not said by that."""

    payload: bytes
    keyid: str
    signature: bytes

    def as_json(self) -> dict[str, Any]:
        """The envelope as canonical JSON types."""
        return {
            "payload": encoded(self.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": self.keyid, "sig": encoded(self.signature)}],
        }

    def content(self) -> bytes:
        """The envelope as it is written."""
        return canonical_json(self.as_json())


def sign_payload(payload: bytes, key: SigningKey) -> SignedEnvelope:
    """The payload, an in-toto Statement, signed by `key`; Ed25519 gives the same bytes again."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # no __all__

    signer = CryptoSigner(key.private, _library_key(key.public))
    signature = Envelope(payload, PAYLOAD_TYPE, {}).sign(signer)
    return SignedEnvelope(payload, key.keyid, bytes.fromhex(signature.signature))


def read_envelope(content: bytes, name: str) -> SignedEnvelope:
    """The envelope in a file; its payload is not looked into. Raises SignatureError."""
    try:
        value = read_record(content, name)
    except AttestationError as error:
        raise SignatureError(str(error)) from None
    return envelope_of(value, name)


def envelope_of(value: Any, name: str) -> SignedEnvelope:
    """The envelope in parsed JSON; raises SignatureError naming the file and the field."""
    if not isinstance(value, dict) or set(value) != {"payload", "payloadType", "signatures"}:
        raise SignatureError(
            f"{name} is no DSSE envelope: it must hold payload, payloadType and signatures, and "
            "nothing else."
        )
    if value["payloadType"] != PAYLOAD_TYPE:
        raise SignatureError(f"{name}: payloadType is not {PAYLOAD_TYPE}.")
    signatures = value["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise SignatureError(
            f"{name}: signatures must hold exactly one: each signer has a file of its own."
        )
    (signature,) = signatures
    if not isinstance(signature, dict) or set(signature) != {"keyid", "sig"}:
        raise SignatureError(f"{name}: signatures[0] must hold keyid and sig, and nothing else.")
    keyid = signature["keyid"]
    if not isinstance(keyid, str) or not _KEYID.fullmatch(keyid):
        raise SignatureError(
            f"{name}: signatures[0].keyid is not a SHA-256 in 64 hexadecimal digits."
        )
    sig = decoded(signature["sig"], f"{name}: signatures[0].sig")
    if len(sig) != _SIGNATURE_BYTES:
        raise SignatureError(f"{name}: signatures[0].sig must have {_SIGNATURE_BYTES} bytes.")
    return SignedEnvelope(decoded(value["payload"], f"{name}: payload"), keyid, sig)


def verify_envelope(envelope: SignedEnvelope, key: PublicKey, name: str) -> bytes:
    """The payload, once the signature holds under `key`; raises SignatureError otherwise."""
    if envelope.keyid != key.keyid:
        raise SignatureError(f"{name}: signatures[0].keyid is not that of the key {key.keyid}.")
    # Late: where nobody signed, loading it is a tenth of verifying ten thousand rows.
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import Signature  # type: ignore[attr-defined]

    library = Envelope(
        envelope.payload,
        PAYLOAD_TYPE,
        {key.keyid: Signature(key.keyid, envelope.signature.hex())},
    )
    try:
        library.verify([_library_key(key)], threshold=1)
    except VerificationError:
        raise SignatureError(
            f"{name}: the signature is not by the key {key.keyid}, or what it signs was changed."
        ) from None
    return envelope.payload


def _library_key(key: PublicKey) -> Any:
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

    return SSlibKey(key.keyid, "ed25519", "ed25519", {"public": key.raw.hex()})


def encoded(data: bytes) -> str:
    """Bytes as base64."""
    return base64.standard_b64encode(data).decode("ascii")


def decoded(text: Any, where: str) -> bytes:
    """Decoded base64 that re-encodes to itself: padding bits and alphabets are free otherwise.

    Raises SignatureError that says `where` it was.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error):
        raise SignatureError(f"{where} is not base64.") from None
    if encoded(data) != text:
        raise SignatureError(f"{where} is base64 that another encoder would write differently.")
    return data
