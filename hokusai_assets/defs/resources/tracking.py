"""The `tracking` resource: one MLflow run per evaluation, or a kept file when MLflow is away.

The attestation asset begins and fills the MLflow run; this resource closes it when the run ends,
because only then are all durations known and only then is it known whether a check failed.
"""

import time
from typing import Any, Literal

import dagster as dg
from pydantic import Field, PrivateAttr

from hokusai_assets.defs.resources.inputs import CHECKS_JOB, InputsResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.errors import AlreadyWrittenError, TrackingError
from hokusai_assets.files import join, write_once
from hokusai_assets.reporting.tracked_run import failed_run
from hokusai_assets.reporting.tracking import TrackedRun, Tracker
from hokusai_assets.settings import Settings

REMEDY = "hokusai track"


class TrackingResource(dg.ConfigurableResource["TrackingResource"]):
    """Where evaluations are tracked."""

    backend: Literal["mlflow", "none"] = Field(
        "mlflow", description="none: nothing is tracked. Dry runs need MLFLOW_TRACKING_URI set."
    )
    inputs: dg.ResourceDependency[InputsResource]
    outputs: dg.ResourceDependency[OutputsResource]

    _tracker: Tracker | None = PrivateAttr(default=None)
    _mlflow_run_id: str | None = PrivateAttr(default=None)
    _problem: str = PrivateAttr(default="")
    _kept: TrackedRun | None = PrivateAttr(default=None)
    _started_ms: int = PrivateAttr(default=0)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Note the time; MLflow itself is not touched before there is something to log."""
        self._started_ms = int(time.time() * 1000)

    @property
    def enabled(self) -> bool:
        """Whether this run is tracked at all."""
        if self.backend == "none":
            return False
        return bool(Settings.from_environment().tracking_uri) or not self.inputs.run.dry_run

    @property
    def started_ms(self) -> int:
        """When this run's resources were set up, in milliseconds since 1970."""
        return self._started_ms

    def begin(self, run_id: str) -> str | None:
        """Start the MLflow run; returns its id, or None where there is none to be had."""
        if not self.enabled:
            return None
        try:
            self._tracker = Tracker(Settings.from_environment())
            self._mlflow_run_id = self._tracker.begin(
                run_id, self._started_ms, {"dry_run": str(self.inputs.run.dry_run).lower()}
            )
        except TrackingError as error:
            self._problem = str(error)
        return self._mlflow_run_id

    def log(self, run: TrackedRun) -> str:
        """Log a finished evaluation; returns one sentence that says how that went."""
        if not self.enabled:
            return (
                "not tracked (a dry run, and MLFLOW_TRACKING_URI is not set)"
                if (self.backend == "mlflow")
                else "not tracked (tracking is off)"
            )
        if self._tracker is not None and self._mlflow_run_id is not None:
            try:
                self._tracker.log(self._mlflow_run_id, run)
                return f"MLflow run {self._mlflow_run_id}"
            except TrackingError as error:
                self._problem = str(error)
        self._kept = run
        return f"MISSING: {self._problem} Replay it later with: {REMEDY}"

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the MLflow run with durations, as FAILED if any step of the run failed."""
        run = context.run
        if run is None or context.instance is None or run.job_name == CHECKS_JOB:
            if self._kept is not None:
                self._keep(self._kept)
            return
        failure = _failure(context.instance, run.run_id)
        ended_ms = int(time.time() * 1000)
        if self._kept is not None:
            self._keep(
                self._kept.model_copy(
                    update={
                        "ended_ms": ended_ms,
                        "seconds": _durations(context.instance, run.run_id),
                        "status": "FINISHED" if failure is None else "FAILED",
                    }
                )
            )
        elif self._tracker is not None and self._mlflow_run_id is not None:
            try:
                self._tracker.finish(
                    self._mlflow_run_id,
                    "FINISHED" if failure is None else "FAILED",
                    ended_ms,
                    _durations(context.instance, run.run_id),
                )
            except TrackingError as error:
                dg.get_dagster_logger().warning(str(error))
        elif failure is not None and self.enabled:
            self._report_failure(run.run_id, failure, ended_ms)

    def _report_failure(self, run_id: str, sentence: str, ended_ms: int) -> None:
        failed = failed_run(
            self.inputs.run.task,
            run_id=run_id,
            started_ms=self._started_ms,
            ended_ms=ended_ms,
            dry_run=self.inputs.run.dry_run,
            sentence=sentence,
        )
        if not self._keep(failed, suffix=".failed"):
            return  # another step's process, or Dagster's second look at the run, reported it
        try:
            Tracker(Settings.from_environment()).replay(failed)
        except TrackingError as error:
            dg.get_dagster_logger().warning(f"{error} Replay it later with: {REMEDY}")
            self._keep(failed)

    def _keep(self, run: TrackedRun, suffix: str = "") -> bool:
        folder = join(self.outputs.storage, "tracking")
        try:
            write_once(folder, f"{run.run_id}{suffix}.json", run.model_dump_json().encode())
        except AlreadyWrittenError:
            return False
        return True


def _failure(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """The first failed check or step's message, or None; the class name of an error not ours."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        event = entry.dagster_event
        check = event.asset_check_evaluation_data if event else None
        if check is not None and not check.passed and check.blocking:
            return f"{check.check_name}: {check.description}"
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = entry.dagster_event
        data: Any = event.event_specific_data if event else None
        step = event.step_key if event else None
        chosen = data.user_failure_data.description if data and data.user_failure_data else None
        kind = data.error.cls_name if data and data.error else "error"
        return f"{step}: {chosen or kind}"
    return None


def _durations(instance: dg.DagsterInstance, run_id: str) -> dict[str, float]:
    return {
        stats.step_key: stats.end_time - stats.start_time
        for stats in instance.get_run_step_stats(run_id)
        if stats.end_time is not None and stats.start_time is not None
    }
