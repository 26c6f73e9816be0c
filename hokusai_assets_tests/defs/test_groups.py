"""A task with a group column from end to end, and the check that no group straddles the split."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hokusai_assets.attestation.verifying.verify import verify
from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.defs.build import ALL_ASSETS
from hokusai_assets.defs.checks import ALL_CHECKS
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.running import evaluate
from hokusai_assets.records import BaseDataset, BenchmarkDataset, ContributedDataset
from hokusai_assets_tests.conftest import TASK, SmallTask, make_rows, write_csv
from hokusai_assets_tests.defs.test_materialize import resources

GROUPED = TASK.replace(
    '[[columns]]\nname = "weight"',
    '[[columns]]\nname = "shop"\ntype = "text"\nrole = "group"\npii = "keep"\nnullable = true\n\n'
    '[[columns]]\nname = "weight"',
)


@pytest.fixture
def grouped(small: SmallTask) -> SmallTask:
    """40 of 400 benchmark rows are of a base shop, 30 of 300 contributed ones of a scored one."""
    small.task.write_text(GROUPED)

    def write(name: str, count: int, seed: int, shop: Any) -> None:
        rows = [r | {"shop": shop(i)} for i, r in enumerate(make_rows(count, seed, name))]
        write_csv(small.folder / f"{name}.csv", rows)

    write("base", 120, 1, lambda i: f"base{i % 4}")
    write("benchmark", 400, 2, lambda i: "base0" if i % 10 == 0 else f"scored{i % 60}")
    write("contribution", 300, 3, lambda i: "scored7" if i % 10 == 0 else ("", "base0")[i % 2])
    return small


def test_groups_are_left_out_counted_and_verified(grouped: SmallTask, tmp_path: Path) -> None:
    outcome = evaluate(
        {
            "inputs": grouped.inputs(),
            "outputs": {"output_dir": str(tmp_path / "out")},
            "tracking": {"backend": "none"},
        },
        dry_run=False,
        progress=lambda step, state: None,
    )
    assert outcome.evaluation is not None, outcome.message
    record = outcome.evaluation.attestation
    benchmark, (counts,) = record.core["benchmark"], record.core["counts"]
    assert (benchmark["left_out_as_group_in_base"], benchmark["rows"]) == (40, 360)
    assert benchmark["rows_left_in_training"] == 0
    assert counts["benchmark_group"] == 30
    assert sum(counts[k] for k in counts if k != "read") == counts["read"] == 300
    verdicts = {step.name: step.verdict for step in verify(record.bundle_path).steps}
    assert "fails" not in verdicts.values()
    output = json.loads(Path(record.delta_output_path).read_text())
    manifest = output["contributor_attribution"]["data_manifest"]
    assert manifest["cleaning"]["benchmark_group"] == 30
    assert manifest["row_count"] == counts["kept"]
    report = Path(record.report_path).read_text()
    assert "40 because base holds others of their group" in report
    assert "of a group that stands in the benchmark" in report
    (page,) = record.contributor_page_paths
    assert "of a group" not in Path(page).read_text()
    assert "scored7" not in Path(page).read_text()


def test_a_group_on_both_sides_stops_everything(grouped: SmallTask, tmp_path: Path) -> None:
    """A cleaning that knows of no groups is caught before anything is planned or trained."""

    @dg.asset(name="contributed_data")
    def careless(
        inputs: InputsResource, base_dataset: BaseDataset, benchmark_dataset: BenchmarkDataset
    ) -> ContributedDataset:
        # Against base in the benchmark's place: no row is the benchmark's, and no group is missed.
        return clean_contributions(
            inputs.run.contributions,
            inputs.run.task,
            base_dataset,
            base_dataset,
            key=None,
            folder=str(tmp_path / "careless"),
        )

    others = [asset for asset in ALL_ASSETS if asset.key.path != ["contributed_data"]]
    result = dg.materialize_to_memory(
        [*others, careless, *ALL_CHECKS],
        resources=resources(tmp_path, **grouped.inputs()),
        raise_on_error=False,
    )
    assert not result.success
    (failed,) = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert failed.check_name == "benchmark_is_disjoint"
    assert "30 training rows belong to the group of a benchmark row" in str(failed.description)
    made = {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}
    assert "evaluation_plan" not in made
