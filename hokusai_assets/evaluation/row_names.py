"""What the benchmark's owner calls its rows and groups, in the order of stored predictions.

For leaves, which hide both; predictions on disk hold neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from hokusai_assets.errors import StorageError
from hokusai_assets.evaluation.benchmarking import leaf_order, row_ids
from hokusai_assets.records import BenchmarkDataset
from hokusai_assets.tables import ROW_DIGEST, read_table
from hokusai_assets.task import Task


@dataclass(frozen=True, repr=False)
class RowNames:
    """Ids ("" where a row has none) and groups (None likewise) in leaf order; None without column.

    They may be personal data, so nothing prints them.
    """

    ids: list[str] | None
    groups: list[str | None] | None


def row_names(task: Task, benchmark: BenchmarkDataset, row_digests: list[bytes]) -> RowNames:
    """The names of the rows with these digests; raises StorageError for another benchmark's."""
    columns = [c.name for c in (task.id_column, task.group_column) if c is not None]
    table = read_table(benchmark.folder, [ROW_DIGEST, *columns])
    order = leaf_order(task, table).tolist()
    digests = table.column(ROW_DIGEST).to_pylist()
    if [digests[place] for place in order] != row_digests:
        raise StorageError(
            "The stored predictions are not of this benchmark's rows: materialize "
            "benchmark_metrics again."
        )
    ids, groups = None, None
    if task.id_column is not None:
        names = row_ids(task, table)
        ids = [names[place] for place in order]
    if task.group_column is not None:
        cells = table.column(task.group_column.name).to_pylist()
        groups = [None if cells[place] is None else str(cells[place]) for place in order]
    return RowNames(ids, groups)
