"""The second half of cleaning: a bucket's rows are matched with one another and with known rows.

A pure function of one bucket: whatever equals a row, in content or in normalised features, lies in
the same bucket. Known rows are read from where they are stored, the bucket's range of keys only.
How rows match stands in duplicates.py and leakage.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai_assets.contribution.duplicates import (
    KnownRows,
    Matches,
    conflicting,
    known_columns,
    known_rows,
    match_rows,
)
from hokusai_assets.contribution.exchange import Buckets
from hokusai_assets.contribution.leakage import NO_KEYS, benchmark_keys
from hokusai_assets.contribution.rows import take_rows
from hokusai_assets.records import Dataset
from hokusai_assets.tables import read_key_range
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

CONFLICT = "_conflict"


@dataclass(frozen=True)
class Against:
    """What contributed rows are compared with, by where it lies; None is not compared with."""

    base: Dataset | None
    benchmark: Dataset | None
    # Kept rows of the run's earlier contributions, spilled in as many buckets.
    earlier: tuple[Buckets, ...] = ()


@dataclass(frozen=True)
class Reduced:
    """A bucket's kept rows, with CONFLICT beside them, and how many of the others matched what."""

    kept: pa.Table
    matches: Matches = field(default_factory=Matches)


def reduce_bucket(
    table: pa.Table,
    task: Task,
    against: Against,
    key_range: tuple[bytes, bytes | None],
    bucket: int,
) -> Reduced:
    """Match a bucket's rows, in canonical order; `key_range` is the bucket's."""
    import pyarrow as pa

    base = KnownRows()
    if against.base is not None:
        columns = known_columns(task)
        base = known_rows(read_key_range(against.base.folder, *key_range, columns), task)
    earlier = KnownRows()
    for kept_before in against.earlier:
        earlier.include(known_rows(kept_before.read(bucket, known_columns(task)), task))
    benchmark = NO_KEYS if against.benchmark is None else benchmark_keys(against.benchmark, task)
    matches = match_rows(table, task, base=base, earlier=earlier, benchmark=benchmark)
    kept = take_rows(table, matches.kept)
    flags = pa.array(conflicting(kept, base, task), pa.bool_())
    return Reduced(kept.append_column(CONFLICT, flags), matches)
