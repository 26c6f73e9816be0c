"""Training: the same estimator, rows and seed give the same model.

One thread, rows in their stored order, features only. Which estimator it is, estimators.py says;
when a baseline is loaded instead, baselines.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from hokusai_assets.errors import ModelError
from hokusai_assets.modeling.estimators import build, configuration
from hokusai_assets.modeling.frames import feature_frame, targets
from hokusai_assets.modeling.storage import save_model
from hokusai_assets.records import Dataset, ModelFile, TrainedModel
from hokusai_assets.tables import read_table
from hokusai_assets.task import Task


def train(
    task: Task,
    dataset: Dataset,
    seeds: Sequence[int],
    role: Literal["baseline", "candidate"],
    folder: str | Path,
) -> TrainedModel:
    """Train once a seed on `dataset` and store each model in a local `folder`.

    Raises ModelError where there is nothing to learn from (no row, one label) or the estimator
    refuses its parameters or the data.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    columns = [column.name for column in task.features]
    table = read_table(dataset.folder, [*columns, task.target.name])
    labels = targets(task, table)
    present = len(set(labels.tolist()))
    if present < 2:
        one = "class" if task.kind == "classification" else "number"
        what = "no row" if not present else f"rows of one {one} only"
        raise ModelError(
            f"The {role} cannot be trained: its training data hold {what}. Check data.base and "
            "merge.strategy in the task file."
        )
    frame = feature_frame(task, table)
    files: list[ModelFile] = []
    with threadpool_limits(limits=1):
        for index, seed in enumerate(seeds):
            estimator = build(task, seed)
            _fit(task, estimator, frame, labels, role)
            files.append(save_model(estimator, folder, f"model-{index}.skops", seed))
    body, digest = configuration(task)
    return TrainedModel(
        folder=str(folder),
        role=role,
        origin="trained",
        model_id=task.model_id,
        model_type=model_type(estimator),
        configuration=body,
        configuration_digest=digest,
        training_root=dataset.content_root,
        training_rows=dataset.row_count,
        features=tuple(columns),
        labels=task.data.labels,
        has_scores=task.kind == "classification" and hasattr(estimator, "predict_proba"),
        files=tuple(files),
    )


def model_type(estimator: Any) -> str:
    """The class name of the estimator at the end of a pipeline."""
    steps = getattr(estimator, "steps", None)
    return type(steps[-1][1] if steps else estimator).__name__


def _fit(task: Task, estimator: Any, frame: Any, labels: Any, role: str) -> None:
    try:
        estimator.fit(frame, labels)
    except ValueError as error:
        # scikit-learn's own messages name parameters and shapes; a stranger's estimator may quote
        # a cell, so of its message only the kind of error is shown.
        own = ":" in task.model.estimator
        detail = type(error).__name__ if own else str(error)
        raise ModelError(
            f"The {role} cannot be trained: {detail}. Check [model] in the task file."
        ) from None
