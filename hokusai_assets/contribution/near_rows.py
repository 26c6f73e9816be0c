"""Near rows of one run's contributions: what they are compared with, and what is done with them.

Rows near to a benchmark row have leaked, whatever their label, and always leave; so do rows near to
one that was paid for. Rows that say
nearly what a base row, an earlier contribution or another row of the same one says leave too,
unless the task lets them stay. How nearness is told stands in near_duplicates.py for tasks with
texts, and in near_number_rows.py for those without.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai_assets.contribution.duplicates import Matches
from hokusai_assets.contribution.exchange import Buckets
from hokusai_assets.contribution.kept_rows import KeptRows
from hokusai_assets.contribution.leakage import all_benchmark_rows
from hokusai_assets.contribution.near_duplicates import (
    NUMBER_TOLERANCE,
    SignedRows,
    find_near,
)
from hokusai_assets.contribution.near_number_rows import FoundRows, NumberRows, count_near
from hokusai_assets.contribution.near_texts import SIMILARITY, has_texts
from hokusai_assets.contribution.reducing import ALREADY_PAID, removed_rows
from hokusai_assets.contribution.workers import Workers, workers
from hokusai_assets.records import Dataset, PaidDataset
from hokusai_assets.tables import (
    ROW_DIGEST,
    ROW_NUMBER,
    read_parts,
    read_row_group,
    row_group_count,
)
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

TEXT_METHOD = (
    f"Near is a row that shares {SIMILARITY:.0%} or more of its words with a benchmark row, or "
    "with a base row or another contributed row of the same label; its numbers differ by less "
    f"than {NUMBER_TOLERANCE} standard deviations of base, all else is equal."
)
PAID_METHOD = " Likewise near a row paid for before, whatever its label."

_SIGNED_HERE = 8  # row groups


class NearRows:
    """Signed base and benchmark rows, and those of the contributions so far."""

    def __init__(
        self,
        task: Task,
        base: Dataset | None,
        benchmark: Dataset | None,
        folder: Path,
        hands: Workers,
        paid: Sequence[PaidDataset] = (),
    ) -> None:
        self._task = task
        self._hands = hands
        self._sets: list[SignedRows] = []
        self._benchmark: frozenset[int] = frozenset()
        self._paid: frozenset[int] = frozenset()
        self._scales: dict[str, float] = {}
        self._numbers: NumberRows | None = None
        if not has_texts(task):
            self._numbers = NumberRows(task, base, benchmark, paid)
            return
        self._scales = number_scales(task, base)
        # The benchmark first: of many rows that are alike, each is compared with the first ones.
        if benchmark is not None:
            self._benchmark = frozenset({len(self._sets)})
            self._add(sign_benchmark(task, benchmark, folder / "benchmark"))
        for place, dataset in enumerate(paid):
            self._paid |= {len(self._sets)}
            self._add(sign_stored(task, dataset, folder / f"paid-{place}", hands))
        if base is not None:
            self._add(sign_stored(task, base, folder / "base", hands))

    def to_be_signed(self, folder: Path, buckets: int, kept: KeptRows) -> SignedRows | None:
        """Where a contribution's kept rows are to be signed; None where texts are not compared."""
        if not has_texts(self._task):
            return None
        return SignedRows(folder, buckets, functools.partial(_whole_bucket, kept))

    def leave_out(
        self,
        signed: SignedRows | None,
        kept: KeptRows,
        buckets: int,
        matches: Matches,
        removed: Buckets,
    ) -> str:
        """Leave near rows out of a contribution's kept rows, and count them in `matches`.

        Their row numbers and reasons go to `removed`. Returns a sentence for the manifest: what
        was compared, and how.
        """
        if signed is not None:
            found = self._near_texts(signed)
        elif self._numbers is not None:
            found = self._numbers.find(kept, buckets)
        else:
            raise AssertionError("rows with texts were not signed")
        matches.leaked_near += len(found.leaked)
        matches.already_paid += len(found.paid)
        gone = found.leaked | found.paid
        if self._task.duplicates.near == "drop":
            matches.near += len(found.repeated)
            gone |= found.repeated
        else:
            matches.reported += len(found.repeated)
        if signed is not None:
            signed.left_out.update(gone)
        by_bucket: dict[int, list[tuple[int, str]]] = defaultdict(list)
        bucket = 0
        for row in sorted(gone):
            while row >= found.offsets[bucket + 1]:
                bucket += 1
            reason = (
                "leaked_near"
                if row in found.leaked
                else ALREADY_PAID
                if row in found.paid
                else "duplicates_near"
            )
            by_bucket[bucket].append((row - found.offsets[bucket], reason))
        for bucket, places in by_bucket.items():
            rows = kept.read(bucket, [ROW_NUMBER, ROW_DIGEST], whole=True)
            removed.write(bucket, removed_rows(rows, places))
            kept.leave_out(bucket, [position for position, _ in places])
        return found.method

    def _near_texts(self, signed: SignedRows) -> FoundRows:
        self._add(signed)
        near = find_near(
            self._sets,
            self._task,
            self._scales,
            self._hands,
            any_label=self._benchmark | self._paid,
        )
        leaked = frozenset(row for row, of_set in near.rows if of_set in self._benchmark)
        paid = frozenset(row for row, of_set in near.rows if of_set in self._paid) - leaked
        repeated = frozenset(row for row, _ in near.rows) - leaked - paid
        method = TEXT_METHOD + (PAID_METHOD if self._paid else "")
        return FoundRows(leaked, repeated, signed.offsets(), method, paid)

    def _add(self, signed: SignedRows) -> None:
        self._sets.append(signed)


def count_near_base(task: Task, base: Dataset, benchmark: pa.Table, folder: Path) -> int:
    """How many of some benchmark rows say nearly what a base row says, whatever their labels."""
    if not benchmark.num_rows:
        return 0
    if not has_texts(task):
        return count_near(task, base, benchmark)
    with workers(parallel=False) as here:
        known = sign_stored(task, base, folder / "base", here)
        scored = SignedRows(folder / "scored", 1, functools.partial(of_table, benchmark))
        scored.sign(0, benchmark, task)
        scales = number_scales(task, base)
        near = find_near([known, scored], task, scales, here, any_label=[0])
    return len({row for row, of_set in near.rows if of_set == 0})


def number_scales(task: Task, base: Dataset | None) -> dict[str, float]:
    """The standard deviation of each number feature in base; 0 where base is not known."""
    names = [c.name for c in task.features if c.type == "number"]
    if base is None or not names:
        return dict.fromkeys(names, 0.0)
    import numpy as np

    count = np.zeros(len(names))
    total, squares = np.zeros(len(names)), np.zeros(len(names))
    for table in read_parts(base.folder, names):
        for place, name in enumerate(names):
            cells = table.column(name).drop_null().to_numpy()
            count[place] += len(cells)
            total[place] += cells.sum()
            squares[place] += (cells**2).sum()
    many = np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / many - (total / many) ** 2, 0))
    return dict(zip(names, spread.tolist(), strict=True))


def sign_stored(task: Task, dataset: Dataset, folder: Path, hands: Workers) -> SignedRows:
    """Signatures of a stored dataset, a row group a bucket."""
    read = functools.partial(_row_group, dataset.folder)
    signed = SignedRows(folder, row_group_count(dataset.folder), read)
    sign = functools.partial(_sign, signed, task)
    # A few are done before another process has taken them up.
    few = signed.buckets <= _SIGNED_HERE
    for _ in (
        map(sign, range(signed.buckets)) if few else hands.in_order(sign, range(signed.buckets))
    ):
        pass
    return signed


def sign_benchmark(task: Task, benchmark: Dataset, folder: Path) -> SignedRows:
    """Signatures of the whole benchmark, also of rows that were not sampled."""
    signed = SignedRows(folder, 1, functools.partial(_benchmark_rows, benchmark, task))
    _sign(signed, task, 0)
    return signed


def _sign(signed: SignedRows, task: Task, bucket: int) -> None:
    texts = [c.name for c in task.features if c.type == "text"]
    signed.sign(bucket, signed.rows(bucket, texts, None), task)


def _row_group(folder: str, bucket: int, columns: list[str], places: np.ndarray | None) -> pa.Table:
    return _at(places, read_row_group(folder, bucket, columns))


def _benchmark_rows(
    benchmark: Dataset, task: Task, bucket: int, columns: list[str], places: np.ndarray | None
) -> pa.Table:
    return _at(places, all_benchmark_rows(benchmark, task).select(columns))


def of_table(
    table: pa.Table, bucket: int, columns: list[str], places: np.ndarray | None
) -> pa.Table:
    """Rows in memory as the one bucket of a SignedRows."""
    return _at(places, table.select(columns))


def _whole_bucket(
    kept: KeptRows, bucket: int, columns: list[str], places: np.ndarray | None
) -> pa.Table:
    return kept.read(bucket, columns, whole=True, places=places)


def _at(places: np.ndarray | None, table: pa.Table) -> pa.Table:
    return table if places is None else table.take(places)
