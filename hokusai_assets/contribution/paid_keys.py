"""Feature keys of rows paid for: spilled once a cleaning, and looked up a range at a time.

A row was paid for if a paid row has its feature key, whatever the label, so keys are all that is
compared here; rows that are only near are compared with the rows themselves (near_rows.py). All
keys of a lineage may be more than memory should hold, and every process needs them. They are
written raw to one local file, each dataset's sorted, and their first eight bytes beside them; a
bucket's share is then one slice of each dataset, found by binary search in what is mapped into
memory. Reading row groups of Parquet for every bucket instead, as base is read, opens every
dataset once a bucket, and there may be hundreds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.exchange import fixed_bytes, key_numbers
from hokusai_assets.contribution.leakage import feature_keys
from hokusai_assets.errors import StorageError
from hokusai_assets.records import PaidDataset
from hokusai_assets.table_digests import DIGEST_BYTES
from hokusai_assets.tables import FEATURE_KEY, read_parts
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_PREFIX_BYTES = 8


class PaidKeys:
    """The keys of some datasets. Paths and offsets only, so that another process can have it."""

    def __init__(self, datasets: Sequence[PaidDataset], task: Task, folder: Path) -> None:
        """Spill the datasets' keys into `folder`, a new local one."""
        folder.mkdir(parents=True)
        self._keys = folder / "keys"
        self._prefixes = folder / "prefixes"
        self._starts = [0]
        with self._keys.open("wb") as keys, self._prefixes.open("wb") as prefixes:
            for dataset in datasets:
                written, in_order, last = 0, True, 0
                for table in _key_tables(dataset, task):
                    numbers = key_numbers(table)
                    keys.write(fixed_bytes(table.column(FEATURE_KEY)).data)
                    prefixes.write(numbers.data)
                    if len(numbers):
                        in_order &= last <= numbers[0] and bool((numbers[1:] >= numbers[:-1]).all())
                        last, written = numbers[-1], written + len(numbers)
                if written != dataset.row_count:
                    raise StorageError(
                        f"Of the {dataset.row_count:,} rows paid for in {dataset.folder}, "
                        f"{written:,} are there: restore the store of paid rows."
                    )
                self._starts.append(self._starts[-1] + written)
                if not in_order:
                    keys.flush()
                    prefixes.flush()
                    self._sort_last()

    def __len__(self) -> int:
        return self._starts[-1]

    def _sort_last(self) -> None:
        """Sort the dataset that was written last; most are stored in order."""
        import numpy as np

        some = slice(self._starts[-2], self._starts[-1])
        numbers = np.memmap(self._prefixes, np.uint64, "r+")[some]
        keys = np.memmap(self._keys, np.uint8, "r+").reshape(-1, DIGEST_BYTES)[some]
        order = np.argsort(numbers, kind="stable")
        numbers[:], keys[:] = numbers[order], keys[order]

    def among(
        self, table: pa.Table, key_range: tuple[bytes, bytes | None] = (b"", None)
    ) -> np.ndarray:
        """Which rows of a table have a key that is paid for (bool).

        The table is in order of its keys, and they lie in `key_range`.
        """
        import numpy as np

        found = np.zeros(table.num_rows, bool)
        if not len(self) or not table.num_rows:
            return found
        ours, keys = key_numbers(table), fixed_bytes(table.column(FEATURE_KEY))
        stored = np.memmap(self._keys, np.uint8, "r").reshape(-1, DIGEST_BYTES)
        for start, numbers in self._slices(*key_range):
            # The few that begin alike are compared whole; equal beginnings stand in a row.
            first = np.searchsorted(ours, numbers, side="left")
            last = np.searchsorted(ours, numbers, side="right")
            theirs = np.flatnonzero(first < last)
            counts = (last - first)[theirs]
            places = np.repeat(first[theirs], counts) + _counted_up(counts)
            begins = np.repeat(theirs, counts) + start
            equal = (keys[places] == stored[begins]).all(axis=1)
            found[places[equal]] = True
        return found

    def _slices(self, first: bytes, end: bytes | None) -> Iterator[tuple[int, np.ndarray]]:
        """Of each dataset, where its keys of a range begin, and their prefixes."""
        import numpy as np

        numbers = np.memmap(self._prefixes, np.uint64, "r")
        least = int.from_bytes(first.ljust(_PREFIX_BYTES, b"\0"), "big")
        for start, stop in zip(self._starts, self._starts[1:], strict=False):
            own = numbers[start:stop]
            low = int(np.searchsorted(own, np.uint64(least)))
            high = len(own)
            if end is not None:
                bound = int.from_bytes(end.ljust(_PREFIX_BYTES, b"\0"), "big")
                high = int(np.searchsorted(own, np.uint64(bound)))
            if low < high:
                yield start + low, own[low:high]


def _key_tables(dataset: PaidDataset, task: Task) -> Iterator[pa.Table]:
    """A dataset's keys as the task makes them, a row group at a time."""
    import pyarrow as pa

    features = {c.name: c.type for c in task.features}
    if features == {c.name: c.type for c in dataset.features}:
        yield from read_parts(dataset.folder, [FEATURE_KEY])
        return
    # The lineage's tasks look at other columns: keys are made anew, and in no order.
    for table in read_parts(dataset.folder, list(features)):
        yield pa.table({FEATURE_KEY: feature_keys(table, task)})


def _counted_up(counts: Any) -> Any:
    """0, 1, ... for each count, one after another."""
    import numpy as np

    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
