"""`hokusai track`: what waits is logged once, nothing is lost, and nothing is logged twice."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hokusai_assets.cli.app import app
from hokusai_assets.reporting.tracking import RUN_ID_TAG, TrackedRun


def build(run_id: str, **changes: Any) -> TrackedRun:
    fields: dict[str, Any] = {
        "run_id": run_id,
        "started_ms": 1_700_000_000_000,
        "ended_ms": 1_700_000_060_000,
        "status": "FINISHED",
        "params": {"task_id": "small"},
        "metrics": {"rows_read": 300.0},
        "tags": {"verdict": "accepted"},
        "documents": {},
        "folders": {},
        "files": (),
        **changes,
    }
    return TrackedRun(**fields)


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """The folder in which runs wait."""
    folder = tmp_path / "home" / "storage" / "tracking"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite store of this test's own, with artifacts beside it."""
    uri = f"sqlite:///{tmp_path / 'mine.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ARTIFACT_ROOT", (tmp_path / "artifacts").as_uri())
    return uri


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server at a port where nobody listens, given with a password."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secretword@127.0.0.1:{port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def keep(folder: Path, run: TrackedRun) -> Path:
    path = folder / f"{run.run_id}.json"
    path.write_text(run.model_dump_json())
    return path


def track(*words: str) -> Result:
    return CliRunner().invoke(app, ["track", *words])


def logged(uri: str) -> dict[str, Any]:
    """MLflow's runs by the evaluation that each is of."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiments = [e.experiment_id for e in client.search_experiments()]
    runs = client.search_runs(experiments)
    found = {run.data.tags[RUN_ID_TAG]: run for run in runs}
    assert len(found) == len(runs)
    return found


def assert_nothing_waits(result: Result) -> None:
    assert result.exit_code == 0, result.output
    assert result.stdout == "Nothing waits to be tracked.\n"
    assert result.stderr == ""


def test_nothing_waits_where_nothing_was_ever_stored(tmp_path: Path) -> None:
    assert_nothing_waits(track())
    assert not (tmp_path / "home" / "storage").exists()
    assert not (tmp_path / "home" / "mlflow").exists()


@pytest.mark.usefixtures("away")
def test_what_is_done_or_failed_or_no_run_does_not_wait(waiting: Path) -> None:
    keep(waiting, build("r1"))
    for name in ("r1.done.json", "r2.failed.json", "r3.done.json", "notes.txt"):
        (waiting / name).write_text("{}")
    assert_nothing_waits(track())


def test_an_empty_storage_url_has_nothing_waiting() -> None:
    assert_nothing_waits(track("--storage", "memory://no-such-storage"))


@pytest.mark.slow
def test_a_waiting_run_is_logged_as_it_was(tmp_path: Path, waiting: Path, store: str) -> None:
    attestation = tmp_path / "attestation.json"
    attestation.write_text('{"core": 1}')
    kept = keep(
        waiting,
        build(
            "r1",
            documents={"contribution/manifest_0.json": {"rows": 3}},
            files=(str(attestation),),
        ),
    )
    before = kept.read_bytes()
    result = track()
    assert result.exit_code == 0, result.output
    run = logged(store)["r1"]
    assert result.stdout == f"Run r1 is MLflow run {run.info.run_id}.\n"
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_060_000)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"task_id": "small"}
    assert run.data.metrics["rows_read"] == 300
    assert run.data.tags["verdict"] == "accepted"
    artifacts = {p.name: p for p in (tmp_path / "artifacts").rglob("*.json")}
    assert json.loads(artifacts["attestation.json"].read_text()) == {"core": 1}
    assert json.loads(artifacts["manifest_0.json"].read_text()) == {"rows": 3}
    assert kept.read_bytes() == before
    done = json.loads((waiting / "r1.done.json").read_text())
    assert done == {"mlflow_run_id": run.info.run_id}


@pytest.mark.slow
def test_a_run_is_replayed_once_and_its_mark_may_be_lost(waiting: Path, store: str) -> None:
    keep(waiting, build("r1"))
    first = track()
    assert_nothing_waits(track())
    (waiting / "r1.done.json").unlink()
    again = track()
    assert again.exit_code == 0, again.output
    assert again.stdout == first.stdout  # found by its tag, not made twice
    assert logged(store).keys() == {"r1"}


@pytest.mark.slow
def test_several_runs_are_logged_in_order_and_those_done_are_left_out(
    waiting: Path, store: str
) -> None:
    for name in ("r3", "r6", "r1", "r5", "r2", "r4"):
        keep(waiting, build(name, status="FAILED" if name == "r3" else "FINISHED"))
    (waiting / "r2.done.json").write_text("{}")
    result = track()
    assert [line.split()[1] for line in result.stdout.splitlines()] == [
        "r1",
        "r3",
        "r4",
        "r5",
        "r6",
    ]
    runs = logged(store)
    assert {name: run.info.status for name, run in runs.items()} == {
        "r1": "FINISHED",
        "r3": "FAILED",
        "r4": "FINISHED",
        "r5": "FINISHED",
        "r6": "FINISHED",
    }


@pytest.mark.slow
def test_another_storage_is_looked_into_when_it_is_named(
    tmp_path: Path, waiting: Path, store: str
) -> None:
    other = tmp_path / "other" / "tracking"
    other.mkdir(parents=True)
    keep(waiting, build("here"))
    keep(other, build("there"))
    assert track("--storage", str(tmp_path / "other")).exit_code == 0
    assert logged(store).keys() == {"there"}
    assert (other / "there.done.json").exists()
    assert not (waiting / "here.done.json").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_a_faster_replay_leaves_its_own_mark(
    waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hokusai_assets.reporting.tracking import Tracker

    keep(waiting, build("r1"))
    mark = waiting / "r1.done.json"
    replay = Tracker.replay

    def slower(self: Tracker, run: TrackedRun) -> str:
        mark.write_text('{"mlflow_run_id": "faster"}')
        return replay(self, run)

    monkeypatch.setattr(Tracker, "replay", slower)
    result = track()
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert json.loads(mark.read_text()) == {"mlflow_run_id": "faster"}


@pytest.mark.slow
@pytest.mark.usefixtures("away")
def test_while_the_server_is_away_the_run_waits_and_no_password_is_said(waiting: Path) -> None:
    keep(waiting, build("r1"))
    result = track()
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("hokusai: MLflow at http://127.0.0.1:")
    assert "Nothing was lost" in result.stderr
    assert "secretword" not in result.output
    assert [path.name for path in waiting.iterdir()] == ["r1.json"]


@pytest.mark.slow
def test_a_damaged_one_keeps_no_other_from_being_logged(waiting: Path, store: str) -> None:
    (waiting / "aaa.json").write_text('{"run_id": "aaa"')
    keep(waiting, build("bbb"))
    result = track()
    assert result.exit_code == 1
    assert "aaa.json is damaged" in result.stderr
    assert set(logged(store)) == {"bbb"}
    assert (waiting / "aaa.json").read_text() == '{"run_id": "aaa"'


@pytest.mark.slow
def test_a_result_that_is_gone_is_no_fault_of_the_server(
    waiting: Path, store: str, tmp_path: Path
) -> None:
    keep(waiting, build("ccc", files=(str(tmp_path / "delta_output_ccc.json"),)))
    result = track()
    assert result.exit_code == 1
    assert "is gone" in result.stderr
    assert "check MLFLOW_TRACKING_URI" not in result.stderr
