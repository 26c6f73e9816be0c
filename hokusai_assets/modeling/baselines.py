"""The baseline: a stored model file, checked against the task, or one trained from base data.

A stored file is the operator's input and its SHA-256 stands in the core, so it is copied byte for
byte, never stored anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hokusai_assets.digests import digest_json
from hokusai_assets.errors import ModelError, ModelMismatchError
from hokusai_assets.modeling.storage import parse_model, read_archive
from hokusai_assets.modeling.training import model_type, train
from hokusai_assets.records import Dataset, ModelFile, TrainedModel
from hokusai_assets.task import Label, Task, TaskKind

STORED_NAME = "baseline.skops"


def obtain_baseline(
    task: Task,
    base: Dataset,
    seeds: Sequence[int],
    *,
    stored: str | Path | None,
    committed: str | Mapping[str, str],
    folder: str | Path,
) -> TrainedModel:
    """The baseline that the plan committed to, its files in a local `folder`.

    `committed` is "trained" or {"file_sha256": hex}; raises ModelError where `stored` is not that
    file, which would let somebody choose a baseline after the seeds are known.
    """
    if stored is None:
        model = train(task, base, seeds, "baseline", folder)
        found: str | Mapping[str, str] = "trained"
    else:
        model = load_baseline(task, stored, folder)
        found = {"file_sha256": model.files[0].sha256}
    if found != committed:
        raise ModelError(
            "The baseline is not the one that the evaluation plan committed to: materialize "
            "evaluation_plan again, which counts as another attempt."
        )
    return model


def load_baseline(task: Task, path: str | Path, folder: str | Path) -> TrainedModel:
    """Copy the model file at `path` (local or fsspec URL) into a local `folder` and describe it.

    Raises MissingFileError, ModelError or UntrustedModelError as storage.py does, and
    ModelMismatchError with everything in which its kind, classes or features differ from the
    task's. A class of the task that the model does not know is no mismatch: contributions may bring
    it.
    """
    data = read_archive(str(path))
    estimator = parse_model(data, str(path), task.model.trusted_types)
    labels, features = _described(estimator, path, task.kind)
    problems = _differences(task, labels, features)
    if problems:
        raise ModelMismatchError(
            f"The model {path} does not fit the task: {'; '.join(problems)}. Name the task's own "
            "model, or change the task file."
        )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    (target / STORED_NAME).write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    body = {"stored_sha256": sha256, "model_type": model_type(estimator)}
    return TrainedModel(
        folder=str(folder),
        role="baseline",
        origin="stored",
        model_id=task.model_id,
        model_type=model_type(estimator),
        configuration=body,
        configuration_digest=digest_json(body),
        training_root=None,
        training_rows=None,
        features=features,
        labels=labels,
        has_scores=task.kind == "classification" and hasattr(estimator, "predict_proba"),
        files=(ModelFile(name=STORED_NAME, sha256=sha256, size_bytes=len(data), seed=None),),
    )


def _described(
    estimator: Any, path: str | Path, kind: TaskKind
) -> tuple[tuple[Label, ...], tuple[str, ...]]:
    """The model's classes, none of a regressor, and the columns that it takes."""
    from sklearn.base import BaseEstimator, is_regressor

    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list) or not hasattr(estimator, "predict"):
        classes = None  # a classifier of several targets has a list of them
    regresses = isinstance(estimator, BaseEstimator) and is_regressor(estimator)
    if classes is None and not regresses:
        due = "regressor" if kind == "regression" else "classifier"
        why = "" if kind == "regression" else ": it has no array classes_"
        raise ModelError(f"The model {path} is no fitted {due} of one target{why}.")
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        raise ModelError(
            f"The model {path} does not say which columns it takes: fit it on a pandas frame, so "
            "that it has feature_names_in_."
        )
    return () if classes is None else tuple(classes.tolist()), tuple(str(name) for name in names)


def _differences(task: Task, labels: tuple[Label, ...], features: tuple[str, ...]) -> list[str]:
    problems = []
    unknown = [label for label in labels if label not in task.data.labels]
    if task.kind == "regression" and labels:
        problems.append(
            f"it is a classifier (of {_list(labels)}), and the task's target {task.target.name!r} "
            "is a number"
        )
    elif task.kind == "classification" and not labels:
        problems.append(
            f"it is a regressor, and the task's target {task.target.name!r} is one of the labels "
            f"{_list(task.data.labels)}"
        )
    elif unknown:
        problems.append(
            f"it predicts the classes {_list(unknown)}, which the task does not have (its labels: "
            f"{_list(task.data.labels)})"
        )
    wanted = {column.name for column in task.features}
    if missing := sorted(wanted - set(features)):
        problems.append(f"it was not trained on {_list(missing)}")
    if extra := sorted(set(features) - wanted):
        problems.append(f"it needs {_list(extra)}, no feature of the task")
    return problems


def _list(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
