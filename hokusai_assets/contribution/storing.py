"""Kept rows to Parquet, bucket by bucket, and what the manifest says of them."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.column_tallies import ColumnTally, tally_column
from hokusai_assets.contribution.duplicates import with_source
from hokusai_assets.contribution.exchange import MOST_BUCKETS, Buckets
from hokusai_assets.contribution.manifest import StoredRows
from hokusai_assets.contribution.receiving import Received
from hokusai_assets.contribution.reducing import ALREADY_PAID
from hokusai_assets.contribution.workers import Workers
from hokusai_assets.errors import StorageError
from hokusai_assets.files import join
from hokusai_assets.records import ContributedDataset
from hokusai_assets.table_digests import DIGEST_BYTES
from hokusai_assets.tables import PARTS, read_parts, write_table
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of which distinct values are counted; of more they are estimated, at a tenth of the cost.
EXACT_TO = 100_000
ENGINE_MEMORY = "400MB"

REJECTED = "rejected.parquet"
REMOVED = "removed.parquet"


def store(
    bucket_rows: Callable[[int], pa.Table],
    buckets: int,
    task: Task,
    root: str,
    folder: Path,
    workers: Workers,
    *,
    first_part: int = 0,
) -> StoredRows:
    """Write each bucket's rows as one part with `root` as every row's source, and count them.

    `bucket_rows` gives a bucket's rows in the columns to be stored. Empty buckets become no part,
    except that of a folder's first rows.
    """
    write = functools.partial(_write_bucket, bucket_rows, task, root, str(folder), first_part)
    rows = 0
    nulls: Counter[str] = Counter()
    labels: Counter[Any] = Counter()
    columns = {c.name: ColumnTally() for c in task.features}
    for written, empty, told, tallies in workers.in_order(write, range(buckets)):
        rows += written
        nulls.update(empty)
        labels.update(told)
        for name, tally in tallies.items():
            columns[name].include(tally)
    return StoredRows(
        rows=rows,
        null_counts={c.name: nulls[c.name] for c in task.kept_columns},
        unique_counts=_unique_counts(task, folder, first_part, buckets, exact=rows <= EXACT_TO),
        unique_counts_exact=rows <= EXACT_TO,
        label_counts=dict(labels),
        column_statistics={name: tally.statistics() for name, tally in columns.items()},
    )


def label_counts(folder: str, task: Task) -> dict[Any, int]:
    """How many stored rows have each label, or tenth of the range of a number target."""
    counts: Counter[Any] = Counter()
    for table in read_parts(folder, [task.target.name]):
        counts.update(_labels(table, task))
    return dict(counts)


def write_rejected(received: Sequence[Received], folder: Path) -> None:
    """List every rejected row of some files beside the rows: where it stands and why, no text.

    `contribution` is the file's place in `received`. A line that is no row has its line number (1
    is the header), byte offset and size; a row that does not fit has the column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        {
            "contribution": pa.int64(),
            "file": pa.string(),
            "row": pa.int64(),
            "line": pa.int64(),
            "byte_offset": pa.int64(),
            "size_bytes": pa.int64(),
            "column": pa.string(),
            "reason": pa.string(),
        }
    )
    rows = []
    for index, file in enumerate(received):
        lines = {line.row: line for line in file.rejections.lines}
        for row, column, reason in file.rejections.listed():
            line = None if column else lines.get(row)
            place = (line.line, line.byte_offset, line.size_bytes) if line else (None, None, None)
            name = line.file if line else file.source.name
            rows.append((index, name, row, *place, column, reason))
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)
    pq.write_table(table, folder / REJECTED)


def write_removed(removed: Sequence[Sequence[Buckets]], folder: Path) -> None:
    """List every row that left because it matched another: its number and why, and its digest if
    it was paid for before. For operators only: contributors must not learn which rows stand in the
    benchmark.

    `removed` are, of each contribution, the places where its removed rows were spilled.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = {
        "contribution": pa.int64(),
        "row": pa.int64(),
        "reason": pa.string(),
        "row_digest": pa.binary(DIGEST_BYTES),
    }
    with pq.ParquetWriter(folder / REMOVED, pa.schema(names)) as writer:
        for index, spilled in enumerate(removed):
            for bucket in range(MOST_BUCKETS):
                for rows in (place.read(bucket) for place in spilled if bucket in place):
                    column = pa.array([index] * rows.num_rows, pa.int64())
                    writer.write_table(rows.add_column(0, "contribution", column))


def paid_digests(contributed: ContributedDataset) -> list[bytes]:
    """The digests, 32 bytes each, of rows that were left out as already paid.

    Raises StorageError where the list beside the rows does not hold as many as were counted.
    """
    counted = sum(c.counts.already_paid for c in contributed.contributions)
    if not counted:
        return []
    import fsspec
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: list[bytes] = []  # as from an older version, too few
    try:
        with fsspec.open(join(contributed.folder, REMOVED), "rb") as stream:
            listed = pq.read_table(stream, columns=["reason", "row_digest"])
        own = listed.filter(pc.equal(listed.column("reason"), ALREADY_PAID))
        found = own.column("row_digest").drop_null().to_pylist()
    except (FileNotFoundError, pa.ArrowInvalid):
        pass
    if len(found) != counted:
        raise StorageError(
            f"{REMOVED} of the cleaned contributions does not name the {counted:,} rows that were "
            "left out as already paid: materialize contributed_data again."
        )
    return found


def _write_bucket(
    bucket_rows: Callable[[int], pa.Table],
    task: Task,
    root: str,
    folder: str,
    first_part: int,
    bucket: int,
) -> tuple[int, dict[str, int], dict[Any, int], dict[str, ColumnTally]]:
    table = bucket_rows(bucket)
    if table.num_rows or bucket == 0:
        write_table(with_source(table, root), folder, first_part + bucket)
    empty = {c.name: table.column(c.name).null_count for c in task.kept_columns}
    # Of features only: an id's least value is somebody's id.
    tallies = {c.name: tally_column(table.column(c.name)) for c in task.features}
    return table.num_rows, empty, _labels(table, task), tallies


def _labels(table: pa.Table, task: Task) -> dict[Any, int]:
    """Rows of each label, of a number target of each tenth of its range."""
    if task.kind == "regression":
        # Late, since it loads scipy, which nothing else here needs.
        from hokusai_assets.scoring.target_scale import scaled, tenths

        numbers = scaled(task.target_scale, table.column(task.target.name).to_numpy())
        return dict(Counter(tenths(numbers).tolist()))
    counted = table.column(task.target.name).value_counts()
    return {item["values"]: item["counts"] for item in counted.to_pylist()}


def _unique_counts(
    task: Task, folder: Path, first_part: int, buckets: int, *, exact: bool
) -> dict[str, int]:
    """Distinct values of each column, null aside, over the parts just written."""
    import duckdb

    paths = [str(folder / PARTS.format(part)) for part in range(first_part, first_part + buckets)]
    paths = [path for path in paths if Path(path).exists()]
    names = [c.name for c in task.kept_columns]
    count = 'count(DISTINCT "{}")' if exact else 'approx_count_distinct("{}")'
    counted = {}
    with duckdb.connect() as connection:
        connection.execute("SET autoinstall_known_extensions=false")
        connection.execute(f"SET memory_limit='{ENGINE_MEMORY}'")
        scratch = str(folder.parent / "unique.tmp").replace("'", "''")
        connection.execute(f"SET temp_directory='{scratch}'")
        for name in names:  # one at a time, so that one column's values are in memory
            quoted = name.replace('"', '""')
            row = connection.execute(
                f"SELECT {count.format(quoted)} FROM read_parquet(?, hive_partitioning=false)",
                [paths],
            ).fetchall()
            counted[name] = int(row[0][0])
    return counted
