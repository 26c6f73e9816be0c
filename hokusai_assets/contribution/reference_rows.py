"""The operator's own rows: read, typed and treated as contributions are, else left alone."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hokusai_assets.contribution.benchmark_groups import among, groups_of
from hokusai_assets.contribution.leakage import feature_digests
from hokusai_assets.contribution.manifest import build_manifest
from hokusai_assets.contribution.pii import Policy
from hokusai_assets.contribution.receiving import Received, receive, received_root
from hokusai_assets.contribution.storing import store, write_rejected
from hokusai_assets.contribution.workers import workers
from hokusai_assets.contribution.workspace import is_large, scratch_beside
from hokusai_assets.errors import ContributionError, ReferenceDataError
from hokusai_assets.records import CleaningCounts, DataManifest
from hokusai_assets.tables import FEATURE_KEY, in_one, read_table
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

Reference = Literal["base", "benchmark"]


def load_reference(
    path: str, task: Task, *, key: bytes | None, kind: Reference = "base"
) -> tuple[pa.Table, DataManifest]:
    """The operator's own rows in memory: the stored columns in canonical order, and the manifest.

    `_source` is the rows' own content root. Raises ReferenceDataError where a contribution would
    be refused.
    """
    with tempfile.TemporaryDirectory(prefix="hokusai-") as folder:
        manifest = store_reference(path, task, key=key, kind=kind, folder=Path(folder, "rows"))
        return read_table(str(Path(folder, "rows"))), manifest


def store_reference(
    path: str, task: Task, *, key: bytes | None, kind: Reference, folder: str | Path
) -> DataManifest:
    """Write the operator's own rows into `folder`, a new local one, and return their manifest.

    See load_reference; the rows are never in memory all at once.
    """
    policy = Policy(task, key)
    with scratch_beside(folder) as scratch, workers(parallel=is_large([path])) as hands:
        try:
            received = receive(path, policy, scratch / "received", hands)
        except ContributionError as error:
            raise ReferenceDataError(f"The {kind} data cannot be used: {error}") from None
        root = received_root(received.exchange, scratch / "digests")
        counts = CleaningCounts(
            read=received.read,
            rejected=received.rejected,
            dropped_pii=received.dropped_pii,
            kept=received.read - received.rejected - received.dropped_pii,
        )
        if not counts.kept:
            raise ReferenceDataError(
                f"The {kind} data cannot be used: every row of the file "
                f"{received.source.name} was dropped for personal data. Let the task mask it."
            )
        rows = functools.partial(_received_bucket, received, task)
        buckets = received.exchange.buckets
        stored = store(rows, buckets, task, root, Path(folder), hands)
        write_rejected([received], Path(folder))
    return build_manifest(received, stored, counts, policy, content_root=root)


@dataclass(frozen=True)
class LeftOut:
    """How many benchmark rows left because of base, each counted under the first that applies."""

    exact: int  # their features stand in base
    normalised: int  # so do their features with text normalised
    group: int  # their group stands in base


def leave_out_base_rows(
    benchmark: pa.Table, base: Iterable[pa.Table], task: Task
) -> tuple[pa.Table, LeftOut]:
    """The benchmark without rows whose features or group stand in base, whatever their label.

    A stored baseline cannot forget what it was trained on. Of base's parts one is in memory at a
    time, with the columns of leaving_columns.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    group = task.group_column
    groups = pa.array([]) if group is None else groups_of(benchmark.column(group.name))
    keys = pc.unique(in_one(benchmark.column(FEATURE_KEY)))
    exact: set[bytes] = set()
    same = np.zeros(benchmark.num_rows, bool)
    of_group = np.zeros(benchmark.num_rows, bool)
    for part in base:
        alike = part.filter(pc.is_in(part.column(FEATURE_KEY), value_set=keys))
        exact.update(feature_digests(alike, task).to_pylist())
        same |= among(benchmark.column(FEATURE_KEY), in_one(alike.column(FEATURE_KEY)))
        if group is not None:
            own = groups_of(part.column(group.name).filter(among(part.column(group.name), groups)))
            of_group |= among(benchmark.column(group.name), own)
    of_group &= ~same
    count = sum(digest in exact for digest in feature_digests(benchmark, task).to_pylist())
    left_out = LeftOut(count, int(same.sum()) - count, int(of_group.sum()))
    return benchmark.filter(pa.array(~same & ~of_group)), left_out


def leaving_columns(task: Task) -> list[str]:
    """What leave_out_base_rows needs of base rows."""
    group = [] if task.group_column is None else [task.group_column.name]
    return list(dict.fromkeys([FEATURE_KEY, *(c.name for c in task.features), *group]))


def _received_bucket(received: Received, task: Task, bucket: int) -> pa.Table:
    return received.bucket(bucket, task)
