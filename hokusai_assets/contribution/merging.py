"""Merging base and cleaned contributions into the candidate's training rows.

append adds; replace leaves base out; update replaces base rows by key: the new version wins, of
several contributions the later, and one row a key remains. Rows are stored in canonical order, so
the result depends on which rows there are alone; `_source` says where each comes from.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.duplicates import in_canonical_order
from hokusai_assets.contribution.exchange import key_ranges
from hokusai_assets.contribution.manifest import column_schemas
from hokusai_assets.contribution.rows import counted, take_rows
from hokusai_assets.contribution.sorted_roots import SortedRoot
from hokusai_assets.errors import ContributionError, ReferenceDataError
from hokusai_assets.records import ContributedDataset, Dataset, MergedDataset
from hokusai_assets.tables import (
    ROW_DIGEST,
    SOURCE,
    read_key_range,
    read_table,
    write_table,
)
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_PER_PART = 500_000


def merge(
    task: Task, base: Dataset, contributed: ContributedDataset, folder: str | Path
) -> MergedDataset:
    """Write the merged rows into `folder`, a new local one.

    Raises ContributionError if an update repeats a key within one contribution or changes more of
    base than the task allows, and ReferenceDataError if base itself repeats a key.
    """
    strategy = task.merge.strategy
    updated = 0
    with tempfile.TemporaryDirectory(prefix="hokusai-") as scratch:
        root = SortedRoot(scratch)
        if strategy == "update":
            new = read_table(contributed.folder)
            table, updated = _update(task, read_table(base.folder), new, contributed)
            parts: Iterator[pa.Table] = iter([table])
        else:
            sources = [contributed] if strategy == "replace" else [base, contributed]
            parts = _by_key_range(sources)
        by_source: Counter[str] = Counter()
        written = 0
        for part in parts:
            if part.num_rows or not written:
                write_table(in_canonical_order(part, task), folder, written)
                written += 1
            root.add(part.column(ROW_DIGEST))
            counts = part.column(SOURCE).value_counts().to_pylist()
            by_source.update({item["values"]: item["counts"] for item in counts})
        merged_root = root.root()
    by_contribution = tuple(by_source[c.content_root_cleaned] for c in contributed.contributions)
    return MergedDataset(
        folder=str(folder),
        content_root=merged_root,
        row_count=root.count,
        columns=column_schemas(task),
        strategy=strategy,
        rows_from_base=root.count - sum(by_contribution),
        rows_by_contribution=by_contribution,
        rows_updated=updated,
    )


def _by_key_range(datasets: Sequence[Dataset]) -> Iterator[pa.Table]:
    """The rows of some datasets, a range of feature keys at a time, so that memory holds one."""
    import pyarrow as pa

    rows = sum(dataset.row_count for dataset in datasets)
    for first, end in key_ranges(max(1, rows // _ROWS_PER_PART)):
        yield pa.concat_tables([read_key_range(d.folder, first, end) for d in datasets])


def _update(
    task: Task, base: pa.Table, new: pa.Table, contributed: ContributedDataset
) -> tuple[pa.Table, int]:
    """Base with new versions in place of rows of the same key, and how many of base changed."""
    import pyarrow as pa

    key = task.merge.key
    assert key is not None  # the task file's own check
    base_keys = base.column(key).to_pylist()
    repeated = _repeated(base_keys)
    if repeated:
        raise ReferenceDataError(
            f"The base data cannot be updated by {key!r}: {repeated:,} of its keys are empty or "
            "stand in several rows. Give every base row a key of its own."
        )
    new_keys = new.column(key).to_pylist()
    sources = new.column(SOURCE).to_pylist()
    for part in contributed.contributions:
        own = [k for k, s in zip(new_keys, sources, strict=True) if s == part.content_root_cleaned]
        repeated = _repeated(own)
        if repeated:
            raise ContributionError(
                f"The contribution of {part.contributor_id} is refused: {repeated:,} of its keys "
                f"in column {key!r} are empty or stand in several rows, so it is not clear which "
                "version counts. Send one row a key."
            )
    # The contributed rows lie in the order of the run configuration: the last one wins.
    winners = {k: position for position, k in enumerate(new_keys)}
    known = set(base_keys)
    updated = sum(k in known for k in winners)
    limit = task.merge.max_updated_share
    if updated > limit * len(base_keys):
        raise ContributionError(
            f"The contributions would change {updated:,} of {counted(len(base_keys), 'base row')} "
            f"({updated / len(base_keys):.2%}), more than the accepted {limit:.2%}: send fewer "
            "new versions, or raise max_updated_share under [merge] in the task."
        )
    kept = [row for row, k in enumerate(base_keys) if k not in winners]
    return pa.concat_tables(
        [take_rows(base, kept), take_rows(new, sorted(winners.values()))]
    ), updated


def _repeated(keys: list[Any]) -> int:
    """How many keys are empty or stand more than once."""
    return sum(count > 1 or key is None for key, count in Counter(keys).items())
