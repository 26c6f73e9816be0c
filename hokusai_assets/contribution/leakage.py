"""Leakage: by which key a row's features are compared with a benchmark's, and where keys are kept.

Two keys a row: the exact digest of its features, and the feature key, in which text is normalised
(normalising.py). Equal features have equal feature keys, so rows that match by key alone are those
that somebody edited. The target is in neither: a benchmark row with
another label leaks too. Duplicates stand in duplicates.py.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai_assets.contribution.normalising import normalise_column
from hokusai_assets.errors import StorageError
from hokusai_assets.files import join
from hokusai_assets.records import BenchmarkDataset, Dataset
from hokusai_assets.table_digests import digest_rows
from hokusai_assets.tables import FEATURE_KEY, in_one, read_table
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FEATURE_DIGEST = "_feature_digest"
# An Arrow file, not Parquet: whoever reads the folder's rows must not take the keys for rows.
ALL_KEYS = "all_keys.arrow"


@dataclass(frozen=True)
class FeatureKeys:
    """The keys of a set of rows: what a contributed row must not match."""

    exact: frozenset[bytes]
    normalised: frozenset[bytes]

    @functools.cached_property
    def prefixes(self) -> np.ndarray:
        """The first eight bytes of each feature key, as sorted numbers."""
        import numpy as np

        return np.sort(np.array([int.from_bytes(k[:8], "big") for k in self.normalised], "u8"))


NO_KEYS = FeatureKeys(frozenset(), frozenset())


def feature_digests(table: pa.Table, task: Task) -> pa.Array:
    """The digest of each row's features as they are, 32 bytes a row."""
    return digest_rows({c.name: table.column(c.name) for c in task.features})


def normalised_features(table: pa.Table, task: Task) -> dict[str, pa.Array]:
    """The text and category features as they are compared."""
    return {
        column.name: normalise_column(
            in_one(table.column(column.name)),
            # Marks tell categories apart ("A-" is not "A"); in running text they are decoration.
            punctuation=column.type == "category",
        )
        for column in task.features
        if column.type in {"text", "category"}
    }


def feature_keys(table: pa.Table, task: Task) -> pa.Array:
    """The digest of each row's features with text normalised, 32 bytes a row."""
    normalised = normalised_features(table, task)
    return digest_rows({c.name: table.column(c.name) for c in task.features} | normalised)


def write_benchmark_keys(table: pa.Table, task: Task, folder: str | Path) -> None:
    """Store the keys of the whole benchmark beside the sample that is scored.

    `table` is the benchmark as load_reference gives it, before rows leave it. A row that was not
    sampled is a benchmark row all the same, and must not be trained on: another run may score it.
    """
    import pyarrow as pa

    # The content too: near rows are found by what they say, not by keys.
    columns = {c.name: table.column(c.name) for c in task.content_columns}
    keys = pa.table(
        {
            **columns,
            FEATURE_KEY: table.column(FEATURE_KEY),
            FEATURE_DIGEST: feature_digests(table, task),
        }
    )
    with pa.ipc.new_file(Path(folder, ALL_KEYS), keys.schema) as writer:
        writer.write_table(keys)


def benchmark_keys(benchmark: Dataset, task: Task) -> FeatureKeys:
    """The keys of the whole benchmark, or of its stored rows where these are the whole.

    Kept from one call to the next, since each bucket of a contribution asks for them. Raises
    StorageError if rows were left out or sampled and their keys are gone: leakage would then be
    missed without a word.
    """
    asked = (benchmark.folder, benchmark.content_root)
    if asked not in _last_asked:
        _last_asked.clear()
        _last_asked[asked] = _read_keys(benchmark, task)
    return _last_asked[asked]


_last_asked: dict[tuple[str, str], FeatureKeys] = {}


def _read_keys(benchmark: Dataset, task: Task) -> FeatureKeys:
    rows = all_benchmark_rows(benchmark, task)
    return FeatureKeys(
        frozenset(rows.column(FEATURE_DIGEST).to_pylist()),
        frozenset(rows.column(FEATURE_KEY).to_pylist()),
    )


def all_benchmark_rows(benchmark: Dataset, task: Task) -> pa.Table:
    """The whole benchmark's content and keys, FEATURE_DIGEST among them; see benchmark_keys."""
    import fsspec
    import pyarrow as pa

    fs, path = fsspec.core.url_to_fs(join(benchmark.folder, ALL_KEYS))
    if fs.exists(path):
        with fs.open(path, "rb") as stream:
            return pa.ipc.open_file(stream).read_all()
    if isinstance(benchmark, BenchmarkDataset) and (
        benchmark.content_root != benchmark.content_root_received
    ):
        raise StorageError(
            f"The keys of the whole benchmark are missing from {benchmark.folder}, and its rows "
            "are a part of it: materialize benchmark_dataset again."
        )
    rows = read_table(benchmark.folder)
    return rows.append_column(FEATURE_DIGEST, feature_digests(rows, task))
