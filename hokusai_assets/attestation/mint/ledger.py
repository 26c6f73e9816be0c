"""What minting asks of a ledger, and what of its answer speaks against a request."""

from collections.abc import Mapping
from typing import Any, Protocol

from hokusai_assets.attestation.signing.statements import PublicFiles
from hokusai_assets.digests import canonical_json


class LedgerEntry(Protocol):
    """An entry of a ledger: its hash, and what was appended."""

    @property
    def hash(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


class MintLedger(Protocol):
    """The part of a ledger that minting needs."""

    def accepted_entry(self, core_digest: str) -> LedgerEntry | None:
        """The entry by which this core was accepted, its body the decision's; or None."""
        ...

    def mint_entry(self, core_digest: str) -> LedgerEntry | None:
        """The one mint entry of a core, whose body holds request_sha256; or None."""
        ...

    def record_mint(self, core_digest: str, request_sha256: str) -> str:
        """Append the core's mint entry, unless there is one; the hash of the one that stands."""
        ...


def open_mint_ledger(url: str) -> MintLedger:
    """The ledger at a URL; raises UsageError where no such ledger can be opened."""
    from hokusai_assets.attestation.ledger import SqlLedger

    return SqlLedger(url)


def ledger_problems(files: PublicFiles, entry: LedgerEntry | None) -> list[str]:
    """Why this bundle's decision may not be minted by what the ledger says."""
    if entry is None:
        return [
            "The ledger holds no acceptance of this core: only what it counted and accepted can be "
            "minted. Check --ledger."
        ]
    problems = []
    if canonical_json(entry.body) != canonical_json(files.decision):
        problems.append(
            "decision.json: body is not the decision that the ledger accepted for this core: use "
            "the bundle of the run that was accepted."
        )
    if files.ledger is None or files.ledger.get("entry") != entry.hash:
        problems.append(
            "decision.json: ledger.entry is not the hash of the ledger's entry of this acceptance."
        )
    return problems
