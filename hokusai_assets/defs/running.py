"""Running a job in this process, for the command line: progress out, one outcome back."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from hokusai_assets import errors, second_process
from hokusai_assets.defs.build import build_definitions
from hokusai_assets.defs.checks import contributed_data_conforms
from hokusai_assets.defs.jobs import EVALUATE_JOB
from hokusai_assets.defs.meanwhile import MEANWHILE
from hokusai_assets.defs.resources.inputs import DRY_RUN_JOB
from hokusai_assets.files import exclusive
from hokusai_assets.records import (
    Attestation,
    BenchmarkDataset,
    ContributedDataset,
    DeltaReport,
    MergedDataset,
)
from hokusai_assets.settings import Settings

Progress = Callable[[str, str], None]  # asset, "started" | "finished" | "failed"

_STATES = {
    dg.DagsterEventType.STEP_START: "started",
    dg.DagsterEventType.STEP_SUCCESS: "finished",
    dg.DagsterEventType.STEP_FAILURE: "failed",
}


@dataclass(frozen=True)
class Evaluation:
    """What a successful run made, for whoever prints it."""

    attestation: Attestation
    report: DeltaReport
    contributed: ContributedDataset
    benchmark: BenchmarkDataset
    merged: MergedDataset


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `message` and `exit_code` say why where it failed."""

    run_id: str
    evaluation: Evaluation | None
    message: str = ""
    exit_code: int = 0


def use_home() -> None:
    """Keep Dagster's history where DAGSTER_HOME says, else in HOKUSAI_HOME; make the folder."""
    chosen = os.environ.get("DAGSTER_HOME")
    home = Path(chosen).absolute() if chosen else Settings.from_environment().home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        shutil.copy(Path(__file__).with_name("dagster.yaml"), config)
    os.environ["DAGSTER_HOME"] = str(home)


def evaluate(resources: dict[str, Any], *, dry_run: bool, progress: Progress) -> Outcome:
    """Run the evaluation (or its rehearsal) with this resource configuration."""
    with second_process.running(MEANWHILE):
        return _evaluate(resources, dry_run=dry_run, progress=progress)


def _evaluate(resources: dict[str, Any], *, dry_run: bool, progress: Progress) -> Outcome:
    use_home()
    job = build_definitions().resolve_job_def(DRY_RUN_JOB if dry_run else EVALUATE_JOB)
    run_config = {
        "resources": {name: {"config": config} for name, config in resources.items()},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with _instance() as instance:
        return run_job(job, run_config, instance, progress)


def run_job(
    job: dg.JobDefinition,
    run_config: dict[str, Any],
    instance: dg.DagsterInstance,
    progress: Progress,
) -> Outcome:
    """Run a job of the whole graph in this process."""
    run_id = str(uuid.uuid4())
    instance.add_event_listener(run_id, lambda entry: _tell(entry, progress))
    result = job.execute_in_process(
        run_config=run_config, instance=instance, run_id=run_id, raise_on_error=False
    )
    if not result.success:
        message, exit_code = failure_of(instance, run_id)
        return Outcome(run_id, None, message, exit_code)
    return Outcome(
        run_id,
        Evaluation(
            attestation=result.output_for_node("attestation"),
            report=result.output_for_node("delta_report"),
            contributed=result.output_for_node("contributed_data"),
            benchmark=result.output_for_node("benchmark_dataset"),
            merged=result.output_for_node("merged_dataset"),
        ),
    )


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's instance, opened by one process at a time: two would both make its tables."""
    with exclusive(Path(os.environ["DAGSTER_HOME"], ".opening.lock")):
        instance = dg.DagsterInstance.get()
    with instance:
        yield instance


def _tell(entry: dg.EventLogEntry, progress: Progress) -> None:
    event = entry.dagster_event
    if event is not None and event.step_key and event.event_type in _STATES:
        progress(event.step_key, _STATES[event.event_type])


def failure_of(instance: dg.DagsterInstance, run_id: str) -> tuple[str, int]:
    """What went wrong, all failed checks or else the first error, and the exit code."""
    failed = []
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        event = entry.dagster_event
        evaluation = event.asset_check_evaluation_data if event else None
        if evaluation is not None and not evaluation.passed and evaluation.blocking:
            failed.append(evaluation)
    if failed:
        refusals = {key.name for key in contributed_data_conforms.check_keys}
        return (
            " ".join(f"The check {f.check_name} failed: {f.description}" for f in failed),
            3 if failed[0].check_name in refusals else 1,
        )
    kinds = (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE)
    for kind in kinds:
        for entry in instance.all_logs(run_id, of_type=kind):
            event = entry.dagster_event
            data: Any = event.event_specific_data if event else None
            chosen = getattr(data, "user_failure_data", None)
            if chosen is not None and chosen.description:
                code = chosen.metadata.get("exit_code")
                return chosen.description, int(code.value) if code else 1
            error = getattr(data, "error", None)
            while error is not None:
                ours = getattr(errors, error.cls_name or "", None)
                if ours is not None:  # raised before any step, while the run was set up
                    return error.message.strip().partition(": ")[2], int(ours.exit_code)
                if error.cause is None:
                    return f"{(event and event.step_key) or 'the run'}: {error.message.strip()}", 1
                error = error.cause
    return f"Run {run_id} failed; Dagster's log of the run says why.", 1
