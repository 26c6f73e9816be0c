"""Cleaning from end to end: a contributed file, or the operator's own, to rows that can be used.

The order is part of the attestation: read, type, treat personal data, digest as received, match
(duplicates, leakage), digest as cleaned. Base and benchmark go through the same reading, typing
and treatment, so that equal rows stay equal; their rows are otherwise left as they are. The
result depends on a file's content alone, not on its format or row order. Rows paid for before
need a ledger and are none here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hokusai_assets.contribution.duplicates import (
    count_conflicts,
    labels_by_key,
    match_rows,
    with_keys,
    with_source,
)
from hokusai_assets.contribution.leakage import (
    NO_KEYS,
    FeatureKeys,
    benchmark_keys,
    feature_digests,
    table_keys,
)
from hokusai_assets.contribution.manifest import build_manifest, column_schemas
from hokusai_assets.contribution.pii import Policy, key_id, treat
from hokusai_assets.contribution.quality import assess
from hokusai_assets.contribution.reading import read_rows
from hokusai_assets.contribution.rows import TypedRows, counted, take_rows
from hokusai_assets.contribution.schema import type_rows
from hokusai_assets.digests import content_root
from hokusai_assets.errors import ContributionError, ReferenceDataError
from hokusai_assets.records import (
    CleanContribution,
    CleaningCounts,
    ContributedDataset,
    ContributionSource,
    DataManifest,
    Dataset,
    PiiCount,
)
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, ROW_NUMBER, read_table, write_table
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class _Received:
    """A file's rows as received: typed, treated, keyed, in canonical order."""

    typed: TypedRows
    table: pa.Table
    dropped_pii: int
    pii: tuple[PiiCount, ...]
    root: str


def load_reference(
    path: str, task: Task, *, key: bytes | None, kind: Literal["base", "benchmark"] = "base"
) -> tuple[pa.Table, DataManifest]:
    """The operator's own rows: the stored columns in canonical order, and their manifest.

    `_source` is the rows' own content root. Raises ReferenceDataError where a contribution would
    be refused.
    """
    policy = Policy(task, key)
    try:
        received = _receive(path, policy)
    except ContributionError as error:
        raise ReferenceDataError(f"The {kind} data cannot be used: {error}") from None
    if not received.table.num_rows:
        raise ReferenceDataError(
            f"The {kind} data cannot be used: every row of the file "
            f"{received.typed.source.name} was dropped for personal data. Let the task mask it."
        )
    table = with_source(received.table, received.root)
    counts = CleaningCounts(
        read=received.typed.read,
        rejected=received.typed.rejected,
        dropped_pii=received.dropped_pii,
        kept=table.num_rows,
    )
    manifest = build_manifest(
        received.typed, table, counts, received.pii, policy, content_root=received.root
    )
    return table, manifest


def leave_out_base_rows(
    benchmark: pa.Table, base: pa.Table, task: Task
) -> tuple[pa.Table, int, int]:
    """The benchmark without rows whose features stand in base, whatever their label.

    Also how many left because their features are equal, and how many because only their
    normalised text is. A stored baseline cannot forget what it was trained on.
    """
    known = table_keys(base, task)
    keys = benchmark.column(FEATURE_KEY).to_pylist()
    exact = [digest in known.exact for digest in feature_digests(benchmark, task)]
    near = [key in known.normalised for key in keys]
    kept = [row for row in range(benchmark.num_rows) if not near[row]]
    return take_rows(benchmark, kept), sum(exact), sum(near) - sum(exact)


def clean_contributions(
    sources: Sequence[ContributionSource],
    task: Task,
    base: Dataset | None,
    benchmark: Dataset | None,
    *,
    key: bytes | None,
    folder: str | Path,
) -> ContributedDataset:
    """Clean all contributions of a run and write their rows into `folder`, a new local one.

    Rows that two contributors send count for the first of `sources`. Without `base` or
    `benchmark`, as at a contributor's home, what needs them is not looked for: an evaluation
    always has both. Raises ContributionError naming the contributor if a file is refused or
    nothing of it is left.
    """
    import pyarrow as pa

    cleaner = _Cleaner(
        Policy(task, key),
        None if base is None else read_table(base.folder),
        NO_KEYS if benchmark is None else benchmark_keys(benchmark, task),
    )
    cleaned: list[CleanContribution] = []
    tables: list[pa.Table] = []
    for source in sources:
        try:
            table, record = cleaner.clean(source)
        except ContributionError as error:
            raise ContributionError(
                f"The contribution of {source.contributor_id} is refused: {error}"
            ) from None
        tables.append(table)
        cleaned.append(record)
    if not tables:
        raise ContributionError("No contribution is named: add one to the run configuration.")
    table = pa.concat_tables(tables)
    write_table(table, folder)
    return ContributedDataset(
        folder=str(folder),
        content_root=content_root(table.column(ROW_DIGEST).to_pylist()),
        row_count=table.num_rows,
        columns=column_schemas(task),
        contributions=tuple(cleaned),
        pii_key_id=None if key is None else key_id(key),
    )


class _Cleaner:
    """What contributions are compared with; remembers the rows of those already cleaned."""

    def __init__(self, policy: Policy, base: pa.Table | None, benchmark: FeatureKeys) -> None:
        self._policy = policy
        self._base = base
        self._base_digests: frozenset[bytes] = frozenset()
        self._base_labels: dict[bytes, set[object]] = {}
        if base is not None:
            self._base_digests = frozenset(base.column(ROW_DIGEST).to_pylist())
            self._base_labels = labels_by_key(base, policy.task)
        self._benchmark = benchmark
        self._earlier: set[bytes] = set()

    def clean(self, source: ContributionSource) -> tuple[pa.Table, CleanContribution]:
        task = self._policy.task
        received = _receive(source.path, self._policy)
        matches = match_rows(
            received.table,
            task,
            base=self._base_digests,
            earlier=self._earlier,
            benchmark=self._benchmark,
        )
        table = take_rows(received.table, matches.kept)
        counts = CleaningCounts(
            read=received.typed.read,
            rejected=received.typed.rejected,
            dropped_pii=received.dropped_pii,
            duplicates_within=matches.within,
            duplicates_of_base=matches.of_base,
            duplicates_across=matches.across,
            leaked_exact=matches.leaked_exact,
            leaked_normalised=matches.leaked_normalised,
            kept=table.num_rows,
            conflicts=count_conflicts(table, self._base_labels, task),
        )
        if not table.num_rows:
            raise ContributionError(_nothing_left(received.typed.source.name, counts))
        digests = table.column(ROW_DIGEST).to_pylist()
        self._earlier.update(digests)
        root = content_root(digests)
        manifest = build_manifest(
            received.typed,
            table,
            counts,
            received.pii,
            self._policy,
            content_root=root,
            quality=assess(table, self._base, counts, task),
        )
        return with_source(table, root), CleanContribution(
            contributor_id=source.contributor_id,
            wallet_address=source.wallet_address,
            content_root_received=received.root,
            content_root_cleaned=root,
            counts=counts,
            manifest=manifest,
        )


def _receive(path: str, policy: Policy) -> _Received:
    import pyarrow as pa

    typed = type_rows(read_rows(path, policy.task), policy.task)
    treated = treat(typed.table, typed.numbers, policy, typed.source.name)
    numbers = pa.array([typed.numbers[row] for row in treated.kept], pa.int64())
    table = with_keys(treated.table.append_column(ROW_NUMBER, numbers), policy.task)
    return _Received(
        typed=typed,
        table=table,
        dropped_pii=typed.table.num_rows - len(treated.kept),
        pii=treated.counts,
        root=content_root(table.column(ROW_DIGEST).to_pylist()),
    )


def _nothing_left(name: str, counts: CleaningCounts) -> str:
    where = {
        "rejected": counts.rejected,
        "dropped for personal data": counts.dropped_pii,
        "repeated within the file": counts.duplicates_within,
        "equal to the base data": counts.duplicates_of_base,
        "equal to an earlier contribution of this run": counts.duplicates_across,
        "in the benchmark": counts.leaked,
    }
    parts = ", ".join(f"{what}: {count:,}" for what, count in where.items() if count)
    return (
        f"no row of the file {name} is left of {counted(counts.read, 'row')} ({parts}). "
        "Contribute rows that are not there already."
    )
