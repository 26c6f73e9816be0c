"""Signing a bundle: three new files by one key, or one a model, beside those of other signers.

A dry run is never signed with a key that anybody might trust: made-up data under a real signature
would be a real attestation to whoever does not read `dry_run`.
"""

from dataclasses import dataclass
from typing import Protocol

from hokusai_assets.attestation.bundle import MODELS
from hokusai_assets.attestation.bundle_reading import read_bundle, refuse_links
from hokusai_assets.attestation.signing.checking import ATTESTATION, SIGSTORE, TEST_RESULT
from hokusai_assets.attestation.signing.dsse import sign_payload
from hokusai_assets.attestation.signing.keys import SigningKey
from hokusai_assets.attestation.signing.model_keys import ModelKey
from hokusai_assets.attestation.signing.model_statements import (
    MODEL_SUFFIX,
    model_files,
    model_statement,
    sign_statement,
)
from hokusai_assets.attestation.signing.sigstore_bundle import bundle_content
from hokusai_assets.attestation.signing.statements import (
    PLAN,
    SUBJECTS,
    PublicFiles,
    attestation_statement,
    public_files,
    result_statement,
)
from hokusai_assets.errors import AlreadyWrittenError, AttestationError, SigningRefusedError
from hokusai_assets.files import join, names_in, read_file, write_once

PUBLIC = "public"
SIGNATURES = "signatures"
MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class SignedBundle:
    """What signing wrote: paths in order, and by which key; `already` were there, and the same."""

    keyid: str
    written: tuple[str, ...]
    already: tuple[str, ...]


class Signer(Protocol):
    """Whoever signs bundles at the end of an evaluation."""

    def sign(self, folder: str) -> SignedBundle | None:
        """Sign the bundle in a folder; None where nobody signs."""
        ...


class NoSigner:
    """Nobody signs: the bundle is unsigned, and verifying says so."""

    def sign(self, folder: str) -> SignedBundle | None:
        """Signs nothing."""
        return None


@dataclass(frozen=True)
class KeySigner:
    """Signs with one key."""

    key: SigningKey

    def sign(self, folder: str) -> SignedBundle | None:
        """Sign the bundle; raises SigningRefusedError for a dry run."""
        return sign_bundle(folder, self.key)


def signature_files(content: dict[str, bytes], key: SigningKey) -> dict[str, bytes]:
    """Names below signatures/ and bytes of what `key` says of these public files.

    Raises SigningRefusedError for a dry run, and where the files contradict one another.
    """
    files = _checked(content)
    _refuse_dry_run(files)
    statement = sign_payload(attestation_statement(files), key)
    result = sign_payload(result_statement(files), key)
    return {
        f"{key.keyid}{ATTESTATION}": statement.content(),
        f"{key.keyid}{SIGSTORE}": bundle_content(statement),
        f"{key.keyid}{TEST_RESULT}": result.content(),
    }


def sign_bundle(folder: str, key: SigningKey) -> SignedBundle:
    """Sign the bundle in `folder` (a path or URL); files that are there already stay as they are.

    The same key gives the same bytes again, so signing twice repairs what a crash left out. Raises
    SigningRefusedError, and AlreadyWrittenError where a file of this name holds something else.
    """
    return _add(folder, signature_files(_signed_files(folder), key), key.keyid)


def sign_models(folder: str, key: ModelKey) -> SignedBundle:
    """Sign baseline and candidate of the bundle in `folder` (a path or URL) for model-signing.

    Every file of the bundle is read first, so that a model is signed as the manifest names it.
    Raises SigningRefusedError for a dry run, a bundle without models or one that was changed, and
    AlreadyWrittenError where a file of this name holds something else.
    """
    content = _signed_files(folder)
    _refuse_dry_run(_checked(content))
    try:
        if not read_bundle(folder).has_audit:
            raise SigningRefusedError(
                "The models are not here: audit/ is left out of this bundle. Sign where it is "
                "whole."
            )
        listed = {role: model_files(content[MANIFEST_NAME], role) for role in MODELS}
    except AttestationError as error:
        raise SigningRefusedError(
            f"Models of a bundle that is not as it was written are not signed: {error} Verify it."
        ) from None
    files = {}
    for role, found in listed.items():
        signature = sign_statement(model_statement(role, found), key)
        files[f"{key.keyid}.{role}{MODEL_SUFFIX}"] = signature.content()
    return _add(folder, files, key.keyid)


def _signed_files(folder: str) -> dict[str, bytes]:
    try:
        refuse_links(folder)
    except AttestationError as error:
        raise SigningRefusedError(f"{error} Nothing of it is read.") from None
    public = join(folder, PUBLIC)
    return {name: read_file(public, name) for name in (*SUBJECTS, PLAN)}


def _checked(content: dict[str, bytes]) -> PublicFiles:
    try:
        return public_files(content)
    except AttestationError as error:
        raise SigningRefusedError(
            f"Files that disagree are not signed: {error} Make the bundle again."
        ) from None


def _refuse_dry_run(files: PublicFiles) -> None:
    if files.dry_run:
        raise SigningRefusedError(
            "A dry run is never signed: its base and benchmark are made up. Evaluate real data and "
            "sign that."
        )


def _add(folder: str, files: dict[str, bytes], keyid: str) -> SignedBundle:
    """Write signature files that are not there yet."""
    target = join(folder, PUBLIC, SIGNATURES)
    there = names_in(target)
    written, already = [], []
    for name, data in files.items():
        if name not in there:
            written.append(write_once(target, name, data))
        elif read_file(target, name) == data:
            already.append(join(target, name))
        else:
            raise AlreadyWrittenError(
                f"{join(target, name)} is there and is not what this key signs now: the bundle or "
                "that file was changed after it was signed. Verify the bundle before anything else."
            )
    return SignedBundle(keyid, tuple(written), tuple(already))


def read_public_folder(folder: str) -> dict[str, bytes]:
    """The bytes of a bundle's public JSON files and of its signatures, for `check_signatures`."""
    content = _signed_files(folder)
    target = join(folder, PUBLIC, SIGNATURES)
    for name in sorted(names_in(target)):
        content[f"{SIGNATURES}/{name}"] = read_file(target, name)
    return content
