"""Estimators from the task file: a scikit-learn pipeline over a pandas frame.

What becomes of each column type, which names the task may use, and which parameters the program
sets itself so that a training is a function of data, task and seed: one thread, no early stopping.
Fitting and storing stand beside this module, not in it.

Text becomes TF-IDF, categories one column a value (an unknown value none), everything else a
number: the median where empty, then centred and scaled. The frame that feeds the pipeline is
frames.py's business.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hokusai_assets.digests import digest_json
from hokusai_assets.errors import TaskError
from hokusai_assets.task import Task, TaskKind

# Owned by the program: the seed comes from the plan, one thread makes results repeatable, and
# early stopping would hold rows back by chance.
OWN_PARAMETERS = ("random_state", "n_jobs", "early_stopping")


@dataclass(frozen=True)
class Estimator:
    """One name that a task may use, and how its pipeline is built."""

    module: str
    cls: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    # parameter -> values for which a fit does not depend on the seed; None: it always does
    seed_free_when: Mapping[str, tuple[Any, ...]] | None = None
    dense: bool = False
    scaler: str = "StandardScaler"
    kind: TaskKind = "classification"

    def load(self) -> type[Any]:
        """The scikit-learn class."""
        loaded: type[Any] = getattr(importlib.import_module(self.module), self.cls)
        return loaded


ESTIMATORS: dict[str, Estimator] = {
    "logistic_regression": Estimator(
        "sklearn.linear_model",
        "LogisticRegression",
        defaults={"max_iter": 1000},
        seed_free_when={"solver": ("lbfgs", "newton-cg", "newton-cholesky")},
    ),
    # Counts cannot be negative, so numbers are squeezed into [0, 1] instead of centred.
    "naive_bayes": Estimator(
        "sklearn.naive_bayes", "MultinomialNB", seed_free_when={}, scaler="MinMaxScaler"
    ),
    "random_forest": Estimator("sklearn.ensemble", "RandomForestClassifier", fixed={"n_jobs": 1}),
    "extra_trees": Estimator("sklearn.ensemble", "ExtraTreesClassifier", fixed={"n_jobs": 1}),
    # Past 200,000 rows its bins come from a seeded sample; their shift is far below training noise.
    "hist_gradient_boosting": Estimator(
        "sklearn.ensemble",
        "HistGradientBoostingClassifier",
        fixed={"early_stopping": False},
        seed_free_when={"max_features": (1.0,)},
        dense=True,
    ),
    "mlp": Estimator("sklearn.neural_network", "MLPClassifier", fixed={"early_stopping": False}),
    "sgd": Estimator(
        "sklearn.linear_model",
        "SGDClassifier",
        defaults={"loss": "log_loss"},
        fixed={"early_stopping": False, "n_jobs": 1},
    ),
    "linear_svm": Estimator(
        "sklearn.svm", "LinearSVC", defaults={"dual": False}, seed_free_when={"dual": (False,)}
    ),
    "ridge_regression": Estimator(
        "sklearn.linear_model",
        "Ridge",
        seed_free_when={"solver": ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs")},
        kind="regression",
    ),
    "random_forest_regressor": Estimator(
        "sklearn.ensemble", "RandomForestRegressor", fixed={"n_jobs": 1}, kind="regression"
    ),
    "hist_gradient_boosting_regressor": Estimator(
        "sklearn.ensemble",
        "HistGradientBoostingRegressor",
        fixed={"early_stopping": False},
        seed_free_when={"max_features": (1.0,)},
        dense=True,
        kind="regression",
    ),
}


def build(task: Task, seed: int) -> Any:
    """An unfitted scikit-learn pipeline (or the factory's estimator) for `task`.

    It is fitted on a pandas frame of the feature columns, by name. Raises TaskError for an unknown
    estimator or parameter, naming the nearest known one.
    """
    if _is_factory(task):
        return _from_factory(task, seed)
    known = _known(task)
    from sklearn.pipeline import Pipeline

    cls = known.load()
    accepted = set(inspect.signature(cls).parameters)
    parameters = _parameters(task, known, accepted)
    if "random_state" in accepted:
        parameters["random_state"] = seed
    return Pipeline([("features", _columns(task, known)), ("model", cls(**parameters))])


def is_seed_free(task: Task) -> bool:
    """Whether trainings with different seeds give the same model; a factory's never count so."""
    if _is_factory(task):
        return False
    known = _known(task)
    if known.seed_free_when is None:
        return False
    cls = known.load()
    parameters = _parameters(task, known, set(inspect.signature(cls).parameters))
    return all(
        parameters.get(name, inspect.signature(cls).parameters[name].default) in values
        for name, values in known.seed_free_when.items()
    )


def number_of_seeds(task: Task) -> int:
    """How often each model is trained: as the task says, else 1 if seed-free, else 5.

    The plan asks this first, so what `build` would refuse is refused here, before an attempt is
    counted.
    """
    build(task, 0)
    if task.model.seeds is not None:
        return task.model.seeds
    return 1 if is_seed_free(task) else 5


def configuration(task: Task) -> tuple[dict[str, Any], str]:
    """What is trained, as a canonical record without floats, and its digest.

    The seed and the versions of libraries are not in it; both stand in the core. Of a factory its
    name is in it, not its code.
    """
    factory = _is_factory(task)
    set_by_us = {} if factory else {**_known(task).defaults, **_known(task).fixed}
    body: dict[str, Any] = {
        "estimator": task.model.estimator,
        "parameters": _canonical({**set_by_us, **task.model.parameters}),
        "text": _canonical(task.model.text),
        "features": {column.name: column.type for column in task.features},
        "labels": list(task.data.labels),
        "preprocessing": 1,
    }
    if task.kind == "regression":
        body["target_scale"] = task.target_scale.body()  # to which predictions are clipped
    return body, digest_json(body)


def _is_factory(task: Task) -> bool:
    return ":" in task.model.estimator


def _known(task: Task) -> Estimator:
    name = task.model.estimator
    if name not in ESTIMATORS:
        raise TaskError(
            f"model.estimator {name!r} is unknown{_nearest(name, ESTIMATORS)}. Your own is "
            'named as "module:factory".'
        )
    if ESTIMATORS[name].kind != task.kind:
        fitting = ", ".join(sorted(n for n, e in ESTIMATORS.items() if e.kind == task.kind))
        raise TaskError(
            f"model.estimator {name!r} is for a {ESTIMATORS[name].kind}, and this task is a "
            f"{task.kind}: choose one of {fitting}."
        )
    return ESTIMATORS[name]


def _parameters(task: Task, known: Estimator, accepted: set[str]) -> dict[str, Any]:
    for name in task.model.parameters:
        if name in OWN_PARAMETERS:
            raise TaskError(
                f"model.parameters.{name} is set by the program, so that trainings can be "
                "repeated: remove it."
            )
        if name not in accepted:
            raise TaskError(
                f"model.parameters.{name} is no parameter of {known.cls}"
                f"{_nearest(name, accepted - set(OWN_PARAMETERS))}."
            )
    parameters = {**known.defaults, **task.model.parameters, **known.fixed}
    weights = parameters.get("class_weight")
    if isinstance(weights, dict):
        # TOML keys are text, also where labels are numbers.
        by_text = {str(label): label for label in task.data.labels}
        unknown = sorted(set(map(str, weights)) - set(by_text))
        if unknown:
            raise TaskError(f"model.parameters.class_weight names no label {unknown[0]!r}.")
        parameters["class_weight"] = {by_text[str(k)]: v for k, v in weights.items()}
    return parameters


def _columns(task: Task, known: Estimator) -> Any:
    from sklearn import preprocessing
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    accepted = set(inspect.signature(TfidfVectorizer).parameters)
    for name in task.model.text:
        if name not in accepted:
            raise TaskError(
                f"model.text.{name} is no parameter of TfidfVectorizer{_nearest(name, accepted)}."
            )
    text = dict(task.model.text)
    if isinstance(text.get("ngram_range"), list):
        text["ngram_range"] = tuple(text["ngram_range"])
    parts: list[tuple[str, Any, Any]] = []
    categories, numbers = [], []
    for column in task.features:
        if column.type == "text":
            parts.append((f"text:{column.name}", TfidfVectorizer(**text), column.name))
        elif column.type == "category":
            categories.append(column.name)
        else:
            numbers.append(column.name)
    if categories:
        encoder = preprocessing.OneHotEncoder(handle_unknown="ignore")
        parts.append(("categories", encoder, categories))
    if numbers:
        scaler = (
            preprocessing.MinMaxScaler(clip=True)
            if known.scaler == "MinMaxScaler"
            else preprocessing.StandardScaler()
        )
        fill = SimpleImputer(strategy="median", keep_empty_features=True)
        parts.append(("numbers", Pipeline([("fill", fill), ("scale", scaler)]), numbers))
    threshold = 0.0 if known.dense else 0.3
    return ColumnTransformer(parts, sparse_threshold=threshold)


def _from_factory(task: Task, seed: int) -> Any:
    module, _, name = task.model.estimator.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise TaskError(
            f"model.estimator {task.model.estimator!r}: the module {error.name} cannot be "
            "imported; install it or set PYTHONPATH."
        ) from error
    except AttributeError:
        raise TaskError(
            f"model.estimator {task.model.estimator!r}: the module has no {name!r}."
        ) from None
    estimator = factory(task, seed)
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
        raise TaskError(
            f"model.estimator {task.model.estimator!r} must return an object with fit and predict."
        )
    return estimator


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1, 0.5)
    return f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(sorted(known))})"


def _canonical(value: Any) -> Any:
    """Floats as plain decimal text: canonical JSON has none, and 4.0 means 4."""
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value
