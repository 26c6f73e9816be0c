"""Metrics of one's own, named "module:function" in the task: loading, values, and their error.

Such a function takes truth (n,) and labels (n,) as class indices and scores (n, k) as floats in
[0, 1], or None, and returns a float, or None where it is undefined. k is the number of classes, or
1 (the positive class) where there are two. Nothing is known of it but its values, so its error
comes from resampling rows, and no correlation with other metrics is known.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from hokusai_assets.errors import TaskError
from hokusai_assets.scoring import MILLION, Predictions, Spread, Undefined, Value
from hokusai_assets.scoring.rows import ScoredRows

# In millionths, with errors in 1e-9, within the integers of canonical JSON.
LARGEST = 100_000
RESAMPLES = 200
_MOST_UNDEFINED = 0.05


def source_digest(name: str) -> str:
    """The SHA-256 of the file that holds the function, as hex; raises TaskError if there is none.

    Only that file is known: what it imports is not.
    """
    try:
        file = inspect.getsourcefile(_load(name))
    except TypeError:
        file = None
    if file is None:
        raise TaskError(f"metrics.included {name!r} must be a function written in a Python file.")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def own_values(name: str, truth: Any, predictions: Predictions) -> list[Value]:
    """The metric of one model, once a seed; raises TaskError where the function does."""
    function = _load(name)
    return [
        _value(name, function, truth, *_floats(*predictions.of_seed(seed)))
        for seed in range(predictions.seeds)
    ]


def bootstrap_spread(name: str, rows: ScoredRows, seed: int) -> Spread | Undefined:
    """The standard error of candidate less baseline, from 200 resamples of rows.

    Both models are scored on the same resample; with a group column whole groups are drawn. The
    variance over training seeds is added whole, although resamples hold part of it: on the safe
    side. `seed` starts the generator.
    """
    models = (rows.baseline, rows.candidate)
    if _same(*models):
        return Spread(0.0, None)
    rng = np.random.default_rng(seed)
    groups = None if rows.clusters is None else _groups(rows.clusters)
    units = rows.truth.size if groups is None else len(groups)
    if units < 2:
        return Undefined("there are fewer than two rows or groups to resample")
    found = []
    for _ in range(RESAMPLES):
        at = rng.integers(0, units, units)
        if groups is not None:
            at = np.concatenate([groups[group] for group in at])
        before, after = (_mean_on(name, rows.truth, model, at) for model in models)
        if before is not None and after is not None:
            found.append(after - before)
    if len(found) < (1 - _MOST_UNDEFINED) * RESAMPLES:
        return Undefined(f"{name} is undefined on many resamples, so it has no standard error")
    by_rows = float(np.var(found, ddof=1))
    parts = []
    for model in models:
        if model.seeds > 1:
            values = own_values(name, rows.truth, model)
            numbers = [float(v) for v in values if isinstance(v, Fraction)]
            parts.append((float(np.var(numbers, ddof=1)) / model.seeds, model.seeds - 1))
    variance = by_rows + sum(part for part, _ in parts)
    if variance == 0:
        return Spread(0.0, None)
    # Satterthwaite (1946); the resamples know their own variance no better than RESAMPLES - 1.
    noise = by_rows**2 / min(units - 1, RESAMPLES - 1)
    noise += sum(part**2 / freedom for part, freedom in parts)
    return Spread(math.sqrt(variance), variance**2 / noise)


def _load(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise TaskError(
            f"metrics.included {name!r}: the module {error.name} cannot be imported; install it or "
            "set PYTHONPATH."
        ) from error
    except AttributeError:
        raise TaskError(f"metrics.included {name!r}: the module has no {attribute!r}.") from None
    if not callable(found):
        raise TaskError(f"metrics.included {name!r} is not a function.")
    return found  # type: ignore[no-any-return]


def _value(name: str, function: Callable[..., Any], *arguments: Any) -> Value:
    try:
        found = function(*arguments)
        number = None if found is None else float(found)
    except Exception as error:  # it is not our code: whatever it raises is the task's fault
        raise TaskError(
            f"The metric {name!r} failed ({type(error).__name__}): it must take truth, labels and "
            "scores and return a number or None."
        ) from error
    if number is None or not math.isfinite(number):
        said = "nothing" if number is None else str(number)
        return Undefined(f"the function gives {said}")
    if abs(number) > LARGEST:
        return Undefined(f"the function gives more than {LARGEST:,}: let it divide by its unit")
    return Fraction(number)


def _floats(labels: Any, scores: Any) -> tuple[Any, Any]:
    return labels, None if scores is None else scores / MILLION


def _mean_on(name: str, truth: Any, model: Predictions, at: Any) -> float | None:
    scores = None if model.scores is None else model.scores[:, at]
    values = own_values(name, truth[at], Predictions(model.labels[:, at], scores))
    numbers = [float(v) for v in values if isinstance(v, Fraction)]
    return float(np.mean(numbers)) if len(numbers) == len(values) else None


def _groups(clusters: Any) -> list[Any]:
    """The positions of each group's rows."""
    order = np.argsort(clusters, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(clusters[order])) + 1)


def _same(first: Predictions, second: Predictions) -> bool:
    if not np.array_equal(first.labels, second.labels):
        return False
    if first.scores is None or second.scores is None:
        return first.scores is second.scores
    return np.array_equal(first.scores, second.scores)
