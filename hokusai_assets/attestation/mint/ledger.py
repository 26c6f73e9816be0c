"""What minting asks of a ledger, and what of its answer speaks against a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hokusai_assets.attestation.signing.statements import PublicFiles
from hokusai_assets.errors import UsageError


@dataclass(frozen=True)
class AcceptedEntry:
    """The ledger's entry of an acceptance: its hash, and the decision's body as appended.

    `rows_opened` says that rows of a benchmark that is still live were shown to others.
    """

    entry_hash: str
    decision: Mapping[str, Any]
    rows_opened: bool = False


@dataclass(frozen=True)
class RecordedMint:
    """The one mint entry of a core: its hash, and the identity of the request that it is of."""

    entry_hash: str
    request_sha256: str


class MintLedger(Protocol):
    """The part of a ledger that minting needs."""

    def accepted_entry(self, core_digest: str) -> AcceptedEntry | None:
        """The entry by which this core was accepted, or None."""
        ...

    def record_mint(self, core_digest: str, request_sha256: str) -> RecordedMint:
        """Append the core's mint entry, or return the one that is there, whatever it is of."""
        ...


def open_mint_ledger(url: str) -> MintLedger:
    """The ledger at a URL; raises UsageError where no such ledger can be opened."""
    raise UsageError(
        "No ledger can be opened by this version, and nothing is minted without one: the decision "
        "has to stand in it."
    )


def ledger_problems(files: PublicFiles, entry: AcceptedEntry | None) -> list[str]:
    """Why this bundle's decision may not be minted by what the ledger says."""
    if entry is None:
        return [
            "The ledger holds no acceptance of this core: only what it counted and accepted can be "
            "minted. Check --ledger."
        ]
    problems = []
    body = {name: value for name, value in files.decision.items() if name != "ledger"}
    if dict(entry.decision) != body:
        problems.append(
            "decision.json is not the decision that the ledger accepted for this core: use the "
            "bundle of the run that was accepted."
        )
    place = files.decision.get("ledger")
    if not isinstance(place, Mapping) or place.get("entry") != entry.entry_hash:
        problems.append(
            "decision.json: ledger.entry is not the hash of the ledger's entry of this acceptance."
        )
    if entry.rows_opened:
        problems.append(
            "The benchmark is marked live and its rows were opened: scores on it promise nothing "
            "any more. Retire it and evaluate on another."
        )
    return problems
