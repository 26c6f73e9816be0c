"""Groups: no author, product or patient is both trained on and scored.

A model that has seen a group recognises the group's own traits, and a score on that group then says
little about others. So rows of base groups leave the benchmark, and contributed rows of the
benchmark's groups leave the contribution. Such a row has not leaked: nobody outside can know whose
rows are scored, so it counts neither as leaked nor among the rows that the leaked share is of
(where it would make the share smaller). Groups are equal if their cells are, as typed; a row
without a group is one of its own and shares it with none. Equal rows stand in leakage.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hokusai_assets.contribution.exchange import Buckets
from hokusai_assets.contribution.kept_rows import KeptRows
from hokusai_assets.contribution.leakage import all_benchmark_rows
from hokusai_assets.contribution.reducing import removed_rows
from hokusai_assets.records import Dataset
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, ROW_NUMBER, read_parts, read_table
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

REASON = "benchmark_group"


class BenchmarkGroups:
    """The groups that contributed rows must not have: the benchmark's that are not in base.

    Those of the whole benchmark, whether or not a row of theirs was sampled this time: the choice
    must not depend on a sample that nobody can foresee. Groups of base are no longer scored, so
    more rows of theirs are welcome; without base, as at a contributor's home, it is not known which
    are scored, and nothing is looked for.
    """

    def __init__(self, task: Task, base: Dataset | None, benchmark: Dataset | None) -> None:
        self._column = None if task.group_column is None else task.group_column.name
        self._groups: pa.Array | None = None
        if self._column is None or benchmark is None or base is None:
            return
        groups = groups_of(all_benchmark_rows(benchmark, task).column(self._column))
        self._groups = without(groups, stored_groups(base, self._column))

    def leave_out(self, kept: KeptRows, buckets: int, removed: Buckets) -> int:
        """Leave rows of these groups out of a contribution's kept rows; how many they were.

        Their row numbers and reason go to `removed`. Comes after leakage, near rows
        included: a copy of a benchmark row has leaked, whatever its group is.
        """
        if self._column is None or self._groups is None:
            return 0
        count = 0
        for bucket in range(buckets):
            here = kept.read(bucket, [self._column, ROW_NUMBER, ROW_DIGEST], whole=True)
            gone = among(here.column(self._column), self._groups)
            gone[kept.left_out(bucket)] = False
            if not gone.any():
                continue
            positions = gone.nonzero()[0].tolist()
            removed.write(bucket, removed_rows(here, [(at, REASON) for at in positions]))
            kept.leave_out(bucket, positions)
            count += len(positions)
        return count


def groups_of(cells: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The groups that some cells name, each once; rows without one have none to share."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.unique(cells).drop_null()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def stored_groups(dataset: Dataset, column: str) -> pa.Array:
    """The groups of a stored dataset's rows, each once."""
    import pyarrow as pa

    parts = [groups_of(table.column(column)) for table in read_parts(dataset.folder, [column])]
    return groups_of(pa.chunked_array(parts)) if parts else pa.array([])


def among(cells: pa.Array | pa.ChunkedArray, groups: pa.Array) -> np.ndarray:
    """Which of some group cells name one of `groups` (bool); an empty cell never does."""
    import numpy as np
    import pyarrow.compute as pc

    if not len(groups):
        return np.zeros(len(cells), bool)
    return np.array(pc.is_in(cells, value_set=groups, skip_nulls=True), bool)


def without(groups: pa.Array, others: pa.Array) -> pa.Array:
    """Some groups without others."""
    import pyarrow as pa

    return groups.filter(pa.array(~among(groups, others)))


def rows_in_common(training: Dataset, benchmark: Dataset, task: Task) -> tuple[int, int]:
    """How many training rows have the features, exact or normalised, of a row that is scored.

    And how many others belong to the group of one.
    """
    import numpy as np

    scored = set(read_table(benchmark.folder, [FEATURE_KEY]).column(FEATURE_KEY).to_pylist())
    name = None if task.group_column is None else task.group_column.name
    groups = None if name is None else stored_groups(benchmark, name)
    same_features = same_group = 0
    for rows in read_parts(training.folder, [FEATURE_KEY, *([name] if name else [])]):
        found = np.array([key in scored for key in rows.column(FEATURE_KEY).to_pylist()], bool)
        same_features += int(found.sum())
        if name is not None:
            same_group += int((among(rows.column(name), groups) & ~found).sum())
    return same_features, same_group
