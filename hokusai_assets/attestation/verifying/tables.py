"""Metrics that follow from the joint counts alone, for a bundle whose rows are not opened.

Of one training without groups every countable metric, its error and its p value are functions of
the table label x baseline x candidate. Of several seeds the tables say nothing of how their
differences go together, and of scores nothing at all: what was not looked at is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hokusai_assets.attestation.bundle import CORE
from hokusai_assets.attestation.measured import guard_sections, metric_section
from hokusai_assets.attestation.rows.reading import MAX_ROWS
from hokusai_assets.attestation.rows.recount import section_differences
from hokusai_assets.errors import AttestationError
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.comparing import compare_metric
from hokusai_assets.scoring.deltas import deltas_of
from hokusai_assets.scoring.number_intervals import intervals_of
from hokusai_assets.scoring.registry import METRICS
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task import is_own

MAX_CLASSES = 2_000  # their square is held


@dataclass(frozen=True)
class TableCheck:
    """What the tables contradict, and which metrics and guards they do not speak of."""

    problems: tuple[str, ...]
    metrics: tuple[str, ...]
    not_counted: tuple[str, ...]


def check_sizes(core: Mapping[str, Any]) -> None:
    """Raise AttestationError where counting again would take more memory than anybody has.

    A count is a few digits to write, and a row for each to count.
    """
    classes = len(core["benchmark"]["labels"])
    if classes > MAX_CLASSES:
        raise AttestationError(f"{CORE}: benchmark.labels are more than {MAX_CLASSES:,}.")
    for index, table in enumerate(core["joint_counts"]):
        if sum(cell[3] for cell in table) > MAX_ROWS:
            raise AttestationError(f"{CORE}: joint_counts[{index}] are of more than {MAX_ROWS:,}.")
        if any(cell[place] >= classes for cell in table for place in range(3)):
            raise AttestationError(f"{CORE}: joint_counts[{index}] hold a class without a label.")


def check_tables(core: Mapping[str, Any], rule: Mapping[str, Any]) -> TableCheck:
    """Count again what the joint counts of `core` determine."""
    names = list(core["benchmark"]["labels"])
    tables, clusters = core["joint_counts"], core["benchmark"]["clusters"]
    # A guard may have the name of its metric: said once.
    every = tuple(dict.fromkeys((*rule["included"], *(g["name"] for g in rule["guards"]))))
    if len(tables) != 1 or clusters is not None:
        return TableCheck((), (), every)
    counted = [name for name in rule["included"] if _is_counted(name)]
    guarded = [
        index
        for index, guard in enumerate(rule["guards"])
        if _is_counted(guard["metric"]) and "slice" not in guard
    ]
    part = {**rule, "guards": [rule["guards"][index] for index in guarded]}
    rows = _rows_of(tables[0])
    measured = deltas_of(
        [compare_metric(name, rows, names) for name in counted],
        rows,
        names,
        part,
        intervals_of(rows, len(names), draw=False),
    )
    problems = []
    for delta in measured.deltas:
        said = core["metrics"][delta.metric]
        problems += section_differences(said, metric_section(delta), f"core.metrics.{delta.metric}")
    for index, section in zip(guarded, guard_sections(measured.guards), strict=True):
        problems += section_differences(core["guards"][index], section, f"core.guards[{index}]")
    seen = {*counted, *(rule["guards"][index]["name"] for index in guarded)}
    return TableCheck(tuple(problems), tuple(counted), tuple(n for n in every if n not in seen))


def _is_counted(metric: str) -> bool:
    # Of numbers there are no tables: they would be the rows again.
    if is_own(metric) or METRICS[metric].kind == "regression":
        return False
    return METRICS[metric].needs == "labels"


def _rows_of(table: list[list[int]]) -> ScoredRows:
    """Rows as the table has them, in its order: metrics of independent rows know no other."""
    cells = np.array(table, dtype=np.int64).reshape(-1, 4)
    truth, before, after = (np.repeat(cells[:, column], cells[:, 3]) for column in range(3))
    return ScoredRows(
        [], truth, Predictions(before[None, :], None), Predictions(after[None, :], None), None
    )
