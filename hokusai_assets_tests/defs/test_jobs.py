"""The jobs as operators run them: `dagster job execute`, whole processes."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hokusai_assets.defs.build import build_definitions
from hokusai_assets.defs.resources.inputs import CHECKS_JOB, resolve_mode
from hokusai_assets.defs.running import evaluate, failure_of
from hokusai_assets.errors import UsageError
from hokusai_assets.settings import Settings
from hokusai_assets_tests.conftest import ROOT, SmallTask

pytestmark = pytest.mark.slow


def execute(command: Any, job: str, tmp_path: Path, config: dict[str, Any], **env: str) -> Any:
    """Run a job with a run configuration file."""
    path = tmp_path / "run.json"  # JSON is YAML
    path.write_text(json.dumps(config))
    words = ["job", "execute", "-m", "hokusai_assets.definitions", "-j", job, "-c", str(path)]
    return command("dagster", *words, env=env)


def configuration(tmp_path: Path, small: SmallTask | None = None, **more: Any) -> dict[str, Any]:
    resources: dict[str, Any] = {
        "outputs": {"config": {"output_dir": str(tmp_path / "out")}},
        "tracking": {"config": {"backend": "none"}},
    }
    if small is not None:
        resources["inputs"] = {"config": small.inputs()}
    return {"resources": resources, **more}


def attestations(tmp_path: Path) -> list[dict[str, Any]]:
    paths = sorted((tmp_path / "out").glob("attestation_*.json"), key=lambda p: p.stat().st_mtime)
    return [json.loads(path.read_text()) for path in paths]


def test_a_dry_run_needs_no_inputs_and_says_what_it_is(command: Any, tmp_path: Path) -> None:
    done = execute(command, "dry_run", tmp_path, configuration(tmp_path))
    assert done.returncode == 0, done.stderr
    (attestation,) = attestations(tmp_path)
    assert attestation["dry_run"] is True
    assert attestation["core"]["dry_run"] is True
    assert attestation["decision"]["dry_run"] is True
    (delta,) = (tmp_path / "out").glob("delta_output_*.json")
    assert json.loads(delta.read_text())["pipeline_metadata"]["dry_run"] is True
    assert "DRY RUN, counts for nothing" in done.stderr


def evaluated_here(config: dict[str, Any]) -> None:
    """One evaluation in this process, stored as a whole process would."""
    resources = {name: given["config"] for name, given in config["resources"].items()}
    outcome = evaluate(resources, dry_run=False, progress=lambda step, state: None)
    assert outcome.evaluation is not None, outcome.message


def test_processes_give_the_same_core_as_one_process(
    command: Any, small: SmallTask, tmp_path: Path
) -> None:
    config = configuration(tmp_path, small)
    evaluated_here(config)
    # Dagster is imported once, for all processes; spawned ones import it for every step.
    start = {"forkserver": {"preload_modules": ["hokusai_assets.definitions"]}}
    config["execution"] = {"config": {"multiprocess": {"max_concurrent": 2, "start_method": start}}}
    done = execute(command, "evaluate_contribution", tmp_path, config)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = attestations(tmp_path)
    assert first["run_id"] != second["run_id"]
    assert first["core_digest"] == second["core_digest"]


def test_the_job_dry_run_cannot_be_made_real(
    command: Any, small: SmallTask, tmp_path: Path
) -> None:
    done = execute(command, "dry_run", tmp_path, configuration(tmp_path, small))
    assert done.returncode == 1
    assert "mode is files but the job is dry_run" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_contribution_named_in_a_dry_run_is_really_read(
    command: Any, small: SmallTask, tmp_path: Path
) -> None:
    config = configuration(tmp_path, small)
    config["resources"]["inputs"]["config"] |= {"mode": "auto"}
    done = execute(command, "evaluate_contribution", tmp_path, config, HOKUSAI_TEST_MODE="true")
    assert done.returncode == 0, done.stderr[-2000:]
    (attestation,) = attestations(tmp_path)
    assert attestation["dry_run"] is True
    assert attestation["contributor"]["contributor_id"] == "alice"
    assert attestation["core"]["counts"][0]["read"] == 300


def checked_here(config: dict[str, Any]) -> str:
    """What the job `checks` finds wrong, without a process of its own; "" where nothing is."""
    job = build_definitions().resolve_job_def(CHECKS_JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
        return "" if result.success else failure_of(instance, result.run_id)[0]


def test_checks_of_what_is_stored(command: Any, small: SmallTask, tmp_path: Path) -> None:
    """They pass, notice a changed file, and can be asked about an older run."""
    config = configuration(tmp_path, small)
    assert "has not been materialized here" in checked_here(config)

    for _ in range(2):
        evaluated_here(config)
    older, newer = (a["run_id"] for a in attestations(tmp_path))
    intact = execute(command, "checks", tmp_path, config)
    assert intact.returncode == 0, intact.stderr[-2000:]
    assert intact.stderr.count(": passed") == 6

    output = tmp_path / "out" / f"delta_output_{newer}.json"
    output.write_text(output.read_text().replace("true", "false", 1))
    changed = execute(command, "checks", tmp_path, config)
    assert changed.returncode == 1
    assert f"file {output.name} was changed" in changed.stderr

    config["resources"]["io_manager"] = {"config": {"run_id": older}}
    assert checked_here(config) == ""

    stored = tmp_path / "home" / "storage" / "runs" / older / "contributed_data" / "part-0.parquet"
    other = stored.parents[1] / "benchmark_dataset" / "part-0.parquet"
    merged = stored.parents[1] / "merged_dataset" / "part-0.parquet"
    merged.write_bytes(other.read_bytes())
    leaking = checked_here(config)
    assert "have the features of a benchmark row" in leaking
    assert ". Materialize the whole graph again" in leaking

    config["resources"]["io_manager"]["config"]["run_id"] = "no-such-run"
    assert "no-such-run has stored no" in checked_here(config)


def test_definitions_validate_from_the_root(command: Any) -> None:
    done = command("dagster", "definitions", "validate")
    assert done.returncode == 0, done.stderr
    assert "hokusai_assets.definitions" in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("configured", "job", "test_mode", "mode"),
    [
        ("auto", "evaluate_contribution", False, "files"),
        ("auto", "evaluate_contribution", True, "mock"),
        ("auto", "dry_run", False, "mock"),
        ("mock", "evaluate_contribution", False, "mock"),
        ("mock", "dry_run", True, "mock"),
        ("files", "evaluate_contribution", False, "files"),
        ("files", "evaluate_contribution", True, None),
        ("files", "dry_run", False, None),
    ],
)
def test_the_mode_of_a_run(configured: str, job: str, test_mode: bool, mode: str | None) -> None:
    settings = Settings.from_environment({"HOKUSAI_TEST_MODE": str(test_mode)})
    if mode is None:
        with pytest.raises(UsageError, match="mode is files but"):
            resolve_mode(configured, job, settings)
    else:
        assert resolve_mode(configured, job, settings) == mode
