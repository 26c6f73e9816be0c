"""Duplicates and the canonical order: a row is its content, whatever its id and position.

Of rows with equal content the one with the least id stays, and rows are stored in order of (row
digest, id), so nothing depends on the order in which a file lists them. What content is stands in
digests.py; which rows leak, in leakage.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.leakage import FeatureKeys, feature_digests, feature_keys
from hokusai_assets.contribution.rows import take_rows
from hokusai_assets.digests import row_digests
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, SOURCE
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class Matches:
    """Positions of kept rows, and how many of the others matched what; each row counts once."""

    kept: list[int] = field(default_factory=list)
    within: int = 0
    of_base: int = 0
    across: int = 0
    leaked_exact: int = 0
    leaked_normalised: int = 0


def with_keys(table: pa.Table, task: Task) -> pa.Table:
    """The table in canonical order, with its row digests and feature keys as columns."""
    import pyarrow as pa

    digests = row_digests({c.name: table.column(c.name).to_pylist() for c in task.content_columns})
    keyed = table.append_column(ROW_DIGEST, pa.array(digests, pa.binary(32))).append_column(
        FEATURE_KEY, pa.array(feature_keys(table, task), pa.binary(32))
    )
    return take_rows(keyed, canonical_order(keyed, task))


def with_source(table: pa.Table, source: str) -> pa.Table:
    """The table with `source`, a content root, as every row's origin."""
    import pyarrow as pa

    return table.append_column(SOURCE, pa.array([source] * table.num_rows, pa.string()))


def canonical_order(table: pa.Table, task: Task) -> list[int]:
    """Positions in order of (row digest, id, source)."""
    digests = table.column(ROW_DIGEST).to_pylist()
    ids: list[tuple[bool, Any]] = [(False, "")] * table.num_rows
    if task.id_column is not None:
        # Rows without an id first: null cannot be compared.
        ids = [
            (cell is not None, "" if cell is None else cell)
            for cell in table.column(task.id_column.name).to_pylist()
        ]
    sources: list[str] = [""] * table.num_rows
    if SOURCE in table.column_names:
        sources = table.column(SOURCE).to_pylist()
    keys = list(zip(digests, ids, sources, strict=True))
    return sorted(range(table.num_rows), key=keys.__getitem__)


def match_rows(
    table: pa.Table,
    task: Task,
    *,
    base: frozenset[bytes],
    earlier: set[bytes],
    benchmark: FeatureKeys,
) -> Matches:
    """Sort a keyed table's rows into kept ones and those that are there already or leak.

    `base` and `earlier` are row digests of the base data and of contributions that come before
    this one. A row is counted under the first that applies: equal to another row of this file, to
    a base row, to an earlier contributor's row, to a benchmark row's features.
    """
    matches = Matches()
    seen: set[bytes] = set()
    digests = table.column(ROW_DIGEST).to_pylist()
    keys = table.column(FEATURE_KEY).to_pylist()
    for position, (digest, key, exact) in enumerate(
        zip(digests, keys, feature_digests(table, task), strict=True)
    ):
        if digest in seen:
            matches.within += 1
        elif digest in base:
            matches.of_base += 1
        elif digest in earlier:
            matches.across += 1
        elif exact in benchmark.exact:
            matches.leaked_exact += 1
        elif key in benchmark.normalised:
            matches.leaked_normalised += 1
        else:
            matches.kept.append(position)
        seen.add(digest)
    return matches


def labels_by_key(table: pa.Table, task: Task) -> dict[bytes, set[object]]:
    """The labels that rows with the same features (normalised) have."""
    labels: dict[bytes, set[object]] = {}
    targets = table.column(task.target.name).to_pylist()
    for key, label in zip(table.column(FEATURE_KEY).to_pylist(), targets, strict=True):
        labels.setdefault(key, set()).add(label)
    return labels


def count_conflicts(table: pa.Table, base: Mapping[bytes, set[object]], task: Task) -> int:
    """Rows whose features stand with another label in base or elsewhere in this table."""
    own = labels_by_key(table, task)
    nothing: set[object] = set()
    targets = table.column(task.target.name).to_pylist()
    return sum(
        bool((own[key] | base.get(key, nothing)) - {label})
        for key, label in zip(table.column(FEATURE_KEY).to_pylist(), targets, strict=True)
    )
