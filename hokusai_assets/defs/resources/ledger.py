"""The `ledger` resource: counts attempts and knows what was paid, or, by default, keeps nothing."""

from typing import Literal

import dagster as dg
from pydantic import Field

from hokusai_assets.attestation.ledger import Ledger, NoLedger


class LedgerResource(dg.ConfigurableResource["LedgerResource"]):
    """Which ledger is asked. A dry run never asks any."""

    backend: Literal["none"] = Field(
        "none", description="none: nothing was paid before, decisions are provisional."
    )

    def open(self, *, dry_run: bool) -> Ledger:
        """The ledger of this run; a dry run's is none, whatever is configured."""
        return NoLedger()
