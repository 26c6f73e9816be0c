"""Guards of a regression, as the plan commits to them: of metrics and slices, since no class is.

Where the task is silent the harm test watches mae and rmse beside the primary metric. Either alone
can be bought: a mean absolute error by rows that are left wildly wrong, a mean squared error by a
few such rows that are put right while all the others get worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hokusai_assets.errors import TaskError
from hokusai_assets.evaluation.guard_margins import SLICE, margin_millionths
from hokusai_assets.scoring.methods import GUARDED_NUMBERS, OF_NUMBER_SLICES, Methods
from hokusai_assets.task import Task
from hokusai_assets.task.metrics import REGRESSION_METRICS


def number_guards(
    task: Task, methods: Methods, slice_counts: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The entries of rule["guards"].

    Raises TaskError where the task names a margin for a slice that no benchmark row is in.
    """
    guards: list[dict[str, Any]] = []
    for metric in REGRESSION_METRICS:
        named = task.guards.margins.get(metric)
        default = metric in GUARDED_NUMBERS and metric != task.metrics.primary
        if named is None and not default:
            continue
        method = methods.of_guard(metric, of_class=False, margin=named is not None)
        guard = {"name": metric, "metric": metric, "method": method, "applies": "always"}
        guards.append(
            guard | ({} if named is None else {"margin_millionths": margin_millionths(named)})
        )
    for part in task.slices:
        name = f"{SLICE}{part.name}"
        named, rows = task.guards.margins.get(name), slice_counts.get(part.name, 0)
        if named is None:
            continue
        if not rows:
            raise TaskError(
                f"The guards of the task cannot be kept: {name} has a margin and no benchmark row. "
                "Add benchmark rows of it, or leave the margin out."
            )
        guards.append(
            {
                "name": name,
                "metric": OF_NUMBER_SLICES,
                "slice": part.name,
                "rows": rows,
                "method": methods.of_guard(OF_NUMBER_SLICES, of_class=False, margin=True),
                "applies": "always",
                "margin_millionths": margin_millionths(named),
            }
        )
    return guards
