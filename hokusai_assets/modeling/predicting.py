"""Predictions of a stored model on benchmark rows, as integers.

Scores are rounded to millionths here, predicted numbers to millionths of the target's scale, before
anything depends on them: their last bits differ between processors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hokusai_assets.errors import ModelError
from hokusai_assets.modeling.frames import feature_frame
from hokusai_assets.modeling.storage import load_models
from hokusai_assets.records import Dataset, TrainedModel
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.target_scale import scaled
from hokusai_assets.tables import read_table
from hokusai_assets.task import Task


def predict(task: Task, model: TrainedModel, benchmark: Dataset) -> Predictions:
    """Labels by predict(), and scores in millionths, of every model of `model`.

    Of a regression labels are the numbers predicted, clipped to the target's range, in millionths
    of its scale, and there are no scores; ModelError for what is no finite number.

    Rows in the benchmark's stored order; columns of scores in the order of the task's labels (0
    where a model does not know the class), with two classes the positive one's alone. None for a
    model without predict_proba. Raises ModelError for a score that is no probability and for a
    predicted class that the task does not have.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    table = read_table(benchmark.folder, [column.name for column in task.features])
    frame = feature_frame(task, table)
    labels, scores = [], []
    for estimator in load_models(task, model):
        # A stored baseline may have met the columns in another order.
        names = getattr(estimator, "feature_names_in_", None)
        ordered = frame if names is None else frame[list(names)]
        with threadpool_limits(limits=1):
            predicted = estimator.predict(ordered)
            if task.kind == "regression":
                labels.append(_numbers(task, model, predicted, len(frame)))
            else:
                labels.append(_class_indices(task, model, predicted))
            if model.has_scores:
                scores.append(_scores(task, model, estimator, ordered))
    return Predictions(np.stack(labels), np.stack(scores) if scores else None)


def _numbers(task: Task, model: TrainedModel, predicted: Any, rows: int) -> Any:
    found = np.asarray(predicted)
    if found.shape != (rows,) or found.dtype.kind not in "fiu":
        raise ModelError(
            f"The {model.role} predicts {found.dtype} of shape {found.shape}, where one number a "
            "row is due: its estimator must be a regressor of one target."
        )
    if bad := int((~np.isfinite(found)).sum()):
        raise ModelError(
            f"The {model.role} predicts numbers that are not finite, on {bad:,} rows: its training "
            "diverged, or its features hold numbers that are too large."
        )
    return scaled(task.target_scale, found)


def _class_indices(task: Task, model: TrainedModel, predicted: Any) -> Any:
    index = {label: position for position, label in enumerate(task.data.labels)}
    found = [index.get(label, -1) for label in np.asarray(predicted).tolist()]
    indices = np.array(found, dtype=np.int64)
    if wrong := int((indices < 0).sum()):
        raise ModelError(
            f"The {model.role} predicts classes that the task does not have, on {wrong:,} rows: "
            "check data.labels in the task file."
        )
    return indices


def _scores(task: Task, model: TrainedModel, estimator: Any, frame: Any) -> Any:
    raw = np.asarray(estimator.predict_proba(frame), dtype=np.float64)
    if raw.shape != (len(frame), len(estimator.classes_)):
        raise ModelError(f"The {model.role}'s predict_proba does not give one column a class.")
    if bad := int((~np.isfinite(raw)).any(axis=1).sum()):
        raise ModelError(
            f"The {model.role} gives scores that are not finite, on {bad:,} rows: its training "
            "diverged, or its features hold numbers that are too large."
        )
    rounded = np.rint(raw * 1e6).astype(np.int64)  # rint rounds half to even
    if bad := int(((rounded < 0) | (rounded > 10**6)).any(axis=1).sum()):
        raise ModelError(f"The {model.role} gives scores outside 0 to 1, on {bad:,} rows.")
    ordered = np.zeros((len(frame), len(task.data.labels)), dtype=np.int64)
    known = estimator.classes_.tolist()
    for position, label in enumerate(task.data.labels):
        if label in known:
            ordered[:, position] = rounded[:, known.index(label)]
    return ordered[:, 1:] if len(task.data.labels) == 2 else ordered
