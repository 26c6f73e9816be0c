"""What contributed rows without text are compared with, and which of them are near.

Rows near to a benchmark row have leaked, whatever their label; rows near to a base row, to one of
an earlier contribution or to one before them are repeated, if label and group are the same. How
nearness is told stands in near_numbers.py, what becomes of near rows in near_rows.py.

Strangers stand nearer to each other the more there are, so the threshold is another one for the
benchmark than for the rest. An honest contribution must not be refused for what is near by chance:
no more than a quarter of the leaked share that the task accepts is spent on it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai_assets.contribution.kept_rows import KeptRows
from hokusai_assets.contribution.leakage import all_benchmark_rows
from hokusai_assets.contribution.near_numbers import (
    NEAR_BY_CHANCE,
    Nearness,
    near_to,
    near_to_earlier,
    nearness,
)
from hokusai_assets.contribution.number_points import Points, Space, space_of
from hokusai_assets.records import Dataset, PaidDataset
from hokusai_assets.tables import ROW_DIGEST, read_parts
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Rows times measured columns that are held in memory, of base and of a contribution: 160 MB.
_MOST_CELLS = 20_000_000
_LEAKED_BY_CHANCE = 0.25  # of the leaked share that the task accepts
_BENCHMARKS_BY_CHANCE = 0.1  # of honest benchmarks, which hold a row near to one paid for

NO_BASE = "Near rows were not looked for: distances need the base data, which are not here."
NO_TELLING = (
    "Near rows were not looked for: distances between base rows do not tell rows apart (too few "
    "rows or number columns, or values that many rows share)."
)


@dataclass(frozen=True)
class FoundRows:
    """Numbers of a contribution's near rows, where each bucket begins, and how they were found."""

    leaked: frozenset[int]
    repeated: frozenset[int]
    offsets: list[int]
    method: str
    paid: frozenset[int] = frozenset()


class NumberRows:
    """Base and benchmark rows as points, and those of the contributions so far."""

    def __init__(
        self,
        task: Task,
        base: Dataset | None,
        benchmark: Dataset | None,
        paid: Sequence[PaidDataset] = (),
    ) -> None:
        self._task = task
        self._space: Space | None = None
        self._nearness: Nearness | None = None
        self._known: list[Points] = []
        self._scored: list[Points] = []
        self._paid: list[Points] = []
        self._all_paid = True
        if base is None:
            return
        self._space, base_points = base_space(task, base)
        self._nearness = nearness(base_points)
        if self._nearness is None:
            return
        self._known.append(base_points)
        if benchmark is not None:
            self._scored.append(self._space.points(all_benchmark_rows(benchmark, task)))
        most = _MOST_CELLS // max(1, len(self._space.numeric))
        for dataset in paid:
            tables = read_parts(dataset.folder, _columns(task))
            self._paid += _points(self._space, tables, max(1, most))
            most -= dataset.row_count
            if most <= 0:
                self._all_paid = False
                break

    def find(self, kept: KeptRows, buckets: int) -> FoundRows:
        """The near ones among a contribution's kept rows; the others are known from now on."""
        if self._space is None or self._nearness is None:
            method = NO_BASE if self._space is None else NO_TELLING
            return FoundRows(frozenset(), frozenset(), [0] * (buckets + 1), method)
        columns = _columns(self._task)
        offsets = [0]
        for bucket in range(buckets):
            offsets.append(offsets[-1] + kept.read(bucket, [ROW_DIGEST]).num_rows)
        rows = offsets[-1]
        whole = rows * max(1, self._nearness.features) <= _MOST_CELLS
        scored, known = sum(map(len, self._scored)), sum(map(len, self._known))
        chance = min(NEAR_BY_CHANCE, _LEAKED_BY_CHANCE * self._task.decision.max_leaked_share)
        to_scored = self._nearness.threshold(scored, chance)
        to_known = self._nearness.threshold(known + (rows if whole else 0))
        to_paid = self._nearness.threshold(sum(map(len, self._paid)), chance)
        leaked: set[int] = set()
        already: set[int] = set()
        repeated: set[int] = set()
        parts = []
        for bucket in range(buckets):
            points = self._space.points(kept.read(bucket, columns))
            near = near_to(points, self._scored, to_scored, any_label=True)
            leaked.update((near.nonzero()[0] + offsets[bucket]).tolist())
            near = near_to(points, self._paid, to_paid, any_label=True)
            already.update((near.nonzero()[0] + offsets[bucket]).tolist())
            near = near_to(points, self._known, to_known, any_label=False)
            repeated.update((near.nonzero()[0] + offsets[bucket]).tolist())
            if whole:
                parts.append(points)
        if whole:
            # Also those that are near to a row that leaks, so that what is repeated does not
            # depend on the benchmark: by the difference a contributor would learn of it.
            own = _together(parts)
            repeated.update(near_to_earlier(own, to_known).nonzero()[0].tolist())
            dropped = repeated if self._task.duplicates.near == "drop" else set()
            self._known.append(_without(own, leaked | already | dropped))
        return FoundRows(
            frozenset(leaked),
            frozenset(repeated - leaked - already),
            offsets,
            self._method(to_scored, to_known, to_paid, whole),
            frozenset(already - leaked),
        )

    def _method(self, to_scored: float, to_known: float, to_paid: float, whole: bool) -> str:
        found = []
        if to_scored:
            found.append(f"{to_scored:.2g} from a benchmark row")
        if self._paid and to_paid:
            found.append(f"{to_paid:.2g} from a row paid for before")
        if to_known:
            others = "a base row or another contributed row" if whole else "a base row"
            found.append(f"{to_known:.2g} from {others} of the same label")
        if not found:
            return NO_TELLING
        said = (
            f"Near is a row whose numbers lie less than {' or '.join(found)} (Euclidean distance, "
            "in standard deviations of base; equal categories and empty cells)."
        )
        if self._scored and not to_scored:
            said += " Distances do not tell it from that many benchmark rows."
        if self._paid and not to_paid:
            said += " Distances do not tell it from that many rows paid for before."
        elif not self._all_paid:
            said += " Not all rows paid for before were compared: they are too many."
        if not to_known:
            said += " Distances do not tell it from that many base and contributed rows."
        elif not whole:
            said += " Its rows are too many to be compared with each other."
        return said


def count_near(task: Task, base: Dataset, scored: pa.Table) -> int:
    """How many of some benchmark rows are near to a base row, whatever their labels."""
    space, known = base_space(task, base)
    found = nearness(known)
    if found is None:
        return 0
    distance = found.threshold(len(known))
    return int(near_to(space.points(scored), [known], distance, any_label=True).sum())


def near_paid(
    task: Task, base: Dataset, benchmark: pa.Table, paid: Sequence[PaidDataset]
) -> tuple[np.ndarray, str]:
    """Which benchmark rows are near to one paid for, whatever their labels (bool), and a sentence.

    The threshold is the one at which one honest benchmark in ten holds such a row by chance. Where
    it would see no noise, it is the one for contributions: a few honest rows are then near too.
    """
    import numpy as np

    space, known = base_space(task, base)
    found = nearness(known)
    rows = sum(dataset.row_count for dataset in paid)
    chance = min(NEAR_BY_CHANCE, _LEAKED_BY_CHANCE * task.decision.max_leaked_share)
    distance = 0.0
    if found is not None:
        strict = _BENCHMARKS_BY_CHANCE / max(1, benchmark.num_rows)
        distance = found.threshold(rows, min(strict, chance)) or found.threshold(rows, chance)
    near = np.zeros(benchmark.num_rows, bool)
    if not distance:
        return near, NO_TELLING
    points = space.points(benchmark)
    for dataset in paid:
        for table in read_parts(dataset.folder, _columns(task)):
            near |= near_to(points, [space.points(table)], distance, any_label=True)
    return near, (
        f"No row lies less than {distance:.2g} from one that was paid for or stood in a retired "
        "benchmark (Euclidean distance, in standard deviations of base; equal categories and empty "
        "cells)."
    )


def base_space(task: Task, base: Dataset) -> tuple[Space, Points]:
    """Base's scale, of all its rows, and its first rows as points, as many as memory allows.

    Rows are stored in order of a hash, so the first are as good as any.
    """
    space = space_of(functools.partial(read_parts, base.folder), task)
    most = _MOST_CELLS // max(1, len(space.numeric))
    return space, _together(_points(space, read_parts(base.folder, _columns(task)), most))


def _points(space: Space, tables: Iterable[pa.Table], most: int) -> list[Points]:
    parts: list[Points] = []
    for table in tables:
        parts.append(space.points(table.slice(0, most)))
        most -= len(parts[-1])
        if not most:
            break
    return parts


def _together(parts: list[Points]) -> Points:
    import numpy as np

    return Points(
        np.concatenate([p.features for p in parts]),
        np.concatenate([p.kinds for p in parts]),
        np.concatenate([p.said for p in parts]),
    )


def _without(points: Points, rows: set[int]) -> Points:
    import numpy as np

    left = np.ones(len(points), bool)
    left[sorted(rows)] = False
    return Points(points.features[left], points.kinds[left], points.said[left])


def _columns(task: Task) -> list[str]:
    return [c.name for c in task.content_columns]
