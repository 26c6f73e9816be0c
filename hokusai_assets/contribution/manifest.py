"""The manifest of a cleaned file: what it held and what cleaning did, without any cell's value.

Rows, columns, null and unique counts are those of the rows that remain; where the others went
stands in the counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hokusai_assets.contribution.pii import Policy
from hokusai_assets.contribution.rows import TypedRows
from hokusai_assets.records import (
    CleaningCounts,
    ColumnSchema,
    DataManifest,
    PiiCount,
    Quality,
)
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa


def column_schemas(task: Task) -> tuple[ColumnSchema, ...]:
    """The task's kept columns, as every stored dataset has them."""
    return tuple(ColumnSchema(name=c.name, type=c.type) for c in task.kept_columns)


def build_manifest(
    typed: TypedRows,
    table: pa.Table,
    counts: CleaningCounts,
    pii: tuple[PiiCount, ...],
    policy: Policy,
    *,
    content_root: str,
    quality: Quality | None = None,
) -> DataManifest:
    """The manifest of `table`, the rows of `typed` that cleaning kept."""
    import pyarrow.compute as pc

    task = policy.task
    cells = {c.name: table.column(c.name) for c in task.kept_columns}
    return DataManifest(
        source=typed.source,
        data_hash=content_root,
        row_count=table.num_rows,
        column_count=len(cells),
        columns=column_schemas(task),
        null_counts={name: column.null_count for name, column in cells.items()},
        unique_counts={
            name: pc.count_distinct(column, mode="only_valid").as_py()
            for name, column in cells.items()
        },
        dropped_columns=typed.dropped_columns,
        rejections=typed.rejections,
        pii=pii,
        pii_policy=policy.sentence,
        counts=counts,
        quality=quality,
    )
