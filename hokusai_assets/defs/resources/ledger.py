"""The `ledger` resource: counts attempts and knows what was paid, or, by default, keeps nothing.

Joins the ledger, which holds roots, with the store of paid rows, which holds rows. A dry run has
neither, whatever is configured.
"""

from __future__ import annotations

from typing import Literal

import dagster as dg
from pydantic import Field

from hokusai_assets.attestation.ledger import Ledger, NoLedger, SqlLedger
from hokusai_assets.attestation.ledger.database import sqlite_path
from hokusai_assets.contribution.paid_rows import PaidStore
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import RunInputs
from hokusai_assets.errors import UsageError
from hokusai_assets.records import BenchmarkDataset, ContributedDataset, PaidDataset

STORE_SUFFIX = ".paid"


class LedgerResource(dg.ConfigurableResource["LedgerResource"]):
    """Which ledger is asked. A dry run never asks any."""

    backend: Literal["none", "sql"] = Field(
        "none", description="none: nothing was paid before, decisions are provisional."
    )
    url: str = Field(
        "",
        description="Path of the ledger (SQLite, made if it is not there), or any SQLAlchemy URL.",
    )
    store: str = Field(
        "",
        description="Folder or fsspec URL of the rows paid for; empty: beside an SQLite ledger.",
    )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse a configuration that contradicts itself before anything is computed."""
        with plain_failures():
            self._check()

    def open(self, *, dry_run: bool) -> Ledger:
        """The ledger of this run; a dry run's is none, whatever is configured."""
        if dry_run or self.backend == "none":
            return NoLedger()
        return SqlLedger(self.url, "create")

    def known_rows(
        self, run: RunInputs, benchmark_root: str
    ) -> tuple[str | None, tuple[PaidDataset, ...]]:
        """The root over the rows paid for before, for a run on this benchmark, and these rows."""
        paid = self.open(dry_run=run.dry_run).paid(run.task.lineage, benchmark_root)
        store = self._store(run)
        return paid.root, () if store is None else store.open(paid.roots)

    def given_digests(self) -> frozenset[bytes]:
        """Digests of rows of which it is given that they were paid for; none where rows tell."""
        return frozenset()

    def keep_benchmark(self, run: RunInputs, benchmark: BenchmarkDataset) -> None:
        """Store a benchmark's rows before a plan names it, so that they are there when it retires.

        What is stored and never named by an entry counts for nothing.
        """
        store = self._store(run)
        if store is not None:
            store.keep_benchmark(benchmark)

    def keep_contributions(self, run: RunInputs, contributed: ContributedDataset) -> None:
        """Store the rows that an acceptance pays for, before the ledger says so."""
        store = self._store(run)
        if store is not None:
            store.keep_contributions(contributed)

    def _store(self, run: RunInputs) -> PaidStore | None:
        if run.dry_run or self.backend == "none":
            return None
        return PaidStore(self._store_url(), run.task, run.pii_key_id)

    def _store_url(self) -> str:
        if self.store:
            return self.store
        path = sqlite_path(self.url)
        if path is None:
            raise UsageError(
                "resources.ledger.config.store is empty: name a folder or URL for the rows paid "
                "for; only beside an SQLite ledger is there a place for them."
            )
        return path + STORE_SUFFIX

    def _check(self) -> None:
        if self.backend == "none":
            if self.url or self.store:
                raise UsageError(
                    "resources.ledger.config names a url or store, but its backend is none: set "
                    "backend to sql, or leave both empty."
                )
            return
        self._store_url()
