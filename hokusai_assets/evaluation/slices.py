"""Named parts of the benchmark, and a metric's delta on each.

Many parts are looked at, so intervals hold for all of them together (Bonferroni) and p values are
Holm's. A part on which nobody may lose is a guard's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hokusai_assets import decision_rule, scoring
from hokusai_assets.records import BenchmarkDataset, SliceDelta
from hokusai_assets.scoring import Undefined
from hokusai_assets.scoring.deltas import discordant, nearer_and_farther
from hokusai_assets.scoring.reported import reported
from hokusai_assets.scoring.rows import ScoredRows, rows_of
from hokusai_assets.scoring.uncertainty import influences, spread_of
from hokusai_assets.tables import read_table
from hokusai_assets.task import Label, MetricName, SliceSection, Task

if TYPE_CHECKING:
    import pyarrow as pa

LEVEL = 0.95


def members(table: pa.Table, part: SliceSection) -> Any:
    """Which rows of a stored benchmark belong to a slice (bool, one a row); empty cells do not."""
    import pyarrow as pa

    cells = table.column(part.column).to_pylist()
    if part.values is not None:
        wanted = set(map(str, part.values))
        if pa.types.is_floating(table.schema.field(part.column).type):
            # The task writes 1 for what a column of numbers holds as 1.0.
            wanted = {str(float(v)) for v in part.values if isinstance(v, int)}
        return np.array([cell is not None and str(cell) in wanted for cell in cells], bool)
    low = -np.inf if part.minimum is None else part.minimum
    high = np.inf if part.below is None else part.below
    return np.array([cell is not None and low <= cell < high for cell in cells], bool)


def slice_counts(task: Task, benchmark: BenchmarkDataset) -> dict[str, int]:
    """How many of the rows that are scored belong to each slice."""
    if not task.slices:
        return {}
    table = read_table(benchmark.folder, sorted({part.column for part in task.slices}))
    return {part.name: int(members(table, part).sum()) for part in task.slices}


def slice_deltas(
    metric: MetricName, rows: ScoredRows, names: Sequence[Label]
) -> tuple[SliceDelta, ...]:
    """The metric on each slice, in the task's order."""
    level = 1 - (1 - LEVEL) / max(len(rows.slices), 1)
    found = {
        name: _delta(metric, name, rows_of(rows, mask), names, level) for name, mask in rows.slices
    }
    p_values = {name: p for name, (_, p) in found.items() if p is not None}
    adjusted = decision_rule.holm(p_values)
    return tuple(
        delta.model_copy(update={"p_holm_pico": adjusted.get(name)})
        for name, (delta, _) in found.items()
    )


def _delta(
    metric: MetricName, name: str, rows: ScoredRows, names: Sequence[Label], level: float
) -> tuple[SliceDelta, int | None]:
    """The slice's record, and its own two-sided p value."""
    count = rows.row_count
    values: list[list[Fraction]] = []
    undefined = None if count else "no benchmark row belongs to it"
    for model in (rows.baseline, rows.candidate):
        if undefined is None:
            of_model = scoring.score_metric(metric, rows.truth, model, names)
            mean = scoring.seed_mean(of_model)
            if isinstance(mean, Undefined):
                undefined = mean.reason
            values.append([v for v in of_model if isinstance(v, Fraction)])
    if undefined is not None:
        return _record(metric, name, count, undefined=undefined), None
    before, after = (sum(v, Fraction(0)) / len(v) for v in values)
    parts = [
        influences(metric, rows.truth, model, len(names))
        for model in (rows.baseline, rows.candidate)
    ]
    spread = spread_of(parts[0], parts[1], values[0], values[1], rows.clusters)
    every = rows.truth >= 0
    better, worse = discordant(rows, every) if names else nearer_and_farther(rows)
    if metric == "accuracy" and rows.pairs() == 1 and rows.clusters is None:
        interval = scoring.tango_interval(count, better, worse, level)
        sides: list[float | Undefined] = [
            scoring.mcnemar_p(better, worse),
            scoring.mcnemar_p(worse, better),
        ]
    else:
        interval = scoring.spread_interval(after - before, spread, level)
        sides = [
            scoring.improvement_p(after - before, spread),
            scoring.harm_p(after - before, spread),
        ]
    smaller = [p for p in sides if not isinstance(p, Undefined)]
    p_value = scoring.pico(min(1.0, 2 * min(smaller))) if len(smaller) == len(sides) else None
    few = better + worse < scoring.FEW_DISCORDANT_ROWS
    delta = _record(metric, name, count, float(before), float(after), float(after - before))
    return delta.model_copy(update={"interval": reported(interval, few)}), p_value


def _record(
    metric: MetricName,
    name: str,
    rows: int,
    baseline: float | None = None,
    candidate: float | None = None,
    delta: float | None = None,
    undefined: str | None = None,
) -> SliceDelta:
    return SliceDelta(
        name=name,
        metric=metric,
        rows=rows,
        baseline=baseline,
        candidate=candidate,
        delta=delta,
        interval=None,
        p_holm_pico=None,
        undefined=undefined,
    )
