"""Merging base and cleaned contributions into the candidate's training rows.

append adds; replace leaves base out; update replaces base rows by key: the new version wins, of
several contributions the later, and one row a key remains. Rows are stored in canonical order, so
the result depends on which rows there are alone; `_source` says where each comes from.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai_assets.contribution.duplicates import in_canonical_order
from hokusai_assets.contribution.exchange import fixed_bytes, key_ranges
from hokusai_assets.contribution.manifest import column_schemas
from hokusai_assets.contribution.rows import counted
from hokusai_assets.contribution.sorted_roots import SortedRoot
from hokusai_assets.errors import ContributionError, ReferenceDataError
from hokusai_assets.records import ContributedDataset, Dataset, MergedDataset
from hokusai_assets.table_digests import digest_rows
from hokusai_assets.tables import (
    ROW_DIGEST,
    SOURCE,
    read_key_range,
    read_parts,
    write_table,
)
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
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
            winners = _winners(task, base, contributed)
            updated = winners.updated
            parts = _updated(task, base, contributed, winners)
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

    for first, end in _ranges(datasets):
        yield pa.concat_tables([read_key_range(d.folder, first, end) for d in datasets])


def _ranges(datasets: Sequence[Dataset]) -> list[tuple[bytes, bytes | None]]:
    rows = sum(dataset.row_count for dataset in datasets)
    return key_ranges(max(1, rows // _ROWS_PER_PART))


@dataclass(frozen=True)
class _Winners:
    """Keys that have a new version, sorted, and of each the last contribution that sent one.

    Keys are known by the first eight bytes of their digests, so that many fit in memory.
    """

    keys: np.ndarray  # uint64
    sources: np.ndarray  # int64, places in the run configuration
    updated: int  # of base's keys

    def source_of(self, keys: np.ndarray) -> np.ndarray:
        """The place of the contribution whose version of each key counts; -1 if none has one."""
        import numpy as np

        if not len(self.keys):
            return np.full(len(keys), -1)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found: np.ndarray = np.where(self.keys[places] == keys, self.sources[places], -1)
        return found


def _winners(task: Task, base: Dataset, contributed: ContributedDataset) -> _Winners:
    """Which new version of each key counts; refuses what merge says it does."""
    import numpy as np

    key = task.merge.key
    assert key is not None  # the task file's own check
    base_keys, empty = _keys(key, read_parts(base.folder, [key]))
    repeated = _repeated(base_keys, empty)
    if repeated:
        raise ReferenceDataError(
            f"The base data cannot be updated by {key!r}: {repeated:,} of its keys are empty or "
            "stand in several rows. Give every base row a key of its own."
        )
    keys, sources = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for place, part in enumerate(contributed.contributions):
        own, empty = _keys(key, _rows_of(part.content_root_cleaned, contributed, [key]))
        repeated = _repeated(own, empty)
        if repeated:
            raise ContributionError(
                f"The contribution of {part.contributor_id} is refused: {repeated:,} of its keys "
                f"in column {key!r} are empty or stand in several rows, so it is not clear which "
                "version counts. Send one row a key."
            )
        keys.append(own)
        sources.append(np.full(len(own), place))
    # The last one in the order of the run configuration wins.
    reversed_keys = np.concatenate(keys)[::-1]
    winning, first = np.unique(reversed_keys, return_index=True)
    updated = int(np.isin(winning, base_keys).sum())
    limit = task.merge.max_updated_share
    if updated > limit * len(base_keys):
        raise ContributionError(
            f"The contributions would change {updated:,} of {counted(len(base_keys), 'base row')} "
            f"({updated / len(base_keys):.2%}), more than the accepted {limit:.2%}: send fewer "
            "new versions, or raise max_updated_share under [merge] in the task."
        )
    return _Winners(winning, np.concatenate(sources)[::-1][first], updated)


def _updated(
    task: Task, base: Dataset, contributed: ContributedDataset, winners: _Winners
) -> Iterator[pa.Table]:
    """Base without rows that have a new version, and the versions that count, by key range."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    key = task.merge.key
    assert key is not None
    roots = pa.array([c.content_root_cleaned for c in contributed.contributions], pa.string())
    for first, end in _ranges([base, contributed]):
        old = read_key_range(base.folder, first, end)
        new = read_key_range(contributed.folder, first, end)
        stays = winners.source_of(_key_numbers(key, old)) < 0
        places = np.asarray(pc.index_in(new.column(SOURCE), roots))
        counts = winners.source_of(_key_numbers(key, new)) == places
        yield pa.concat_tables([old.filter(pa.array(stays)), new.filter(pa.array(counts))])


def _rows_of(
    source: str, contributed: ContributedDataset, columns: list[str]
) -> Iterator[pa.Table]:
    import pyarrow.compute as pc

    for part in read_parts(contributed.folder, [*columns, SOURCE]):
        yield part.filter(pc.equal(part.column(SOURCE), source)).select(columns)


def _keys(name: str, parts: Iterable[pa.Table]) -> tuple[np.ndarray, int]:
    """The numbers of all keys, in order of the rows, and how many cells are empty."""
    import numpy as np

    found, empty = [np.zeros(0, np.uint64)], 0
    for part in parts:
        found.append(_key_numbers(name, part))
        empty += part.column(name).null_count
    return np.concatenate(found), empty


def _key_numbers(name: str, table: pa.Table) -> np.ndarray:
    """The first eight bytes of each key's digest, as a number (uint64)."""
    import numpy as np

    digests = fixed_bytes(digest_rows({name: table.column(name)}))
    numbers: np.ndarray = np.ascontiguousarray(digests[:, :8]).view(">u8").astype(np.uint64)
    return numbers.reshape(-1)


def _repeated(keys: np.ndarray, empty: int) -> int:
    """How many keys stand more than once, or once and are empty."""
    import numpy as np

    counts = np.unique(keys, return_counts=True)[1]
    return int((counts > 1).sum()) + (empty == 1)
