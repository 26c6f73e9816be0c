"""A file's rows as received: read, typed, treated, keyed, and spilled in canonical order.

Nothing here compares rows with others, so contributions, base and benchmark all come this way. A
file of any size takes the memory of a few of its parts.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai_assets.contribution.duplicates import in_canonical_order
from hokusai_assets.contribution.exchange import Exchange, bucket_count
from hokusai_assets.contribution.handing_over import HandedRows, hand_over
from hokusai_assets.contribution.mapping import Mapped, map_part, repeated_ids
from hokusai_assets.contribution.pii import Policy
from hokusai_assets.contribution.reading import open_reader, refuse_no_rows
from hokusai_assets.contribution.rows import (
    FIRST_ROWS,
    Count,
    RawRows,
    Rejections,
    RowNumbers,
    RowReader,
    counted,
)
from hokusai_assets.contribution.schema import refuse_nulls, refuse_too_many
from hokusai_assets.contribution.sorted_roots import SortedRoot
from hokusai_assets.contribution.workers import Workers
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import PiiCount, SourceFile
from hokusai_assets.tables import ROW_DIGEST, ROW_NUMBER
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Received:
    """What is known of a file once all of it was read; its rows lie in `exchange`."""

    source: SourceFile
    exchange: Exchange
    read: int
    rejections: Rejections
    dropped_columns: tuple[str, ...]
    dropped_pii: int
    pii: tuple[PiiCount, ...]
    number: RowNumbers

    @property
    def rejected(self) -> int:
        """Rows that are malformed or do not fit the task."""
        return len(self.rejections.rows)

    def bucket(self, bucket: int, task: Task) -> pa.Table:
        """A bucket's rows in canonical order, numbered as in the file."""
        return in_canonical_order(self.numbered(self.exchange.read(bucket)), task)

    def numbered(self, table: pa.Table) -> pa.Table:
        """Rows of the exchange, numbered as in the file."""
        import pyarrow as pa

        numbers = pa.array(self.number.of_array(table.column(ROW_NUMBER).to_numpy()), pa.int64())
        return table.set_column(table.schema.get_field_index(ROW_NUMBER), ROW_NUMBER, numbers)


def receive(
    path: str,
    policy: Policy,
    folder: Path,
    workers: Workers,
    *,
    buckets: int = 0,
    sign: bool = False,
    count: Count = lambda rows, share: None,
) -> Received:
    """Read a file into `folder`, a new one; raise ContributionError if all of it is refused.

    `buckets` is how many its rows go to; 0 chooses by its size. Texts are signed if near ones will
    be looked for.
    """
    task = policy.task
    mapped = Mapped()
    with open_reader(path, task) as reader:
        exchange = Exchange(folder, buckets or bucket_count(reader.source.size_bytes))
        parts: Iterable[RawRows | HandedRows] = reader.parts()
        if workers.elsewhere:
            parts = hand_over(reader.parts(), folder.with_name(f"{folder.name}-handed"))
        for part in workers.in_order(
            functools.partial(_map, policy, exchange, sign), enumerate(parts)
        ):
            mapped.include(part)
            count(mapped.typed + len(mapped.rejections.rows), reader.share)
            _refuse_too_many_rows(reader, mapped, task)
    refuse_no_rows(reader)
    rejections = reader.rejections.copy()
    rejections.include(mapped.rejections.renumbered(reader.number))
    name = reader.source.name
    refuse_too_many(name, reader.read, rejections, task)
    refuse_nulls(name, mapped.typed, mapped.empty, task)
    mapped.pii.refuse(name, reader.number)
    _refuse_repeated_ids(name, mapped, reader, task)
    return Received(
        source=reader.source,
        exchange=exchange,
        read=reader.read,
        rejections=rejections,
        dropped_columns=reader.dropped_columns,
        dropped_pii=mapped.dropped_pii,
        pii=mapped.pii.counts(),
        number=reader.number,
    )


def _refuse_too_many_rows(reader: RowReader, mapped: Mapped, task: Task) -> None:
    rows, limit = mapped.typed + len(mapped.rejections.rows), task.reading.max_rows
    if rows > limit:
        raise ContributionError(
            f"The file {reader.source.name} is refused: it has more than the accepted {limit:,} "
            "rows. Send fewer, or raise max_rows under [reading] in the task."
        )


def _refuse_repeated_ids(name: str, mapped: Mapped, reader: RowReader, task: Task) -> None:
    rows = repeated_ids(mapped)
    if rows and task.id_column is not None:
        first = ", ".join(map(str, reader.number(rows[:FIRST_ROWS])))
        raise ContributionError(
            f"The file {name} is refused: in column {task.id_column.name!r}, whose cells must "
            f"differ, {counted(len(rows), 'row')} share theirs with another row (first rows: "
            f"{first}). Give each row an id of its own."
        )


def received_root(exchange: Exchange, folder: Path) -> str:
    """The content root of all rows as received."""
    root = SortedRoot(folder)
    for digests in exchange.column(ROW_DIGEST):
        root.add(digests)
    return root.root()


def _map(
    policy: Policy, exchange: Exchange, sign: bool, item: tuple[int, RawRows | HandedRows]
) -> Mapped:
    part, handed = item
    raw = handed.take() if isinstance(handed, HandedRows) else handed
    table, mapped = map_part(raw, policy, sign=sign)
    exchange.write(part, table)
    return mapped
