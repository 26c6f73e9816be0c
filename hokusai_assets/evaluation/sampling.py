"""Which benchmark rows are scored where there are more than the task allows.

Chosen by a hash of seed and row content, so that neither the order of a file nor the other rows
of it decide about a row's rank, and nobody can place rows where they will be drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hokusai_assets.scoring.target_scale import TENTHS, scaled, tenths
from hokusai_assets.tables import ROW_DIGEST
from hokusai_assets.task import DEFAULT_SEED, Task

if TYPE_CHECKING:
    import pyarrow as pa


def stratified_sample(table: pa.Table, task: Task) -> pa.Table:
    """At most `task.benchmark.max_rows` rows of `table`, in its order.

    With `stratify` each class, or tenth of the range of a number target, keeps its share to within
    one row (largest remainder, ties to the earlier one); inside it the rows with the smallest
    SHA-256(seed as 8 bytes, big-endian || row digest) stay. Rows of equal content are told apart by
    their id where there is one.
    """
    limit = task.benchmark.max_rows
    if table.num_rows <= limit:
        return table
    seed = (DEFAULT_SEED if task.seed is None else task.seed).to_bytes(8, "big")
    ids = [""] * table.num_rows
    if task.id_column is not None:
        ids = [str(cell) for cell in table.column(task.id_column.name).to_pylist()]
    digests = table.column(ROW_DIGEST).to_pylist()
    ranks = [
        (hashlib.sha256(seed + digest).digest(), row_id, position)
        for position, (digest, row_id) in enumerate(zip(digests, ids, strict=True))
    ]
    if not task.benchmark.stratify:
        return table.take(sorted(position for *_, position in sorted(ranks)[:limit]))
    names, labels = _strata(table, task)
    strata: dict[object, list[tuple[bytes, str, int]]] = {name: [] for name in names}
    for rank, label in zip(ranks, labels, strict=True):
        strata[label].append(rank)
    sizes = largest_remainder([len(rows) for rows in strata.values()], limit)
    chosen = [
        position
        for rows, size in zip(strata.values(), sizes, strict=True)
        for *_, position in sorted(rows)[:size]
    ]
    return table.take(sorted(chosen))


def _strata(table: pa.Table, task: Task) -> tuple[Sequence[object], Sequence[object]]:
    """All strata in order, and each row's."""
    cells = table.column(task.target.name)
    if task.kind == "classification":
        return task.data.labels, cells.to_pylist()
    return range(TENTHS), tenths(scaled(task.target_scale, cells.to_numpy())).tolist()


def largest_remainder(counts: Sequence[int], total: int) -> list[int]:
    """`total` split in proportion to `counts` into whole numbers, each within one of its share."""
    whole = sum(counts)
    sizes = [count * total // whole for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda i: (-(counts[i] * total % whole), i))
    for index in by_remainder[: total - sum(sizes)]:
        sizes[index] += 1
    return sizes
