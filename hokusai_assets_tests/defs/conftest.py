"""An operator with a ledger, for tests of whole evaluations that follow or meet one another."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.definitions import defs
from hokusai_assets.records import Attestation, TrainedModel
from hokusai_assets_tests.conftest import TASK, WALLET, make_rows, write_csv
from hokusai_assets_tests.defs.test_storage import failure_message

BASE, CONTRIBUTION = make_rows(40, 1, "b"), make_rows(300, 3, "c")


@dataclass
class House:
    """An operator with a ledger; every run is one of the same instance, or of one of its own."""

    folder: Path
    instance: Callable[[], dg.DagsterInstance] = dg.DagsterInstance.get

    @property
    def ledger(self) -> SqlLedger:
        return SqlLedger(str(self.folder / "ledger.sqlite"))

    def benchmark(self, seed: int) -> Path:
        """An unseen benchmark of 800 rows becomes the task's."""
        return write_csv(self.folder / "benchmark.csv", make_rows(800, seed, f"t{seed}-"))

    def run(
        self,
        rows: list[dict[str, str]] | None = None,
        *assets: str,
        contributor: tuple[str, str] = ("alice", WALLET),
        job: str = "evaluate_contribution",
        ledger: dict[str, Any] | None = None,
        resources: dict[str, Any] | None = None,
        **inputs: Any,
    ) -> dg.ExecuteInProcessResult:
        """Run a job, or only some of its assets; `inputs` go before what is given otherwise."""
        if rows is not None:
            write_csv(self.folder / "contribution.csv", rows)
        name, wallet = contributor
        sent = {"path": str(self.folder / "contribution.csv")}
        sent |= {"contributor_id": name, "wallet_address": wallet}
        given = {"backend": "sql", "url": str(self.folder / "ledger.sqlite")}
        config = {
            "resources": {
                "inputs": {
                    "config": {"task": str(self.folder / "task.toml"), "contributions": [sent]}
                    | inputs
                },
                "outputs": {"config": {"output_dir": str(self.folder / "out")}},
                "tracking": {"config": {"backend": "none"}},
                "ledger": {"config": given if ledger is None else ledger},
                **(resources or {}),
            },
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        }
        with self.instance() as instance:
            return defs.resolve_job_def(job).execute_in_process(
                run_config=config,
                instance=instance,
                raise_on_error=False,
                asset_selection=[dg.AssetKey(a) for a in assets] or None,
            )

    def promote(self, result: dg.ExecuteInProcessResult) -> dict[str, Any]:
        """The accepted candidate becomes the baseline, and its training rows the base."""
        stored = Path(os.environ["HOKUSAI_HOME"], "storage", "runs", result.run_id)
        model: TrainedModel = result.output_for_node("new_model")
        text = (self.folder / "task.toml").read_text()
        base = f'base = "{stored / "merged_dataset" / "part-*.parquet"}"'
        (self.folder / "task.toml").write_text(text.replace('base = "base.csv"', base))
        return {"baseline": str(stored / "new_model" / model.files[0].name)}

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.ledger.entries()]


@pytest.fixture
def house(tmp_path: Path) -> House:
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "task.toml").write_text(TASK)
    write_csv(folder / "base.csv", BASE)
    found = House(folder)
    found.benchmark(2)
    return found


def attested(result: dg.ExecuteInProcessResult) -> Attestation:
    """The attestation of a run that succeeded."""
    assert result.success, failure_message(result)
    found: Attestation = result.output_for_node("attestation")
    return found
