"""The first half of cleaning: from raw rows to typed, treated, keyed rows, a part at a time.

A pure function of one part of a file and the task's policy, and summaries that add up: parts can
be mapped in any order, anywhere. What needs other rows (duplicates, leakage) is the second half,
reducing.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.duplicates import with_keys
from hokusai_assets.contribution.exchange import fixed_bytes
from hokusai_assets.contribution.leakage import normalised_features
from hokusai_assets.contribution.near_texts import (
    SIGNATURE_COLUMNS,
    comparable,
    signature_columns,
)
from hokusai_assets.contribution.pii import PiiTally, Policy, treat_part
from hokusai_assets.contribution.rows import RawRows, Rejections, as_numbers
from hokusai_assets.contribution.schema import TypedPart, type_part
from hokusai_assets.table_digests import digest_rows
from hokusai_assets.tables import ROW_NUMBER

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class Mapped:
    """What became of the rows of one or more parts; row numbers count readable rows."""

    typed: int = 0
    dropped_pii: int = 0
    empty: dict[str, int] = field(default_factory=dict)
    rejections: Rejections = field(default_factory=Rejections)
    pii: PiiTally = field(default_factory=PiiTally)
    # of ids that must differ: the first eight bytes of each one's digest, and its row's number
    ids: list[tuple[Any, Any]] = field(default_factory=list)

    def include(self, other: Mapped) -> None:
        """Add what became of later parts."""
        self.typed += other.typed
        self.dropped_pii += other.dropped_pii
        for name, count in other.empty.items():
            self.empty[name] = self.empty.get(name, 0) + count
        self.rejections.include(other.rejections)
        self.pii.include(other.pii)
        self.ids.extend(other.ids)


def map_part(raw: RawRows, policy: Policy, *, sign: bool = False) -> tuple[pa.Table, Mapped]:
    """The part's rows that can be used, and what became of all.

    The table holds the task's kept columns, the row's number, its digest and its feature key; if
    it is to `sign` texts, their signatures too (SIGNATURE_COLUMNS).
    """
    import pyarrow as pa

    task = policy.task
    typed = type_part(raw, task)
    treated = treat_part(typed.table, typed.numbers, policy)
    key = task.id_column
    numbers = pa.array(as_numbers(typed.numbers)[as_numbers(treated.kept)], pa.int64())
    mapped = Mapped(
        typed=typed.table.num_rows,
        dropped_pii=typed.table.num_rows - len(treated.kept),
        empty={c.name: typed.table.column(c.name).null_count for c in task.kept_columns},
        rejections=typed.rejections,
        pii=treated.tally,
        # As received: what a mask makes equal was not.
        ids=[] if key is None or not key.unique else [_ids(typed, key.name)],
    )
    table = treated.table.append_column(ROW_NUMBER, numbers)
    normalised = normalised_features(table, task)
    if sign:
        columns = signature_columns(comparable(table, task, normalised))
        for name, column in zip(SIGNATURE_COLUMNS, columns, strict=True):
            table = table.append_column(name, column)
    return with_keys(table, task, normalised), mapped


def _ids(typed: TypedPart, name: str) -> tuple[Any, Any]:
    import numpy as np

    ids = typed.table.column(name)
    there = ids.is_valid().to_numpy()
    digests = fixed_bytes(digest_rows({name: ids}))[there, :8]
    numbers = np.ascontiguousarray(digests).view(">u8").reshape(-1).astype(np.uint64)
    return numbers, as_numbers(typed.numbers)[there]


def repeated_ids(mapped: Mapped) -> list[int]:
    """Numbers of the rows whose id another row has too, in order."""
    import numpy as np

    if not mapped.ids:
        return []
    ids, numbers = (np.concatenate(part) for part in zip(*mapped.ids, strict=True))
    _, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    repeated: list[int] = np.sort(numbers[counts[places] > 1]).tolist()
    return repeated
