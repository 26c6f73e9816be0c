"""The second half of cleaning: a bucket's rows are matched with one another and with known rows.

A pure function of one bucket: whatever equals a row, in content or in normalised features, lies in
the same bucket. Known rows are read from where they are stored, the bucket's range of keys only.
How rows match stands in duplicates.py and leakage.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai_assets.contribution.duplicates import (
    KnownRows,
    Matches,
    canonical_order,
    conflicting,
    known_columns,
    known_rows,
    match_rows,
)
from hokusai_assets.contribution.exchange import fixed_bytes, key_numbers
from hokusai_assets.contribution.kept_rows import KeptRows
from hokusai_assets.contribution.leakage import NO_KEYS, benchmark_keys
from hokusai_assets.contribution.paid_keys import PaidKeys
from hokusai_assets.contribution.rows import take_rows
from hokusai_assets.records import Dataset
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, ROW_NUMBER, read_key_range
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

REMOVED_COLUMNS = ("row", "reason", "row_digest")
ALREADY_PAID = "already_paid"


@dataclass(frozen=True)
class Against:
    """What contributed rows are compared with, by where it lies; None is not compared with."""

    base: Dataset | None
    benchmark: Dataset | None
    # Kept rows of the run's earlier contributions, in as many buckets.
    earlier: tuple[KeptRows, ...] = ()
    paid: PaidKeys | None = None
    # Digests of contributed rows of which it is given that they, or near ones, were paid for.
    paid_digests: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Reduced:
    """Which of a bucket's rows are kept, and what the others matched.

    `kept` are their positions, in canonical order, and `conflicts` says which of them contradict a
    known row; `removed` are the others' row numbers, each with its reason (REMOVED_COLUMNS); see
    removed_rows.
    """

    kept: np.ndarray
    conflicts: np.ndarray
    removed: pa.Table
    matches: Matches = field(default_factory=Matches)


def reduce_bucket(
    table: pa.Table,
    task: Task,
    against: Against,
    key_range: tuple[bytes, bytes | None],
    bucket: int,
) -> Reduced:
    """Match a bucket's rows, which come in any order; `key_range` is the bucket's.

    Rows with keys of their own, most of them, are never looked at one by one; nor are repetitions
    of the row before, where these are dropped whatever else they match.
    """
    import numpy as np
    import pyarrow as pa

    order = canonical_order(table, task)
    ordered = table.select([FEATURE_KEY, ROW_DIGEST, ROW_NUMBER]).take(pa.array(order))
    repeats = np.zeros(len(order), bool)
    if task.duplicates.exact == "drop":
        repeats = _repeats_of_the_row_before(ordered)
    columns = known_columns(task)
    benchmark = NO_KEYS if against.benchmark is None else benchmark_keys(against.benchmark, task)
    base, earlier = None, []
    if against.base is not None:
        base = read_key_range(against.base.folder, *key_range, columns)
    for kept_before in against.earlier:
        earlier.append(kept_before.read(bucket, columns))
    prefixes = key_numbers(ordered)
    known = [benchmark.prefixes, *(key_numbers(t) for t in ([] if base is None else [base]))]
    suspects = np.zeros(len(order), bool)
    suspects[~repeats] = _with_company(prefixes[~repeats], [*known, *map(key_numbers, earlier)])
    found = np.zeros(len(order), bool)
    if against.paid is not None:
        found |= against.paid.among(ordered, key_range)
    if against.paid_digests:
        digests = ordered.column(ROW_DIGEST).to_pylist()
        found |= np.array([digest in against.paid_digests for digest in digests], bool)
    suspects |= found & ~repeats
    paid = frozenset(ordered.filter(pa.array(found)).column(FEATURE_KEY).to_pylist())
    few = table.take(pa.array(order[suspects]))
    ours = prefixes[suspects]
    base_rows = KnownRows() if base is None else _known(base, ours, task)
    earlier_rows = KnownRows()
    for rows in earlier:
        earlier_rows.include(_known(rows, ours, task))
    matches = match_rows(
        few, task, base=base_rows, earlier=earlier_rows, benchmark=benchmark, paid=paid
    )
    conflicts = conflicting(take_rows(few, matches.kept), base_rows, task)
    looked_at = np.flatnonzero(suspects)
    keep, flags = ~(suspects | repeats), np.zeros(len(order), bool)
    keep[looked_at[matches.kept]] = True
    flags[looked_at[matches.kept]] = conflicts
    matches.within += int(repeats.sum())
    gone = [(place, "duplicates_within") for place in np.flatnonzero(repeats).tolist()]
    gone += [(int(looked_at[place]), reason) for place, reason in matches.gone]
    return Reduced(order[keep], flags[keep], removed_rows(ordered, sorted(gone)), matches)


def _repeats_of_the_row_before(table: pa.Table) -> np.ndarray:
    """Of each row in canonical order, whether its content is that of the row before it."""
    import numpy as np

    digests = fixed_bytes(table.column(ROW_DIGEST))
    found = np.zeros(len(digests), bool)
    begin = np.ascontiguousarray(digests[:, :8]).view(np.uint64).reshape(-1)
    alike = np.flatnonzero(begin[1:] == begin[:-1])
    found[alike + 1] = (digests[alike + 1] == digests[alike]).all(axis=1)
    return found


def removed_rows(table: pa.Table, gone: Sequence[tuple[int, str]]) -> pa.Table:
    """Of the rows of `table` at some positions, each with a reason, what is kept of them.

    That is number and reason, and of rows already paid for their digests, which an auditor without
    the store of such rows takes as given; of others not, since those of leaked rows are the
    benchmark's.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    positions, reasons = zip(*gone, strict=True) if gone else ((), ())
    rows = table.select([ROW_NUMBER, ROW_DIGEST]).take(pa.array(positions, pa.int64()))
    why = pa.array(reasons, pa.string())
    digests = rows.column(ROW_DIGEST).combine_chunks()
    paid = pc.if_else(pc.equal(why, ALREADY_PAID), digests, pa.scalar(None, digests.type))
    columns = [rows.column(ROW_NUMBER).combine_chunks(), why, paid]
    return pa.table(columns, names=list(REMOVED_COLUMNS))


def _with_company(prefixes: np.ndarray, known: list[np.ndarray]) -> np.ndarray:
    """Which of some sorted keys, by prefix, stand more than once or are known; the few to look at.

    By their first eight bytes: keys that only begin alike are looked at too, and found to differ.
    """
    import numpy as np

    found = np.zeros(len(prefixes), bool)
    same = prefixes[1:] == prefixes[:-1]
    found[1:] |= same
    found[:-1] |= same
    for others in known:
        found |= np.isin(prefixes, others)
    return found


def _known(rows: pa.Table, prefixes: np.ndarray, task: Task) -> KnownRows:
    """Of stored rows, those whose keys may be among the ones in question."""
    import numpy as np
    import pyarrow as pa

    return known_rows(rows.filter(pa.array(np.isin(key_numbers(rows), prefixes))), task)
