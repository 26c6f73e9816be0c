"""Duplicates and the canonical order: a row is its content, whatever its id and position.

Of rows with equal content the one with the least id stays, and rows are stored in order of (feature
key, row digest, id), so nothing depends on the order in which a file lists them. By feature key
first, because equal rows, rows that differ in writing only, and rows of other labels then lie side
by side, also where a file is cleaned in buckets of keys. What content is stands in digests.py;
which rows leak, in leakage.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai_assets.contribution.exchange import key_numbers
from hokusai_assets.contribution.leakage import (
    FeatureKeys,
    feature_digests,
    normalised_features,
)
from hokusai_assets.contribution.rows import take_rows
from hokusai_assets.contribution.told_targets import told_targets
from hokusai_assets.table_digests import digest_each
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, SOURCE
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


# What a row says about its features: rows of equal features and traits say the same.
Trait = tuple[object, object]


@dataclass
class Matches:
    """Positions of kept rows, and how many of the others matched what; each row counts once.

    `reported` rows are duplicates that the task lets stay; they are kept and counted. `gone` are
    the others' positions, each with the field of CleaningCounts that it is counted under.
    """

    kept: list[int] = field(default_factory=list)
    gone: list[tuple[int, str]] = field(default_factory=list)
    within: int = 0
    of_base: int = 0
    across: int = 0
    normalised: int = 0
    leaked_exact: int = 0
    leaked_normalised: int = 0
    near: int = 0
    leaked_near: int = 0
    already_paid: int = 0
    reported: int = 0

    def include(self, other: Matches) -> None:
        """Add another bucket's counts; positions are a bucket's own and stay with it."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))


COUNTED = (
    *("within", "of_base", "across", "normalised"),
    *("leaked_exact", "leaked_normalised", "near", "leaked_near", "already_paid", "reported"),
)


@dataclass
class KnownRows:
    """Rows that others are compared with: their digests, and their traits by feature key."""

    digests: set[bytes] = field(default_factory=set)
    traits: dict[bytes, set[Trait]] = field(default_factory=dict)

    def include(self, other: KnownRows) -> None:
        """Know another set of rows too."""
        self.digests |= other.digests
        for key, traits in other.traits.items():
            self.traits.setdefault(key, set()).update(traits)


def known_columns(task: Task) -> list[str]:
    """The columns that known_rows needs."""
    group = [] if task.group_column is None else [task.group_column.name]
    return [ROW_DIGEST, FEATURE_KEY, task.target.name, *group]


def known_rows(table: pa.Table, task: Task) -> KnownRows:
    """What is to be known of stored rows."""
    known = KnownRows(set(table.column(ROW_DIGEST).to_pylist()))
    for key, trait in zip(table.column(FEATURE_KEY).to_pylist(), _traits(table, task), strict=True):
        known.traits.setdefault(key, set()).add(trait)
    return known


def with_keys(
    table: pa.Table, task: Task, normalised: Mapping[str, pa.Array] | None = None
) -> pa.Table:
    """The table with its rows' digests and feature keys as columns.

    `normalised` is normalised_features of the table, where that is known already.
    """
    if normalised is None:
        normalised = normalised_features(table, task)
    cells = {c.name: table.column(c.name) for c in task.kept_columns}
    content = {c.name: cells[c.name] for c in task.content_columns}
    features = {c.name: cells[c.name] for c in task.features} | dict(normalised)
    digests, keys = digest_each([content, features])
    return table.append_column(ROW_DIGEST, digests).append_column(FEATURE_KEY, keys)


def with_source(table: pa.Table, source: str) -> pa.Table:
    """The table with `source`, a content root, as every row's origin."""
    import pyarrow as pa

    return table.append_column(SOURCE, pa.repeat(pa.scalar(source, pa.string()), table.num_rows))


def in_canonical_order(table: pa.Table, task: Task) -> pa.Table:
    """The rows by feature key, row digest, id and source; rows without an id come last."""
    import pyarrow as pa

    return table.take(pa.array(canonical_order(table, task)))


def canonical_order(table: pa.Table, task: Task) -> np.ndarray:
    """The positions of a table's rows in the order of in_canonical_order (int64)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    names = [FEATURE_KEY, ROW_DIGEST]
    if task.id_column is not None:
        names.append(task.id_column.name)
    if SOURCE in table.column_names:
        names.append(SOURCE)
    # By the keys' first bytes, and only where these are equal by all of it: most rows have a key
    # of their own. Arrow's sort is stable, so that rows equal in everything stay as they came.
    numbers = key_numbers(table)
    order: np.ndarray = np.argsort(numbers)
    ordered = numbers[order]
    tied = np.zeros(len(order), bool)
    tied[1:] |= ordered[1:] == ordered[:-1]
    tied[:-1] |= ordered[1:] == ordered[:-1]
    among = np.sort(order[tied])
    if len(among):
        few = table.select(names).take(pa.array(among))
        order[tied] = among[pc.sort_indices(few, sort_keys=[(n, "ascending") for n in names])]
    return order


def match_rows(
    table: pa.Table,
    task: Task,
    *,
    base: KnownRows,
    earlier: KnownRows,
    benchmark: FeatureKeys,
    paid: Collection[bytes] = frozenset(),
) -> Matches:
    """Sort a keyed table's rows into kept ones and those that are there already or leak.

    `earlier` are rows of contributions that come before this one, `paid` the feature keys of rows
    paid for. A row is counted under the first that applies: equal to another row of this file; its
    features paid for; equal to a base row, to an earlier contributor's row, to a benchmark row's
    features; and then, differing in writing only, to a row of this file, of base or of an earlier
    contributor. Leakage comes before that, so that rewriting a benchmark row twice does not make
    one of the two a mere duplicate. Rows paid for leave whatever their label, and whatever the
    task says of duplicates: who is paid for a wrong label must not be paid for its correction.
    """
    matches = Matches()
    seen: set[bytes] = set()
    said: dict[bytes, set[Trait]] = {}
    nothing: set[Trait] = set()
    drop_exact = task.duplicates.exact == "drop"
    drop_normalised = task.duplicates.normalised == "drop"
    digests = table.column(ROW_DIGEST).to_pylist()
    keys = table.column(FEATURE_KEY).to_pylist()
    leaked_exact = _exact_leaks(table, keys, task, benchmark)
    for position, (digest, key, trait) in enumerate(
        zip(digests, keys, _traits(table, task), strict=True)
    ):
        where = (
            "within"
            if digest in seen
            else "of_base"
            if digest in base.digests
            else "across"
            if digest in earlier.digests
            else None
        )
        seen.add(digest)
        if key in paid and not (where == "within" and drop_exact):
            matches.already_paid += 1
            matches.gone.append((position, "already_paid"))
            continue
        if where and drop_exact:
            setattr(matches, where, getattr(matches, where) + 1)
            matches.gone.append((position, f"duplicates_{where}"))
            continue
        if key in benchmark.normalised:
            if position in leaked_exact:
                matches.leaked_exact += 1
                matches.gone.append((position, "leaked_exact"))
            else:
                matches.leaked_normalised += 1
                matches.gone.append((position, "leaked_normalised"))
            continue
        own = said.setdefault(key, set())
        repeated = (
            trait in own
            or trait in base.traits.get(key, nothing)
            or trait in earlier.traits.get(key, nothing)
        )
        own.add(trait)
        if repeated and not where and drop_normalised:
            matches.normalised += 1
            matches.gone.append((position, "duplicates_normalised"))
            continue
        matches.reported += bool(where or repeated)
        matches.kept.append(position)
    return matches


def conflicting(table: pa.Table, base: KnownRows, task: Task) -> list[bool]:
    """Of each row, whether its features stand with another label in base or in this table."""
    own = known_rows(table, task).traits
    nothing: set[Trait] = set()
    found = []
    for key, (label, _) in zip(
        table.column(FEATURE_KEY).to_pylist(), _traits(table, task), strict=True
    ):
        others = own[key] | base.traits.get(key, nothing)
        found.append(len(others) > 1 and any(other != label for other, _ in others))
    return found


def _traits(table: pa.Table, task: Task) -> list[Trait]:
    labels = told_targets(table, task).to_pylist()
    groups: list[object] = [None] * table.num_rows
    if task.group_column is not None:
        groups = table.column(task.group_column.name).to_pylist()
    return list(zip(labels, groups, strict=True))


def _exact_leaks(
    table: pa.Table, keys: list[bytes], task: Task, benchmark: FeatureKeys
) -> set[int]:
    """Positions of rows whose features are a benchmark row's to the letter."""
    suspects = [row for row, key in enumerate(keys) if key in benchmark.normalised]
    if not suspects:
        return set()
    exact = feature_digests(take_rows(table, suspects), task).to_pylist()
    return {row for row, digest in zip(suspects, exact, strict=True) if digest in benchmark.exact}
