"""Rows on their way from a file to the task's types, and the tally of those that were rejected.

Raw cells are text with a kind, because a file's format must not decide what a cell means: the
number 1 of a JSON file, the text "1" of a CSV file and the integer 1 of a Parquet file go through
the same typing. What a column accepts stands in schema.py.
"""

from __future__ import annotations

import abc
import dataclasses
import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai_assets.records import RejectionReason, SourceFile

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Numbers of readable rows to the file's row numbers, which are known when all of it was read.
Renumber = Callable[[Iterable[int]], list[int]]
# Hears how many rows were read so far, and which share of the file that is, about, if it is known.
Count = Callable[[int, float | None], None]

FIRST_ROWS = 5
ROWS_AT_ONCE = 1 << 17  # of a part: enough for Arrow, and little memory
PART_BYTES = 32 << 20  # of a part's cells, past which it ends whatever its rows
LISTED_REASONS = 12


class Kind(enum.IntEnum):
    """What a file says a cell is; its text is kept beside it."""

    TEXT = 0
    NUMBER = 1
    BOOLEAN = 2
    TIME = 3
    NESTED = 4
    INVALID = 5  # text that is no valid Unicode; its characters are not kept


@dataclass(frozen=True)
class RawColumn:
    """Cells as text (null where empty), with one kind for all or an int8 kind each."""

    text: pa.Array
    kind: Kind | pa.Array = Kind.TEXT


@dataclass(frozen=True)
class MalformedLine:
    """Where a row that is no row stands: its line (1 is the header), byte offset and length."""

    row: int
    file: str
    line: int
    byte_offset: int | None
    size_bytes: int | None
    reason: str


@dataclass
class Rejections:
    """Rejected rows by (column, reason): counts and the first row numbers, never a cell.

    A row can be rejected for several reasons and is then counted under each, but once in `rows`.
    """

    rows: set[int] = field(default_factory=set)
    lines: list[MalformedLine] = field(default_factory=list)
    _reasons: dict[tuple[str | None, str], list[int]] = field(default_factory=dict)

    def add(self, column: str | None, reason: str, rows: Iterable[int]) -> None:
        """Reject `rows` (1 is the first data row) for `reason`."""
        numbers = sorted(rows)
        if numbers:
            self.rows.update(numbers)
            self._reasons.setdefault((column, reason), []).extend(numbers)

    def copy(self) -> Rejections:
        """The same tally, to be added to."""
        reasons = {key: list(rows) for key, rows in self._reasons.items()}
        return Rejections(set(self.rows), list(self.lines), reasons)

    def include(self, other: Rejections) -> None:
        """Add another tally of the same file."""
        self.lines.extend(other.lines)
        for (column, reason), rows in other._reasons.items():
            self.add(column, reason, rows)

    def placed(self, rows_before: int) -> Rejections:
        """The same tally of a file that follows others with so many rows."""
        found = Rejections(
            lines=[dataclasses.replace(ln, row=ln.row + rows_before) for ln in self.lines]
        )
        for (column, reason), rows in self._reasons.items():
            found.add(column, reason, [row + rows_before for row in rows])
        return found

    def renumbered(self, number: Renumber) -> Rejections:
        """The same tally with other row numbers."""
        found = Rejections(lines=list(self.lines))
        for (column, reason), rows in self._reasons.items():
            found.add(column, reason, number(rows))
        return found

    def listed(self) -> list[tuple[int, str | None, str]]:
        """Row number, column and reason of each, in order of the rows."""
        return sorted(
            (
                (row, column, reason)
                for (column, reason), rows in self._reasons.items()
                for row in rows
            ),
            key=lambda item: (item[0], item[1] or "", item[2]),
        )

    def reasons(self) -> tuple[RejectionReason, ...]:
        """Every reason, by column and reason."""
        return tuple(
            RejectionReason(
                column=column,
                reason=reason,
                count=len(rows),
                first_rows=tuple(sorted(rows)[:FIRST_ROWS]),
            )
            for (column, reason), rows in sorted(
                self._reasons.items(), key=lambda item: (item[0][0] or "", item[0][1])
            )
        )


@dataclass(frozen=True)
class RawRows:
    """What reading gives: cells of the task's kept columns that the file has, a row a position.

    `numbers` are the file's row numbers of the cells' positions; `read` counts rejected rows too.
    Of a part of a file, `numbers` count its readable rows only (see RowReader), and `rejections`
    and `dropped_columns` are empty.
    """

    source: SourceFile
    columns: dict[str, RawColumn]
    numbers: Sequence[int]
    read: int
    rejections: Rejections
    dropped_columns: tuple[str, ...]


@dataclass(frozen=True)
class RowNumbers:
    """The file's row numbers of its readable rows: those that are no rows are counted too."""

    malformed: tuple[int, ...]

    def __call__(self, readable: Iterable[int]) -> list[int]:
        """The numbers of rows that count readable ones from 1."""
        import numpy as np

        numbers: list[int] = self.of_array(np.fromiter(readable, np.int64)).tolist()
        return numbers

    def of_array(self, readable: np.ndarray) -> np.ndarray:
        """The same of an array (int64)."""
        import numpy as np

        malformed = np.array(self.malformed, np.int64)
        before = malformed - np.arange(len(malformed))
        return readable + np.searchsorted(before, readable, side="right")


class RowReader(abc.ABC):
    """A file that is read part by part; what became of it is known when `parts` is exhausted."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.read = 0
        self.rejections = Rejections()
        self.dropped_columns: tuple[str, ...] = ()
        self.share: float | None = None  # read so far, about; for people who wait

    @abc.abstractmethod
    def parts(self) -> Iterator[RawRows]:
        """Consecutive rows; `numbers` count the readable ones from 1 over all parts."""

    @property
    def number(self) -> RowNumbers:
        """From readable rows to the file's row numbers, once all parts were read."""
        return RowNumbers(tuple(sorted(self.rejections.rows)))

    def whole(self) -> RawRows:
        """All parts as one."""
        import pyarrow as pa

        parts = list(self.parts())
        columns: dict[str, RawColumn] = {}
        for name in dict.fromkeys(name for part in parts for name in part.columns):
            cells = [part.columns.get(name) or _absent(len(part.numbers)) for part in parts]
            kind: Kind | pa.Array = cells[0].kind
            if any(cell.kind is not kind for cell in cells):
                kind = pa.concat_arrays([_kinds(cell) for cell in cells])
            columns[name] = RawColumn(pa.concat_arrays([cell.text for cell in cells]), kind)
        return RawRows(
            source=self.source,
            columns=columns,
            numbers=self.number(n for part in parts for n in part.numbers),
            read=self.read,
            rejections=self.rejections,
            dropped_columns=self.dropped_columns,
        )


def _absent(count: int) -> RawColumn:
    import pyarrow as pa

    return RawColumn(pa.nulls(count, pa.string()))


def _kinds(column: RawColumn) -> pa.Array:
    import pyarrow as pa

    if not isinstance(column.kind, Kind):
        return column.kind
    return pa.array([int(column.kind)] * len(column.text), pa.int8())


@dataclass(frozen=True)
class TypedRows:
    """What typing gives: a table of the task's kept columns, and what became of the other rows."""

    source: SourceFile
    table: pa.Table
    numbers: Sequence[int]
    read: int
    rejected: int
    rejections: tuple[RejectionReason, ...]
    dropped_columns: tuple[str, ...]


def as_numbers(numbers: Sequence[int]) -> np.ndarray:
    """Row numbers as an array (int64); those of a whole part are a range, which costs nothing."""
    import numpy as np

    if isinstance(numbers, range):
        return np.arange(numbers.start, numbers.stop, numbers.step, dtype=np.int64)
    return np.asarray(numbers, np.int64)


def take_rows(table: pa.Table, positions: Sequence[int]) -> pa.Table:
    """The table's rows at `positions`, which may be none."""
    import pyarrow as pa

    return table.take(pa.array(positions, pa.int64()))


def describe(reasons: Sequence[RejectionReason]) -> str:
    """The reasons with counts and row numbers, for an error's message."""
    parts = [
        (f"column {r.column!r}: " if r.column else "")
        + r.reason
        + (f" ({counted(r.count, 'row')}: {_numbers(r)})" if r.first_rows else "")
        for r in sorted(reasons, key=lambda r: -r.count)
    ]
    left = len(parts) - LISTED_REASONS
    return "; ".join(parts[:LISTED_REASONS]) + (f"; and {left} more reasons" if left > 0 else "")


def counted(count: int, noun: str) -> str:
    """`count` and `noun`, in the plural where it is due."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _numbers(reason: RejectionReason) -> str:
    listed = ", ".join(map(str, reason.first_rows))
    return listed + (", ..." if reason.count > len(reason.first_rows) else "")
