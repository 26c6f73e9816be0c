"""Assets materialized in memory: the whole graph, single assets, and what the checks stop."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.defs.build import ALL_ASSETS
from hokusai_assets.defs.checks import ALL_CHECKS
from hokusai_assets.defs.resources.inputs import ContributionConfig, InputsResource
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.defs.resources.signer import SignerResource
from hokusai_assets.defs.resources.tracking import TrackingResource
from hokusai_assets.digests import content_root
from hokusai_assets.records import (
    Attestation,
    BaseDataset,
    BenchmarkDataset,
    BenchmarkMetrics,
    ContributedDataset,
    DeltaReport,
    MergedDataset,
)
from hokusai_assets.tables import ROW_DIGEST, SOURCE, read_table, write_table
from hokusai_assets_tests.conftest import SmallTask, make_rows, write_csv


def resources(tmp_path: Path, **inputs: Any) -> dict[str, Any]:
    given = dict(inputs)
    if "contributions" in given:
        given["contributions"] = [ContributionConfig(**c) for c in given["contributions"]]
    source = InputsResource(**given)
    target = OutputsResource(output_dir=str(tmp_path / "out"), storage_url=str(tmp_path / "store"))
    return {
        "inputs": source,
        "outputs": target,
        "tracking": TrackingResource(backend="none", inputs=source, outputs=target),
        "ledger": LedgerResource(),
        "signer": SignerResource(inputs=source),
    }


def test_the_whole_graph_on_files(small: SmallTask, tmp_path: Path) -> None:
    result = dg.materialize_to_memory(
        [*ALL_ASSETS, *ALL_CHECKS], resources=resources(tmp_path, **small.inputs())
    )
    assert result.success
    base: BaseDataset = result.output_for_node("base_dataset")
    contributed: ContributedDataset = result.output_for_node("contributed_data")
    merged: MergedDataset = result.output_for_node("merged_dataset")
    metrics: BenchmarkMetrics = result.output_for_node("benchmark_metrics")
    report: DeltaReport = result.output_for_node("delta_report")
    attestation: Attestation = result.output_for_node("attestation")

    assert base.row_count == 120
    assert contributed.contributions[0].counts.read == 300
    assert merged.row_count == base.row_count + contributed.row_count
    sources = read_table(merged.folder, [SOURCE]).column(SOURCE).to_pylist()
    assert sources.count(base.content_root) == 120
    assert metrics.row_count == sum(cell.count for cell in metrics.joint_counts[0])
    right_before = sum(c.count for c in metrics.joint_counts[0] if c.baseline == c.label)
    right_after = sum(c.count for c in metrics.joint_counts[0] if c.candidate == c.label)
    accuracy = report.delta_of("accuracy")
    assert accuracy.baseline.value == right_before / metrics.row_count
    assert accuracy.delta_millionths == round(
        1_000_000 * (right_after - right_before) / metrics.row_count
    )
    assert report.fixed_rows - report.broken_rows == right_after - right_before
    assert right_after > right_before  # 300 more rows of the same kind do help
    assert attestation.core["joint_counts"][0] == [
        [c.label, c.baseline, c.candidate, c.count] for c in metrics.joint_counts[0]
    ]
    assert attestation.decision.provisional
    assert not attestation.decision.dry_run
    evaluations = result.get_asset_check_evaluations()
    assert all(e.passed for e in evaluations)
    assert {e.check_name for e in evaluations} == {
        "contributed_data_conforms",
        "merged_dataset_conforms",
        "benchmark_is_disjoint",
        "metrics_are_in_range",
        "delta_report_matches_schema",
        "attestation_matches_files",
    }


def test_a_single_asset(small: SmallTask, tmp_path: Path) -> None:
    result = dg.materialize_to_memory(
        ALL_ASSETS,
        selection=["base_dataset"],
        resources=resources(tmp_path, **small.inputs()),
    )
    (event,) = result.asset_materializations_for_node("base_dataset")
    assert event.metadata["dagster/row_count"].value == 120
    assert event.metadata["rows_rejected"].value == 0
    columns = event.metadata["dagster/column_schema"].value.columns
    assert [column.name for column in columns] == ["key", "label", "note", "weight"]


def test_mock_mode_needs_no_files(tmp_path: Path) -> None:
    result = dg.materialize_to_memory(
        [*ALL_ASSETS, *ALL_CHECKS], resources=resources(tmp_path, mode="mock", mock_rows=400)
    )
    attestation: Attestation = result.output_for_node("attestation")
    counts = attestation.core["counts"][0]
    assert counts["read"] == 400
    # the edge cases are in the data on purpose, and cleaning found every kind
    assert min(counts["rejected"], counts["deduplicated"], counts["leaked"]) >= 1
    assert sum(counts[k] for k in counts if k != "read") == counts["read"]
    assert attestation.core["dry_run"] is True
    assert attestation.decision.dry_run


def test_a_failed_check_stops_everything_downstream(small: SmallTask, tmp_path: Path) -> None:
    """A cleaning step that lets benchmark rows through is caught before anything is trained."""

    @dg.asset(name="contributed_data")
    def careless(
        inputs: InputsResource, base_dataset: BaseDataset, benchmark_dataset: BenchmarkDataset
    ) -> ContributedDataset:
        folder = str(tmp_path / "careless")
        blind = inputs.run.task.model_copy(update={"id": "blind"})
        good = clean_contributions(
            inputs.run.contributions, blind, base_dataset, base_dataset, key=None, folder=folder
        )
        leaking = pa.concat_tables(
            [read_table(folder), read_table(benchmark_dataset.folder).slice(0, 3)]
        )
        write_table(leaking, folder)
        root = content_root(leaking.column(ROW_DIGEST).to_pylist())
        return good.model_copy(update={"row_count": leaking.num_rows, "content_root": root})

    others = [asset for asset in ALL_ASSETS if asset.key.path != ["contributed_data"]]
    result = dg.materialize_to_memory(
        [*others, careless, *ALL_CHECKS],
        resources=resources(tmp_path, **small.inputs()),
        raise_on_error=False,
    )
    assert not result.success
    (failed,) = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert failed.check_name == "benchmark_is_disjoint"
    assert failed.description is not None
    assert "3 training rows have the features of a benchmark row" in failed.description
    made = {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}
    assert made == {"base_dataset", "benchmark_dataset", "contributed_data", "merged_dataset"}
    assert not (tmp_path / "out").exists()


def test_metadata_that_the_ui_plots_are_numbers(small: SmallTask, tmp_path: Path) -> None:
    result = dg.materialize_to_memory(ALL_ASSETS, resources=resources(tmp_path, **small.inputs()))
    (metrics,) = result.asset_materializations_for_node("benchmark_metrics")
    (report,) = result.asset_materializations_for_node("delta_report")
    for model in ("baseline", "candidate"):
        for name in ("accuracy", "precision", "recall", "f1_score", "auroc"):
            assert isinstance(metrics.metadata[f"{model}_{name}"].value, float)
    assert isinstance(report.metadata["delta_one"].value, float)
    assert "| accuracy |" in str(report.metadata["deltas"].value)


@pytest.mark.parametrize("mode", ["files", "mock"])
def test_no_personal_data_in_events(
    small: SmallTask, tmp_path: Path, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Planted addresses, in a cell, in a broken line and in the file's name, appear nowhere."""
    rows = make_rows(300, 3, "c")
    rows[5]["note"] += " write to canary.one@example.com"
    rows[6]["key"] = "canary.two@example.com"
    path = write_csv(small.folder / "canary.three@example.com.csv", rows)
    with path.open("a") as stream:
        stream.write("x,canary.four@example.com,1,good,too,many\n")
        stream.write("y,note,canary.five@example.com,good\n")
        stream.write("z,note,50,canary.six@example.com\n")
    inputs = small.inputs(mode=mode)
    inputs["contributions"][0]["path"] = str(path)
    instance = dg.DagsterInstance.ephemeral()
    result = dg.materialize_to_memory(
        [*ALL_ASSETS, *ALL_CHECKS], resources=resources(tmp_path, **inputs), instance=instance
    )
    assert result.success
    said = "".join(
        entry.to_json() for entry in instance.all_logs(result.run_id) if entry.dagster_event
    )
    # The configuration that the operator typed is Dagster's to keep; what we made of it is ours.
    said = said.replace(str(path), "")
    assert "canary" not in said
    assert "canary" not in caplog.text.replace(str(path), "")
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for file in [*written, *(tmp_path / "store").rglob("*.json")]:
        assert b"canary" not in file.read_bytes(), file
    for folder in (tmp_path / "store").rglob("*.parquet"):
        text = str(read_table(str(folder.parent)).to_pylist())
        assert "canary" not in text, folder
