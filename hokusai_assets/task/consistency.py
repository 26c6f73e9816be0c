"""What a task file may not say: contradictions between keys that are each fine alone."""

import difflib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hokusai_assets.task.kinds import TaskKind
from hokusai_assets.task.metrics import METRIC_NAMES, is_own, metrics_of, primary_problem

if TYPE_CHECKING:
    from hokusai_assets.task.sections import Column, Task


def contradictions(task: "Task") -> Iterator[str]:
    """Everything about `task` that contradicts itself, one sentence each."""
    names = [c.name for c in task.columns]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"column {name!r} is defined more than once"
    for name in names:
        if name.startswith("_"):
            yield f"column {name!r}: names that start with an underscore are this program's own"
    for role, least, most in (
        ("id", 0, 1),
        ("target", 1, 1),
        ("group", 0, 1),
        ("feature", 1, None),
    ):
        count = sum(c.role == role for c in task.columns)
        if count < least or (most is not None and count > most):
            wanted = f"exactly {least}" if least == most else f"at {'most' if most else 'least'} 1"
            yield f"{count} columns have the role {role}; there must be {wanted}"
    for column in task.columns:
        if (column.minimum is not None or column.maximum is not None) and column.type not in {
            "integer",
            "number",
        }:
            yield f"column {column.name!r} has bounds but is of type {column.type}"
        if column.allowed is not None and column.type not in {"text", "category"}:
            yield f"column {column.name!r} lists allowed texts but is of type {column.type}"
        if column.pattern is not None and column.type not in {"text", "category"}:
            yield f"column {column.name!r} has a pattern but is of type {column.type}"
        if column.unique and column.role != "id":
            yield f"column {column.name!r} is to be unique but is no id"
        if column.role == "target" and column.nullable:
            yield f"column {column.name!r} is the target and cannot be nullable"
        if column.role == "target" and column.type in {"boolean", "timestamp"}:
            yield (
                f"column {column.name!r} is the target: it must be category, text or integer, or a "
                "number to predict"
            )
    yield from _of_target(task)
    targets = [column for column in task.columns if column.role == "target"]
    if len(targets) != 1:
        return  # what else is wrong depends on the kind of the task, which is not known
    labels = task.data.labels
    included = task.metrics.included
    if len(set(included)) != len(included):
        yield "metrics.included names a metric twice"
    if task.metrics.primary not in included:
        yield f"metrics.primary {task.metrics.primary!r} is not in metrics.included"
    of_kind = [name for name in included if is_own(name) or name in metrics_of(task.kind)]
    for name in included:
        if name not in of_kind:
            yield _wrong_kind(f"metrics.included names {name!r}", task.kind)
    classes = 0 if task.kind == "regression" else len(labels)
    if task.metrics.primary in of_kind and (task.kind == "regression" or classes):
        problem = primary_problem(task.metrics.primary, classes)
        if problem:
            yield problem
    for name in task.metrics.lower_is_better:
        if not is_own(name) or name not in included:
            yield (
                f"metrics.lower_is_better names {name!r}, which is none of your own metrics in "
                "metrics.included"
            )
    weights = task.metrics.weights
    if weights is not None:
        if set(weights) != set(included):
            yield "metrics.weights must name exactly the metrics in metrics.included"
        if any(not w >= 0 for w in weights.values()) or not 0 < sum(weights.values()) < 1e9:
            yield "metrics.weights must not be negative, and one must be above 0"
    if task.merge.strategy == "update":
        keys = {c.name for c in task.columns if c.role == "id"}
        if task.merge.key not in keys:
            yield "merge.key must name the id column when merge.strategy is update"
    usual = type(task.guards).model_fields["expected_discordance"].default
    if task.kind == "regression" and task.guards.expected_discordance != usual:
        yield (
            "guards.expected_discordance is about rows that are right or wrong, and a regression "
            "has none: leave it out"
        )
    yield from _of_slices(task)
    parts = [f"recall:{label}" for label in labels] + [f"slice:{p.name}" for p in task.slices]
    known = [*parts, *metrics_of(task.kind)]
    for guard, margin in task.guards.margins.items():
        if guard in METRIC_NAMES and guard not in known:
            yield _wrong_kind(f"guards.margins names {guard!r}", task.kind)
        elif guard not in known:
            near = difflib.get_close_matches(guard, known, 1)
            yield f"guards.margins names {guard!r}" + (
                f"; did you mean {near[0]!r}?"
                if near
                else f"; it may name {', '.join(['a metric', *sorted(parts)])}"
            )
        if not 0 < margin <= 100:
            yield f"guards.margins.{guard} must be above 0 and at most 100 points"


def _of_target(task: "Task") -> Iterator[str]:
    """What kind, labels and range of the target have against one another."""
    labels = task.data.labels
    for column in task.columns:
        if column.role != "target":
            continue
        if column.type == "number" and labels:
            yield (
                f"data.labels are given, but column {column.name!r} is a number to predict: leave "
                "them out, or make it category, text or integer"
            )
        elif column.type == "number" or (column.type == "integer" and not labels):
            yield from _of_range(column)
        else:
            if len(labels) < 2:
                yield (
                    f"data.labels must list the labels of column {column.name!r}, at least 2 (only "
                    "a target that is a number has none)"
                )
            wanted_type = int if column.type == "integer" else str
            if not all(type(label) is wanted_type for label in labels):
                yield f"data.labels must all be of the target's type, {column.type}"
    if len(set(map(str, labels))) != len(labels):
        yield "data.labels holds a label twice"


def _of_range(column: "Column") -> Iterator[str]:
    low, high = column.minimum, column.maximum
    if low is None or high is None:
        missing = " and ".join(
            name for name, end in (("minimum", low), ("maximum", high)) if end is None
        )
        yield (
            f"column {column.name!r} is a number to predict and needs {missing}: errors are "
            "measured in shares of its range (or list data.labels, if it is a class)"
        )
    elif not (math.isfinite(low) and math.isfinite(high) and 0 < high - low < math.inf):
        yield (
            f"column {column.name!r} is a number to predict: its minimum must lie below its "
            "maximum, and both be finite"
        )


def _wrong_kind(said: str, kind: TaskKind) -> str:
    names = ", ".join(metrics_of(kind))
    other = "a target with labels" if kind == "regression" else "a target that is a number"
    return f"{said}, a metric of {other}; this task is a {kind}: {names}"


def _of_slices(task: "Task") -> Iterator[str]:
    columns = {c.name: c for c in task.kept_columns}
    names = [part.name for part in task.slices]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"slice {name!r} is defined more than once"
    for part in task.slices:
        column = columns.get(part.column)
        bounds = part.minimum is not None or part.below is not None
        if column is None:
            yield f"slice {part.name!r} is of column {part.column!r}, which the task does not keep"
        elif bounds and column.type not in {"integer", "number"}:
            yield f"slice {part.name!r} has bounds but column {part.column!r} is {column.type}"
        if bounds == (part.values is not None):
            yield f"slice {part.name!r} needs values, or minimum and below, and not both"
        if part.minimum is not None and part.below is not None and part.minimum >= part.below:
            yield f"slice {part.name!r} has no numbers between its bounds"
