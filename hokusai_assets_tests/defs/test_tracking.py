"""Tracking: one MLflow run per evaluation, FAILED where it failed, kept where MLflow is away."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from hokusai_assets.cli.app import app
from hokusai_assets.definitions import defs
from hokusai_assets.reporting.tracking import _without_credentials
from hokusai_assets_tests.conftest import SmallTask

ASSETS = {key.path[-1] for key in defs.resolve_asset_graph().get_all_asset_keys()}


def run_job(
    small: SmallTask, tmp_path: Path, job: str = "evaluate_contribution", **inputs: Any
) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def(job).execute_in_process(
            run_config={
                "resources": {
                    "inputs": {"config": small.inputs(**inputs)},
                    "outputs": {"config": {"output_dir": str(tmp_path / "out")}},
                },
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            instance=instance,
            raise_on_error=False,
        )


def tracked(tmp_path: Path, uri: str = "") -> tuple[Any, list[Any]]:
    from mlflow import MlflowClient

    client = MlflowClient(uri or f"sqlite:///{tmp_path / 'home' / 'mlflow' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("hokusai-pipeline")
    return client, client.search_runs([experiment.experiment_id]) if experiment else []


def artifacts(client: Any, run_id: str, folder: str = "") -> set[str]:
    found = set()
    for item in client.list_artifacts(run_id, folder):
        found |= artifacts(client, run_id, item.path) if item.is_dir else {item.path}
    return found


def test_an_evaluation_is_one_finished_run(small: SmallTask, tmp_path: Path) -> None:
    result = run_job(small, tmp_path)
    assert result.success
    attestation = result.output_for_node("attestation")
    client, (run,) = tracked(tmp_path)
    assert run.info.status == "FINISHED"
    assert run.info.run_id == attestation.mlflow_run_id
    assert run.data.params["core_digest"] == attestation.core_digest
    assert (
        run.data.params["contribution_roots"]
        == (attestation.core["content_roots"]["contributions"][0]["received"])
    )
    report = result.output_for_node("delta_report")
    assert run.data.metrics["delta_accuracy"] == report.delta_of("accuracy").delta
    assert run.data.metrics["rows_read"] == 300
    seconds = {name.removeprefix("seconds_") for name in run.data.metrics if "seconds_" in name}
    assert seconds >= ASSETS
    names = artifacts(client, run.info.run_id)
    assert {p for p in names if "/" not in p} == {
        Path(attestation.attestation_path).name,
        Path(attestation.delta_output_path).name,
        Path(attestation.report_path).name,
    }
    assert "contribution/manifest_0.json" in names
    assert "contribution/rows/part-0.parquet" in names
    assert "models/baseline_metadata.json" in names
    assert sum(name.endswith(".skops") for name in names) == 2
    delta = json.loads(Path(attestation.delta_output_path).read_text())
    assert delta["baseline_model"]["mlflow_run_id"] == run.info.run_id


def test_base_and_benchmark_rows_are_never_logged(small: SmallTask, tmp_path: Path) -> None:
    run_job(small, tmp_path)
    stored = b"".join(
        p.read_bytes() for p in (tmp_path / "home" / "mlflow").rglob("*") if p.is_file()
    )
    parquet = {p.name for p in (tmp_path / "home" / "mlflow").rglob("*.parquet")}
    assert parquet == {"part-0.parquet", "rejected.parquet", "removed.parquet"}
    for path in ("base", "benchmark"):
        line = (small.folder / f"{path}.csv").read_text().splitlines()[1]
        assert line.split(",")[1].encode() not in stored


def test_a_failed_evaluation_stands_as_failed(small: SmallTask, tmp_path: Path) -> None:
    small.contribution.write_text("key,note,weight,label\n")
    assert not run_job(small, tmp_path).success
    _, (run,) = tracked(tmp_path)
    assert run.info.status == "FAILED"
    assert "contributed_data" in run.data.tags["failure"]
    assert "no data rows" in run.data.tags["failure"]


def test_a_failed_check_at_the_end_stands_as_failed(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The MLflow run exists by then and was filled: it must not stay FINISHED."""
    from hokusai_assets.defs import results

    monkeypatch.setattr(results, "result_disagreements", lambda _: ["file a was changed"])
    assert not run_job(small, tmp_path).success
    _, (run,) = tracked(tmp_path)
    assert run.info.status == "FAILED"


def test_a_failed_check_says_in_mlflow_what_failed(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hokusai_assets.contribution import checks_schema

    monkeypatch.setattr(checks_schema, "stored_violations", lambda *_: ["column 'weight': empty"])
    assert not run_job(small, tmp_path).success
    _, (run,) = tracked(tmp_path)
    assert run.info.status == "FAILED"
    assert run.data.tags["failure"].startswith(
        "contributed_data_conforms: contributed data: column 'weight': empty. Correct the file"
    )


def test_a_dry_run_does_not_import_mlflow(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from hokusai_assets.definitions import defs\n"
        "r = defs.resolve_job_def('dry_run').execute_in_process(run_config={'resources': "
        f"{{'outputs': {{'config': {{'output_dir': {str(tmp_path / 'out')!r}}}}}}}}})\n"
        "print(r.success, 'mlflow' in sys.modules, r.output_for_node('attestation').tracking)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True False not tracked")


def test_a_dry_run_is_tracked_where_a_store_is_named(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{tmp_path / 'mine.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ARTIFACT_ROOT", (tmp_path / "art").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "hokusai-pipeline")
    assert run_job(small, tmp_path, "dry_run", mode="mock").success
    _, (run,) = tracked(tmp_path, uri)
    assert run.data.tags["dry_run"] == "true"
    assert list((tmp_path / "art").rglob("attestation_*.json"))


def test_each_document_of_a_tracked_dry_run_says_so(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Artifacts are copied out of their MLflow run, away from the tag that says it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mine.db'}")
    monkeypatch.setenv("MLFLOW_ARTIFACT_ROOT", (tmp_path / "art").as_uri())
    assert run_job(small, tmp_path, "dry_run", mode="mock").success
    bodies = {path: json.loads(path.read_text()) for path in (tmp_path / "art").rglob("*.json")}
    assert sorted(re.sub(r"_[0-9a-f-]{36}", "", path.name) for path in bodies) == [
        "attestation.json",
        "baseline_metadata.json",
        "candidate_metadata.json",
        "delta_output.json",
        "manifest_0.json",
        *["record.json"] * 3,  # of both models and of the cleaned contribution
    ]
    for path, body in bodies.items():
        says = body["pipeline_metadata"] if path.name.startswith("delta_output") else body
        assert says.get("dry_run") is True, path.name


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    held: list[socket.socket] = []
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            try:
                held.append(server.accept()[0])
            except TimeoutError:
                continue

    thread = threading.Thread(target=accept)
    thread.start()
    yield server.getsockname()[1]
    stop.set()
    thread.join()
    for connection in held:
        connection.close()
    server.close()


def test_a_server_that_is_away_loses_nothing_and_is_caught_up_later(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    result = run_job(small, tmp_path)
    assert result.success
    attestation = result.output_for_node("attestation")
    assert attestation.mlflow_run_id is None
    assert attestation.tracking.startswith("MISSING: ")
    assert "hokusai track" in attestation.tracking
    assert "secret" not in attestation.tracking
    assert Path(attestation.attestation_path).exists()

    before_replay = int(time.time() * 1000)
    still_away = CliRunner().invoke(app, ["track"])
    assert still_away.exit_code == 1
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    replayed = CliRunner().invoke(app, ["track"])
    assert replayed.exit_code == 0, replayed.output
    _, (run,) = tracked(tmp_path)
    assert run.info.status == "FINISHED"
    assert run.data.params["core_digest"] == attestation.core_digest
    assert run.info.run_id in replayed.output
    assert run.info.end_time < before_replay
    assert run.data.metrics["seconds_new_model"] > 0
    again = CliRunner().invoke(app, ["track"])
    assert "Nothing waits" in again.output
    assert len(tracked(tmp_path)[1]) == 1


def test_a_server_that_never_answers_does_not_hang(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent_server: int
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent_server}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    started = time.monotonic()
    result = run_job(small, tmp_path)
    assert result.success
    assert result.output_for_node("attestation").tracking.startswith("MISSING: ")
    assert time.monotonic() - started < 60  # a hang, not a speed, is what this would catch


def test_a_failure_while_the_server_is_away_is_kept_too(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    small.contribution.write_text("")
    assert not run_job(small, tmp_path).success
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert CliRunner().invoke(app, ["track"]).exit_code == 0
    _, (run,) = tracked(tmp_path)
    assert run.info.status == "FAILED"


def test_credentials_are_not_repeated() -> None:
    assert _without_credentials("https://a:b@host/x") == "https://host/x"
    assert _without_credentials("sqlite:///x.db") == "sqlite:///x.db"


def test_a_check_that_fails_while_the_server_is_away_stands_as_failed_later(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hokusai_assets.defs import results

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(results, "result_disagreements", lambda attestation: ["changed"])
    assert not run_job(small, tmp_path).success
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert CliRunner().invoke(app, ["track"]).exit_code == 0
    _, (run,) = tracked(tmp_path)
    assert run.info.status == "FAILED"
