"""A bundle's models as OpenSSF model-signing signs folders: what is stated, written and read.

Model-signing 1.0: an in-toto Statement whose one subject is the model, with a digest over those of
its files, in a DSSE envelope, in a Sigstore Bundle v0.3 with public-key material. Written here
rather than by that package, so that it is canonical and the same each time, follows from
manifest.json alone, and a verifier needs nothing more; the package's own verifier takes it. Whether
the signature holds is that verifier's to say, who has the key.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from securesystemslib.dsse import Envelope

from hokusai_assets.attestation.bundle import MODELS
from hokusai_assets.attestation.canonical import read_record
from hokusai_assets.attestation.signing.dsse import PAYLOAD_TYPE, decoded, encoded
from hokusai_assets.attestation.signing.model_keys import ModelKey
from hokusai_assets.attestation.signing.sigstore_bundle import MEDIA_TYPE
from hokusai_assets.attestation.signing.statements import STATEMENT_TYPE
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError, SignatureError

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
MODEL_SUFFIX = ".model.sigstore.json"
# Every file of the folder, by its SHA-256; links are refused, nothing is ignored.
_SERIALIZATION = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DER_BYTES = range(8, 73)  # of two numbers below 2^256


@dataclass(frozen=True)
class ModelSignature:
    """A signature file whose form is right; whether it holds is not said by that."""

    payload: bytes
    keyid: str
    hint: str
    signature: bytes

    def content(self) -> bytes:
        """The file as it is written."""
        return canonical_json(
            {
                "mediaType": MEDIA_TYPE,
                "verificationMaterial": {"publicKey": {"hint": self.hint}},
                "dsseEnvelope": {
                    "payload": encoded(self.payload),
                    "payloadType": PAYLOAD_TYPE,
                    "signatures": [{"keyid": self.keyid, "sig": encoded(self.signature)}],
                },
            }
        )


def model_files(manifest: bytes, role: str) -> dict[str, str]:
    """The files of a model, by name inside its folder, with their SHA-256, from manifest.json.

    Raises AttestationError where the manifest names none.
    """
    files, folder = read_record(manifest, "manifest.json").get("files"), f"{MODELS[role]}/"
    listed = files if isinstance(files, dict) else {}
    found = {n.removeprefix(folder): d for n, d in listed.items() if n.startswith(folder)}
    if not found or not all(isinstance(d, str) and _SHA256.fullmatch(d) for d in found.values()):
        raise AttestationError(f"manifest.json names no files of the {role}, below {folder}.")
    return found


def model_statement(role: str, files: Mapping[str, str]) -> bytes:
    """The payload: that the folder `role` holds these files and no others; canonical JSON."""
    ordered = sorted(files.items(), key=lambda item: PurePosixPath(item[0]))
    root = hashlib.sha256(b"".join(bytes.fromhex(digest) for _, digest in ordered))
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": role, "digest": {"sha256": root.hexdigest()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "serialization": _SERIALIZATION,
                "resources": [
                    {"name": name, "algorithm": "sha256", "digest": digest}
                    for name, digest in ordered
                ],
            },
        }
    )


def sign_statement(payload: bytes, key: ModelKey) -> ModelSignature:
    """The statement signed; the same key gives the same bytes again."""
    return ModelSignature(
        payload, key.keyid, key.hint, key.sign(Envelope(payload, PAYLOAD_TYPE, {}).pae())
    )


def read_model_signature(content: bytes, name: str) -> ModelSignature:
    """The signature in a file; raises SignatureError where it is in any other form than ours."""
    try:
        value = read_record(content, name)
    except AttestationError as error:
        raise SignatureError(str(error)) from None
    try:
        material, envelope = value["verificationMaterial"], value["dsseEnvelope"]
        (signature,) = envelope["signatures"]
        keyid, hint = signature["keyid"], material["publicKey"]["hint"]
        parts: tuple[Any, Any] = (envelope["payload"], signature["sig"])
    except (KeyError, TypeError, ValueError):
        raise SignatureError(
            f"{name} is no Sigstore Bundle v0.3 of one signature by a public key."
        ) from None
    for field, digest in (("signatures[0].keyid", keyid), ("publicKey.hint", hint)):
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise SignatureError(f"{name}: {field} is not a SHA-256 in 64 hexadecimal digits.")
    payload = decoded(parts[0], f"{name}: dsseEnvelope.payload")
    sig = decoded(parts[1], f"{name}: signatures[0].sig")
    if len(sig) not in _DER_BYTES:
        raise SignatureError(f"{name}: signatures[0].sig is no ECDSA signature on P-256.")
    found = ModelSignature(payload, keyid, hint, sig)
    if found.content() != content:
        raise SignatureError(f"{name} says something besides, or is of another media type.")
    return found


def model_problem(signature: ModelSignature, role: str, manifest: bytes) -> str | None:
    """How what is signed differs from the model that manifest.json names."""
    try:
        expected = model_statement(role, model_files(manifest, role))
    except AttestationError as error:
        return str(error).rstrip(".")
    if signature.payload == expected:
        return None
    try:
        found = read_record(signature.payload, "what is signed")
    except AttestationError as error:
        return str(error).rstrip(".")
    if found.get("subject") != json.loads(expected)["subject"]:
        return f"what is signed is not the {role} of this bundle"
    return "what is signed says other things than the manifest, or more"
