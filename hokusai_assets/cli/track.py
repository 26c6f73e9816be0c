"""`hokusai track`: log to MLflow what could not be logged when it happened."""

import sys
from typing import Annotated

import typer

from hokusai_assets.errors import AlreadyWrittenError, TrackingError

HELP = """Log to MLflow what could not be logged when it happened.

Evaluations whose tracking server was away are logged once each, with the times at which they really ran. What was kept stays as it is.

Examples:

  hokusai track

  MLFLOW_TRACKING_URI=http://localhost:5000 hokusai track

Exit codes: 0 logged, or nothing to log; 1 the server is still away, or what was kept is damaged.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


def track(
    storage: Annotated[
        str, typer.Option(help="Where assets are stored; default: storage in HOKUSAI_HOME.")
    ] = "",
) -> None:
    """Replay every kept run that has not been logged yet."""
    import fsspec
    from pydantic import ValidationError

    from hokusai_assets.files import join, write_once
    from hokusai_assets.reporting.tracking import TrackedRun, Tracker
    from hokusai_assets.settings import Settings

    settings = Settings.from_environment()
    folder = join(storage or str(settings.home / "storage"), "tracking")
    fs, root = fsspec.core.url_to_fs(folder)
    names = {p.rsplit("/", 1)[-1] for p in fs.ls(root, detail=False)} if fs.exists(root) else set()
    waiting = sorted(
        name
        for name in names
        if name.endswith(".json")
        and not name.endswith((".done.json", ".failed.json"))
        and f"{name.removesuffix('.json')}.done.json" not in names
    )
    if not waiting:
        sys.stdout.write("Nothing waits to be tracked.\n")
        return
    tracker = Tracker(settings)
    damaged = False
    for name in waiting:
        try:
            run = TrackedRun.model_validate_json(fs.cat_file(f"{root}/{name}"))
        except ValidationError:
            sys.stderr.write(f"hokusai: {folder}/{name} is damaged and was left as it is.\n")
            damaged = True
            continue
        try:
            mlflow_run_id = tracker.replay(run)
        except TrackingError as error:
            sys.stderr.write(f"hokusai: {error} Nothing was lost: run this command again later.\n")
            raise typer.Exit(1) from None
        try:
            done = f'{{"mlflow_run_id": "{mlflow_run_id}"}}'.encode()
            write_once(folder, f"{run.run_id}.done.json", done)
        except AlreadyWrittenError:
            continue  # another replay was faster; MLflow's run is found by its tag, not made twice
        sys.stdout.write(f"Run {run.run_id} is MLflow run {mlflow_run_id}.\n")
    if damaged:
        raise typer.Exit(1)
