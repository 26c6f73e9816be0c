"""The same envelope as a Sigstore Bundle v0.3 with public-key material.

A bundle of this form holds the key's id as hint, not the key, and no entry of a transparency log:
clients verify it offline with the key given to them and both thresholds set to 0. Field names as in
sigstore_bundle.proto of the Sigstore protobuf specifications, in Protobuf's JSON mapping.
"""

from hokusai_assets.attestation.canonical import read_record
from hokusai_assets.attestation.signing.dsse import SignedEnvelope, envelope_of
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError, SignatureError

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def bundle_content(envelope: SignedEnvelope) -> bytes:
    """The bundle of an envelope, as it is written."""
    return canonical_json(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": envelope.keyid}},
            "dsseEnvelope": envelope.as_json(),
        }
    )


def read_bundle(content: bytes, name: str) -> SignedEnvelope:
    """The envelope in a bundle; raises SignatureError where the bundle says anything besides."""
    try:
        value = read_record(content, name)
    except AttestationError as error:
        raise SignatureError(str(error)) from None
    envelope = envelope_of(value.get("dsseEnvelope"), f"{name}: dsseEnvelope")
    if bundle_content(envelope) != content:
        raise SignatureError(
            f"{name}: mediaType or verificationMaterial is not that of a Sigstore Bundle v0.3 "
            "whose hint is the envelope's keyid."
        )
    return envelope
