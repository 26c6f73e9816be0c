"""No new benchmark holds a row that somebody was paid for, or one of a retired benchmark.

Whoever sent or saw such a row knows its answer, whatever its label now, and whether it is the same,
written otherwise, or nearly the same. Such a benchmark is refused and not trimmed: what is scored
must follow from the file alone, also for an auditor who has no copy of the rows paid for. Near is
what is near for a contribution: near_duplicates.py for tasks with texts, near_numbers.py without.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai_assets.contribution.near_duplicates import NUMBER_TOLERANCE, SignedRows, find_near
from hokusai_assets.contribution.near_number_rows import near_paid
from hokusai_assets.contribution.near_rows import number_scales, of_table, sign_stored
from hokusai_assets.contribution.near_texts import SIMILARITY, has_texts
from hokusai_assets.contribution.paid_keys import PaidKeys
from hokusai_assets.contribution.rows import counted
from hokusai_assets.contribution.workers import workers
from hokusai_assets.errors import ReferenceDataError
from hokusai_assets.records import Dataset, PaidDataset
from hokusai_assets.tables import ROW_NUMBER
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MOST_NAMED = 100  # rows of the operator's own file, which are to be taken out of it
TEXT_METHOD = (
    f"No row shares {SIMILARITY:.0%} or more of its words with a row that was paid for or stood in "
    f"a retired benchmark, with numbers less than {NUMBER_TOLERANCE} standard deviations of base "
    "apart and all else equal."
)


def refuse_paid_rows(
    received: pa.Table,
    known: Sequence[PaidDataset],
    root: str,
    task: Task,
    base: Dataset,
    name: str,
) -> str | None:
    """Raise ReferenceDataError if a benchmark holds rows of `known`, naming them.

    `received` is the benchmark as load_reference gives it, `root` its content root. Returns how
    near rows were looked for, a sentence for the manifest; None where nothing was paid for.
    """
    if not known:
        return None
    if any(dataset.content_root == root for dataset in known):
        raise ReferenceDataError(
            f"The benchmark {name} was retired, and its rows may be known: give a new one that "
            "shares no row with it."
        )
    with tempfile.TemporaryDirectory(prefix="hokusai-") as scratch:
        same = PaidKeys(known, task, Path(scratch, "paid")).among(received)
        if has_texts(task):
            near, method = _near_texts(received, known, task, base, Path(scratch)), TEXT_METHOD
        else:
            near, method = near_paid(task, base, received, known)
    rows = (same | near).nonzero()[0].tolist()
    if rows:
        nearly = int((near & ~same).sum())
        raise ReferenceDataError(
            f"The benchmark {name} holds {counted(len(rows), 'row')} that a contributor was paid "
            "for or that a retired benchmark held, whatever their label"
            + (f", {nearly:,} of them nearly" if nearly else "")
            + f" ({_named(received.column(ROW_NUMBER).take(rows).to_pylist())}). Leave these out."
        )
    return method


def _near_texts(
    received: pa.Table, known: Sequence[PaidDataset], task: Task, base: Dataset, folder: Path
) -> np.ndarray:
    """Which rows are near to a known one, whatever their label and group (bool)."""
    import numpy as np

    with workers(parallel=False) as here:
        sets = [
            sign_stored(task, dataset, folder / f"paid-{place}", here)
            for place, dataset in enumerate(known)
        ]
        own = SignedRows(folder / "received", 1, functools.partial(of_table, received))
        own.sign(0, received, task)
        scales = number_scales(task, base)
        pairs = find_near([*sets, own], task, scales, here, any_label=range(len(sets)))
    near = np.zeros(received.num_rows, bool)
    near[[row for row, of_set in pairs.rows if of_set < len(sets)]] = True
    return near


def _named(numbers: list[int]) -> str:
    named = ", ".join(map(str, sorted(numbers)[:MOST_NAMED]))
    more = len(numbers) - MOST_NAMED
    return f"rows {named}" + (f" and {more:,} more" if more > 0 else "")
