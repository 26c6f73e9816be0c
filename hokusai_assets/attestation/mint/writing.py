"""Mint files: written once under the SHA-256 of their content, signatures of others carried over.

The ledger's entry comes first: no request may exist that the ledger does not know.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from hokusai_assets.attestation.mint.checking import check_mint_file
from hokusai_assets.attestation.mint.ledger import MintLedger
from hokusai_assets.attestation.mint.options import MintOptions
from hokusai_assets.attestation.mint.request import MintRequest, build_request
from hokusai_assets.attestation.mint.signing import (
    EthereumKey,
    MintSignature,
    arranged,
    sign_request,
)
from hokusai_assets.attestation.signing.signing import PUBLIC, read_public_folder
from hokusai_assets.attestation.signing.statements import PublicFiles, public_files
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import MintRefusedError
from hokusai_assets.files import join, names_in, read_file, write_once

MINT = "mint"


@dataclass(frozen=True)
class WrittenRequest:
    """A mint file and what is to be said of it; `ledger_entry` is the hash of its entry."""

    path: str
    digest: str
    signers: tuple[str, ...]
    warnings: tuple[str, ...]
    ledger_entry: str


def mint_file(request: MintRequest, signatures: Iterable[MintSignature] = ()) -> tuple[str, bytes]:
    """Name and bytes of the file of a request with these signatures."""
    listed = [signature.as_json() for signature in arranged(signatures)]
    content = canonical_json(request.body() | {"signatures": listed})
    return f"{hashlib.sha256(content).hexdigest()}.json", content


def request_mint(
    bundle: str,
    run_id: str,
    options: MintOptions,
    ledger: MintLedger,
    keys: Iterable[EthereumKey] = (),
) -> WrittenRequest:
    """Write the mint request of the bundle in a folder, signed by `keys` and by who signed before.

    Signatures that stand in earlier files of the same request are kept, so that signers on several
    machines add to one another's. Raises MintRefusedError with every reason against it.
    """
    files = public_files(read_public_folder(bundle))
    request = build_request(files, run_id, options, ledger.accepted_entry(files.core_digest))
    signatures = [*_earlier(bundle, files, request), *(sign_request(request, key) for key in keys)]
    name, content = mint_file(request, signatures)
    entry_hash = ledger.record_mint(files.core_digest, request.identity)
    recorded = ledger.mint_entry(files.core_digest)
    if recorded is None or recorded.body.get("request_sha256") != request.identity:
        raise MintRefusedError(
            [
                "The ledger holds another mint request of this core: model id, chain, contract, "
                "basis, scores and wallets must be those of the first; deadline, costs and "
                "signatures may differ."
            ]
        )
    folder = join(bundle, PUBLIC, MINT)
    if name in names_in(folder) and read_file(folder, name) == content:
        path = join(folder, name)
    else:
        path = write_once(folder, name, content)
    return WrittenRequest(
        path,
        "0x" + request.digest.hex(),
        tuple(signature.signer for signature in arranged(signatures)),
        request.warnings,
        entry_hash,
    )


def _earlier(bundle: str, files: PublicFiles, request: MintRequest) -> list[MintSignature]:
    """The valid signatures of this very request in the folder; other files are left alone."""
    folder = join(bundle, PUBLIC, MINT)
    found: list[MintSignature] = []
    for name in sorted(names_in(folder)):
        verdict = check_mint_file(read_file(folder, name), name, files)
        if verdict.request is not None and verdict.request.digest == request.digest:
            found += verdict.signatures
    return found
