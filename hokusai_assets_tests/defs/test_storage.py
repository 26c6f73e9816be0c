"""Storage: by run, written once, newest first, and never a mixture."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import fsspec
import pytest

from hokusai_assets.definitions import defs
from hokusai_assets.defs.io_managers import identity, publish, read_envelope
from hokusai_assets.errors import AlreadyWrittenError, StorageError
from hokusai_assets.records import ColumnSchema, ContributorShare, Dataset
from hokusai_assets_tests.conftest import WALLET, SmallTask, make_rows, write_csv


def run_job(
    small: SmallTask, tmp_path: Path, *assets: str, job: str = "evaluate_contribution", **more: Any
) -> dg.ExecuteInProcessResult:
    """Run a job, or only some of its assets, on the persistent instance of the test."""
    inputs = small.inputs() | more.pop("inputs", {})
    config = {
        "resources": {
            "inputs": {"config": inputs},
            "outputs": {"config": {"output_dir": str(tmp_path / "out"), **more}},
            "tracking": {"config": {"backend": "none"}},
        },
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with dg.DagsterInstance.get() as instance:
        return defs.resolve_job_def(job).execute_in_process(
            run_config=config,
            instance=instance,
            raise_on_error=False,
            asset_selection=[dg.AssetKey(a) for a in assets] or None,
        )


def failure_message(result: dg.ExecuteInProcessResult) -> str:
    """What the first failed step says."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return str(data.user_failure_data.description)
            return str(data.error)
    raise AssertionError("no step failed")


def storage(tmp_path: Path) -> Path:
    return tmp_path / "home" / "storage"


def test_paths_carry_the_run_id_and_scratch_is_gone(small: SmallTask, tmp_path: Path) -> None:
    result = run_job(small, tmp_path)
    assert result.success
    run = storage(tmp_path) / "runs" / result.run_id
    assert sorted(p.name for p in run.iterdir()) == sorted(
        k.path[-1] for k in defs.resolve_asset_graph().get_all_asset_keys()
    )
    assert not (storage(tmp_path) / "scratch").exists()
    for record in run.rglob("record.json"):
        body = json.loads(record.read_text())
        assert (body["run_id"], body["mode"]) == (result.run_id, "files")


def test_no_pickle_is_stored(small: SmallTask, tmp_path: Path) -> None:
    result = run_job(small, tmp_path)
    files = [p for p in (storage(tmp_path) / "runs" / result.run_id).rglob("*") if p.is_file()]
    assert {p.suffix for p in files} == {".json", ".parquet", ".arrow", ".skops"}
    for file in files:
        with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, KeyError, IndexError)):
            pickle.loads(file.read_bytes())  # noqa: S301 - our own file, and it must not load


def test_a_single_asset_reads_the_newest_inputs(small: SmallTask, tmp_path: Path) -> None:
    first = run_job(small, tmp_path)
    alone = run_job(small, tmp_path, "delta_report")
    assert alone.success
    envelope = read_envelope(str(storage(tmp_path) / "runs" / alone.run_id / "delta_report"))
    assert envelope is not None
    assert envelope["sources"]["base_dataset"][0] == first.run_id
    assert envelope["record"] == (
        read_envelope(str(storage(tmp_path) / "runs" / first.run_id / "delta_report")) or {}
    ).get("record")


def test_inputs_of_another_task_are_refused(small: SmallTask, tmp_path: Path) -> None:
    first = run_job(small, tmp_path)
    small.task.write_text(small.task.read_text().replace("seed = 7", "seed = 8"))
    alone = run_job(small, tmp_path, "delta_report")
    assert not alone.success
    message = failure_message(alone)
    assert first.run_id in message
    assert "another task" in message


def test_real_and_mock_are_never_mixed(small: SmallTask, tmp_path: Path) -> None:
    rehearsal = run_job(small, tmp_path, job="dry_run", inputs={"mode": "mock"})
    assert rehearsal.success
    alone = run_job(small, tmp_path, "attestation")
    assert not alone.success
    message = failure_message(alone)
    assert rehearsal.run_id in message
    assert "mode mock" in message
    assert not any(
        json.loads(p.read_text())["dry_run"] is False for p in (tmp_path / "out").glob("att*")
    )


def test_inputs_made_from_different_materializations_are_refused(
    small: SmallTask, tmp_path: Path
) -> None:
    first = run_job(small, tmp_path)
    write_csv(small.contribution, make_rows(280, 9, "other"))
    changed = run_job(small, tmp_path, "contributed_data")
    assert changed.success
    alone = run_job(small, tmp_path, "delta_report")
    message = failure_message(alone)
    assert first.run_id in message
    assert changed.run_id in message
    assert "never mixed" in message


def test_equal_data_may_stand_in(small: SmallTask, tmp_path: Path) -> None:
    """Materializing base again from the same file is no mixture: its record is the same."""
    run_job(small, tmp_path)
    assert run_job(small, tmp_path, "base_dataset").success
    assert run_job(small, tmp_path, "merged_dataset").success


def test_nothing_stored_is_said_with_the_remedy(small: SmallTask, tmp_path: Path) -> None:
    message = failure_message(run_job(small, tmp_path, "merged_dataset"))
    assert "has not been materialized" in message
    assert "evaluate_contribution" in message


@pytest.mark.slow
def test_two_runs_at_once_do_not_touch_each_other(small: SmallTask, tmp_path: Path) -> None:
    """Two processes meet a home that neither has made yet: same storage, history, MLflow store."""
    shutil.rmtree(tmp_path / "home")
    environment = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    words = [str(Path(sys.executable).parent / "hokusai"), "evaluate", "--json"]
    words += ["--task", str(small.task), "--contributed-data", str(small.contribution)]
    words += ["--contributor-id", "alice", "--wallet-address", WALLET]
    words += ["--output-dir", str(tmp_path / "out")]
    running = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=200) for process in running]
    assert [p.returncode for p in running] == [0, 0], said
    first, second = (json.loads(out) for out, _ in said)
    assert first["run_id"] != second["run_id"]
    assert first["core_digest"] == second["core_digest"]
    assert len(list((tmp_path / "out").glob("attestation_*.json"))) == 2
    assert [r["tracking"].startswith("MLflow run ") for r in (first, second)] == [True, True]


def test_any_fsspec_url_stores(small: SmallTask, tmp_path: Path) -> None:
    url = f"memory://hokusai-{tmp_path.name}"
    result = run_job(small, tmp_path, storage_url=url)
    assert result.success
    fs = fsspec.filesystem("memory")
    root = f"/hokusai-{tmp_path.name}/runs/{result.run_id}"
    assert fs.exists(f"{root}/benchmark_metrics/record.json")
    assert any(p.endswith(".skops") for p in fs.find(f"{root}/new_model"))
    alone = run_job(small, tmp_path, "delta_report", storage_url=url)
    assert alone.success
    folders = run_job(small, tmp_path, storage_url=(tmp_path / "by_url").as_uri())
    assert folders.success
    assert (tmp_path / "by_url" / "runs" / folders.run_id / "new_model" / "record.json").exists()
    local = run_job(small, tmp_path)
    assert (
        local.output_for_node("attestation").core_digest
        == result.output_for_node("attestation").core_digest
    )


def _dataset(folder: Path) -> Dataset:
    folder.mkdir(parents=True)
    (folder / "part-0.parquet").write_bytes(b"rows")
    return Dataset(
        folder=str(folder),
        content_root="00",
        row_count=1,
        columns=(ColumnSchema(name="a", type="text"),),
    )


def test_what_cannot_be_uploaded_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder is due")
    dataset = _dataset(tmp_path / "scratch" / "r" / "a")
    with pytest.raises(StorageError, match="cannot be stored"):
        publish(dataset, b"{}", (tmp_path / "taken" / "a").as_uri())
    assert not (tmp_path / "scratch").exists()


def test_inputs_treated_under_another_key_are_refused(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashes under one key never equal masks, so a leaked row would pass for a new one."""
    first = run_job(small, tmp_path)
    monkeypatch.setenv("HOKUSAI_PII_KEY", "another key")
    alone = run_job(small, tmp_path, "contributed_data")
    message = failure_message(alone)
    assert first.run_id in message
    assert alone.run_id in message
    assert "another key" in message
    assert run_job(small, tmp_path, job="checks").success  # looks only at what is stored


def test_stored_rows_that_were_exchanged_are_found_by_the_checks(
    small: SmallTask, tmp_path: Path
) -> None:
    run = run_job(small, tmp_path)
    runs = storage(tmp_path) / "runs" / run.run_id
    shutil.copy(runs / "base_dataset" / "part-0.parquet", runs / "contributed_data")
    checked = run_job(small, tmp_path, job="checks")
    assert not checked.success
    failed = {e.check_name for e in checked.get_asset_check_evaluations() if not e.passed}
    assert failed == {"contributed_data_conforms"}


@pytest.mark.parametrize("place", ["local", "memory"])
def test_publishing_twice_keeps_the_first(tmp_path: Path, place: str) -> None:
    target = (
        str(tmp_path / "runs" / "r" / "a")
        if place == "local"
        else f"memory://twice-{tmp_path.name}/a"
    )
    publish(_dataset(tmp_path / "s1" / "x" / "a"), b'{"n": 1}', target)
    with pytest.raises(AlreadyWrittenError, match="never overwritten"):
        publish(_dataset(tmp_path / "s2" / "x" / "a"), b'{"n": 2}', target)
    assert read_envelope(target) == {"n": 1}


def test_records_without_files_are_published_whole(tmp_path: Path) -> None:
    share = ContributorShare(contributor_id="a", contributed_samples=1, total_samples=2)
    publish(share, b"{}", str(tmp_path / "r" / "share"))
    assert [p.name for p in (tmp_path / "r").iterdir()] == ["share"]


def test_identity_is_of_the_content_not_of_the_place(tmp_path: Path) -> None:
    dataset = _dataset(tmp_path / "a")
    assert identity(dataset) == identity(dataset.moved("elsewhere"))
    assert identity(dataset) != identity(dataset.model_copy(update={"row_count": 2}))
