"""The manifest of a cleaned file: what it held and what cleaning did, without any text of a cell.

Of number features the least and greatest value stand in it; of texts lengths only. Rows, columns,
null and unique counts are those of the rows that remain; where the others went stands in the
counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from hokusai_assets.contribution.pii import Policy
from hokusai_assets.contribution.receiving import Received
from hokusai_assets.records import CleaningCounts, ColumnSchema, DataManifest, Quality
from hokusai_assets.task import Task

OPERATORS_OWN = "Near rows were not looked for: these are the operator's own data."


def column_schemas(task: Task) -> tuple[ColumnSchema, ...]:
    """The task's kept columns, as every stored dataset has them."""
    return tuple(ColumnSchema(name=c.name, type=c.type) for c in task.kept_columns)


# What reads, types and compares; an auditor who finds other counts looks here first.
ENGINES = ("duckdb", "pyarrow", "numpy", "phonenumbers", "python-stdnum")


@dataclass(frozen=True)
class StoredRows:
    """What a manifest says of the rows that were stored, counted while they were."""

    rows: int
    null_counts: dict[str, int]
    unique_counts: dict[str, int]
    unique_counts_exact: bool
    label_counts: dict[Any, int]  # of a number target by tenths of its range
    column_statistics: dict[str, dict[str, float]] = field(default_factory=dict)


def build_manifest(
    received: Received,
    stored: StoredRows,
    counts: CleaningCounts,
    policy: Policy,
    *,
    content_root: str,
    quality: Quality | None = None,
    near_method: str = OPERATORS_OWN,
) -> DataManifest:
    """The manifest of the rows of a file that cleaning kept and stored."""
    columns = column_schemas(policy.task)
    return DataManifest(
        source=received.source,
        data_hash=content_root,
        row_count=stored.rows,
        column_count=len(columns),
        columns=columns,
        null_counts=stored.null_counts,
        unique_counts=stored.unique_counts,
        unique_counts_exact=stored.unique_counts_exact,
        column_statistics=stored.column_statistics,
        engines={name: version(name) for name in ENGINES},
        dropped_columns=received.dropped_columns,
        rejections=received.rejections.reasons(),
        pii=received.pii,
        pii_policy=policy.sentence,
        counts=counts,
        quality=quality,
        near_method=near_method,
    )
