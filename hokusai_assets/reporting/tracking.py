"""One MLflow run per evaluation: what is logged, and MLflow's own client to log it with.

Why not dagster-mlflow's resource: docs/adr/0006. MLflow is imported when something is logged, so a
dry run without a tracking server never pays for it. Every call is bounded: a server that is down
costs seconds and never the evaluation, whose tracking is then kept as a file to be replayed.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field

from hokusai_assets.errors import TrackingError
from hokusai_assets.files import exclusive, is_url
from hokusai_assets.records import Record
from hokusai_assets.settings import Settings

RUN_ID_TAG = "hokusai.run_id"
Status = Literal["FINISHED", "FAILED"]
_T = TypeVar("_T")

# MLflow's defaults are 7 retries of 120 s each: an evaluation must not wait for that.
_BOUNDS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",  # it reports each table that it makes
}


class TrackedRun(Record):
    """Everything that is logged of one evaluation, as it is kept when the server is away."""

    run_id: str
    started_ms: int
    ended_ms: int | None = None
    status: Status
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    documents: dict[str, dict[str, Any]]  # artifact path -> JSON content
    folders: dict[str, str]  # artifact path -> local folder or URL
    files: tuple[str, ...]  # local files, logged at the top
    seconds: dict[str, float] = Field(default_factory=dict)  # of each asset


class Tracker:
    """Logs runs to one experiment of one MLflow store; raises TrackingError when it cannot."""

    def __init__(self, settings: Settings) -> None:
        self._experiment_name = settings.experiment_name
        self._artifact_root = settings.artifact_root
        self._uri = settings.tracking_uri
        self._lock: Path | None = None
        if not self._uri:
            store = settings.home / "mlflow"
            store.mkdir(parents=True, exist_ok=True)
            self._lock = store / ".lock"
            self._uri = f"sqlite:///{store / 'mlflow.db'}"
            self._artifact_root = self._artifact_root or (store / "artifacts").as_uri()

    def begin(self, run_id: str, started_ms: int, tags: dict[str, str]) -> str:
        """Start (or find) the MLflow run of an evaluation; returns its id."""

        def start(client: Any) -> str:
            experiment_id = self._experiment(client)
            quoted = run_id.replace("'", "")
            known = client.search_runs([experiment_id], f"tags.`{RUN_ID_TAG}` = '{quoted}'")
            if known:
                return str(known[0].info.run_id)
            run = client.create_run(
                experiment_id,
                start_time=started_ms,
                run_name=run_id,
                tags={**tags, RUN_ID_TAG: run_id},
            )
            return str(run.info.run_id)

        return self._call(start)

    def log(self, mlflow_run_id: str, run: TrackedRun) -> None:
        """Log parameters, metrics, tags and artifacts."""

        def send(client: Any) -> None:
            from mlflow.entities import Metric, Param, RunTag

            now = int(time.time() * 1000)
            client.log_batch(
                mlflow_run_id,
                metrics=[Metric(k, v, now, 0) for k, v in run.metrics.items()],
                params=[Param(k, v[:5000]) for k, v in run.params.items()],
                tags=[RunTag(k, v) for k, v in run.tags.items()],
            )
            for place, content in run.documents.items():
                client.log_dict(mlflow_run_id, content, place)
            for place, folder in run.folders.items():
                with _local(folder) as path:
                    client.log_artifacts(mlflow_run_id, path, place)
            for file in run.files:
                with _local(file) as path:
                    client.log_artifact(mlflow_run_id, path)

        self._call(send)

    def finish(
        self, mlflow_run_id: str, status: Status, ended_ms: int, timings: dict[str, float]
    ) -> None:
        """Log the seconds of each asset and close the run."""

        def close(client: Any) -> None:
            for asset, seconds in timings.items():
                client.log_metric(mlflow_run_id, f"seconds_{asset}", seconds)
            client.set_terminated(mlflow_run_id, status, ended_ms)

        self._call(close)

    def replay(self, run: TrackedRun) -> str:
        """Log a kept run from beginning to end; returns the MLflow run id."""
        mlflow_run_id = self.begin(run.run_id, run.started_ms, run.tags)
        self.log(mlflow_run_id, run)
        self.finish(mlflow_run_id, run.status, run.ended_ms or int(time.time() * 1000), run.seconds)
        return mlflow_run_id

    def _experiment(self, client: Any) -> str:
        from mlflow.exceptions import MlflowException

        known = client.get_experiment_by_name(self._experiment_name)
        if known is None:
            try:
                return str(
                    client.create_experiment(
                        self._experiment_name, artifact_location=self._artifact_root or None
                    )
                )
            except MlflowException:  # another run made it in the meantime
                known = client.get_experiment_by_name(self._experiment_name)
                if known is None:
                    raise
        return str(known.experiment_id)

    def _call(self, action: Callable[[Any], _T]) -> _T:
        for name, value in _BOUNDS.items():
            os.environ.setdefault(name, value)
        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        from alembic.util.exc import CommandError
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            # Two processes that meet a fresh SQLite store would both make its tables.
            with exclusive(self._lock) if self._lock else nullcontext():
                return action(MlflowClient(tracking_uri=self._uri))
        except FileNotFoundError as error:
            raise TrackingError(
                f"What is to be logged is gone: {error.filename or error}. Put it back, or remove "
                "what was kept of the run."
            ) from error
        except (MlflowException, SQLAlchemyError, CommandError, OSError) as error:
            kind = type(error).__name__
            raise TrackingError(
                f"MLflow at {_without_credentials(self._uri)} could not be used ({kind}): check "
                "MLFLOW_TRACKING_URI and the server."
            ) from error


@contextmanager
def _local(path: str) -> Iterator[str]:
    """`path` itself, or a temporary local copy of a URL."""
    if not is_url(path):
        yield path
        return
    import fsspec

    fs, root = fsspec.core.url_to_fs(path)
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, root.rstrip("/").rsplit("/", 1)[-1]))
        fs.get(root, target, recursive=fs.isdir(root))
        yield target


def _without_credentials(uri: str) -> str:
    scheme, mark, rest = uri.partition("://")
    return scheme + mark + rest.rsplit("@", 1)[-1] if mark else uri
