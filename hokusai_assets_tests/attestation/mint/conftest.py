"""What every test of mint requests starts from: files, options, a ledger that accepts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.mint.options import MintOptions
from hokusai_assets.attestation.mint.request import MintRequest, build_request
from hokusai_assets.attestation.signing.statements import PublicFiles, public_files
from hokusai_assets_tests.attestation.public_folder import RUN_ID, digest, public_content

CONTRACT = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
OPTIONS: dict[str, Any] = {
    "model_id": "7",
    "spec_id": "reviews-benchmark-v1",
    "score_basis": "measured",
    "max_cost_usd_micro": "5000000",
    "actual_cost_usd_micro": "1250000",
    "chain_id": "8453",
    "verifying_contract": CONTRACT,
    "deadline": "1893456000",
}


def options(**changes: Any) -> MintOptions:
    return MintOptions(**(OPTIONS | changes))


def files_of(**changes: Any) -> PublicFiles:
    return public_files(public_content(**changes))


@dataclass(frozen=True)
class Entry:
    """A ledger's entry."""

    hash: str
    body: Mapping[str, Any]


def entry_of(files: PublicFiles, **changes: Any) -> Entry:
    """The ledger's entry of the acceptance in these files."""
    return Entry(**({"hash": digest("entry"), "body": files.decision} | changes))


def request_of(changes: Any = None, **given: Any) -> MintRequest:
    files = files_of(**(changes or {}))
    return build_request(files, RUN_ID, options(**given), entry_of(files))


class FakeLedger:
    """Accepts one core, and keeps one mint entry a core."""

    def __init__(self, files: PublicFiles) -> None:
        self.accepted = {files.core_digest: entry_of(files)}
        self.minted: dict[str, Entry] = {}

    def accepted_entry(self, core_digest: str) -> Entry | None:
        return self.accepted.get(core_digest)

    def mint_entry(self, core_digest: str) -> Entry | None:
        return self.minted.get(core_digest)

    def record_mint(self, core_digest: str, request_sha256: str) -> str:
        entry = Entry(digest(f"mint {len(self.minted)}"), {"request_sha256": request_sha256})
        return self.minted.setdefault(core_digest, entry).hash
