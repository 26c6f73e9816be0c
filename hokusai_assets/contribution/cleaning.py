"""Cleaning from end to end: a contributed file, or the operator's own, to rows that can be used.

The order is part of the attestation: read, type, treat personal data, digest as received, match
(duplicates, leakage, rows already paid, groups of the benchmark), digest as cleaned. Base and
benchmark go through the same reading, typing and treatment, so that equal rows stay equal; their
rows are otherwise left as they are. The result depends on a file's content alone, not on its format
or row order, nor on how many buckets or processes it went through. Which rows were paid for before,
a ledger says.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hokusai_assets.contribution.benchmark_groups import BenchmarkGroups
from hokusai_assets.contribution.drift import column_distances, first_rows
from hokusai_assets.contribution.duplicates import Matches
from hokusai_assets.contribution.exchange import Buckets, bucket_count
from hokusai_assets.contribution.kept_rows import CONFLICT, KeptRows
from hokusai_assets.contribution.manifest import build_manifest, column_schemas
from hokusai_assets.contribution.near_duplicates import SignedRows
from hokusai_assets.contribution.near_rows import NearRows
from hokusai_assets.contribution.near_texts import SIGNATURE_COLUMNS, has_texts
from hokusai_assets.contribution.paid_keys import PaidKeys
from hokusai_assets.contribution.pii import Policy, key_id
from hokusai_assets.contribution.quality import SAMPLE_ROWS, Samples, assess
from hokusai_assets.contribution.receiving import Received, receive, received_root
from hokusai_assets.contribution.reducing import Against, reduce_bucket
from hokusai_assets.contribution.rows import Count, counted
from hokusai_assets.contribution.sorted_roots import SortedRoot
from hokusai_assets.contribution.storing import label_counts, store, write_rejected, write_removed
from hokusai_assets.contribution.workers import Workers, workers
from hokusai_assets.contribution.workspace import is_large, scratch_beside, size_of
from hokusai_assets.errors import ContributionError
from hokusai_assets.records import (
    CleanContribution,
    CleaningCounts,
    ContributedDataset,
    ContributionSource,
    Dataset,
    PaidDataset,
)
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, ROW_NUMBER, read_parts
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa


def clean_contributions(
    sources: Sequence[ContributionSource],
    task: Task,
    base: Dataset | None,
    benchmark: Dataset | None,
    *,
    key: bytes | None,
    folder: str | Path,
    paid: Sequence[PaidDataset] = (),
    paid_root: str | None = None,
    paid_digests: frozenset[bytes] = frozenset(),
    count: Count = lambda rows, share: None,
    assessed: bool = True,
    learn: bool = True,
) -> ContributedDataset:
    """Clean all contributions of a run and write their rows into `folder`, a new local one.

    Rows that two contributors send count for the first of `sources`. Without `base` or
    `benchmark`, as at a contributor's home, what needs them is not looked for: an evaluation
    always has both. Quality is only looked at if it will be shown (`assessed`), label noise only
    where a model may be fitted for it (`learn`). Rows of `paid`, whose roots `paid_root` is over,
    are not paid for again; nor are rows of these `paid_digests`, for which it is given that they
    were, which an auditor without `paid` has. `count` hears how many rows of a file were read so
    far, and about which share of it. Raises ContributionError naming the contributor if a file is
    refused or nothing of it is left.
    """
    if not sources:
        raise ContributionError("No contribution is named: add one to the run configuration.")
    paths = [source.path for source in sources]
    with scratch_beside(folder) as scratch, workers(parallel=is_large(paths)) as hands:
        cleaner = _Cleaner(
            Policy(task, key),
            base,
            benchmark,
            paid=paid,
            paid_digests=paid_digests,
            folder=Path(folder),
            scratch=scratch,
            hands=hands,
            buckets=max(bucket_count(size_of(path)) for path in paths),
            several=len(paths) > 1,
            count=count,
            assessed=assessed,
            learn=learn,
        )
        cleaned = []
        for source in sources:
            try:
                cleaned.append(cleaner.clean(source))
            except ContributionError as error:
                raise ContributionError(
                    f"The contribution of {source.contributor_id} is refused: {error}"
                ) from None
        write_rejected(cleaner.received, Path(folder))
        write_removed(cleaner.removed, Path(folder))
        root = cleaned[0].content_root_cleaned if len(cleaned) == 1 else cleaner.roots.root()
    return ContributedDataset(
        folder=str(folder),
        content_root=root,
        row_count=sum(c.counts.kept for c in cleaned),
        columns=column_schemas(task),
        contributions=tuple(cleaned),
        pii_key_id=None if key is None else key_id(key),
        paid_root=paid_root,
    )


class _Cleaner:
    """What contributions are compared with; remembers the rows of those already cleaned."""

    def __init__(
        self,
        policy: Policy,
        base: Dataset | None,
        benchmark: Dataset | None,
        *,
        paid: Sequence[PaidDataset],
        paid_digests: frozenset[bytes],
        folder: Path,
        scratch: Path,
        hands: Workers,
        buckets: int,
        several: bool,
        count: Count,
        assessed: bool,
        learn: bool,
    ) -> None:
        self._policy = policy
        keys = PaidKeys(paid, policy.task, scratch / "paid") if paid else None
        self._against = Against(base, benchmark, paid=keys, paid_digests=paid_digests)
        self._assessed = assessed
        self._learn = learn
        self._base_labels, self._base_sample = None, None
        if base is not None and assessed:
            self._base_labels = label_counts(base.folder, policy.task)
            names = [*(c.name for c in policy.task.features), policy.task.target.name]
            self._base_sample = first_rows(read_parts(base.folder, names), SAMPLE_ROWS)
        self._groups = BenchmarkGroups(policy.task, base, benchmark)
        self._near = NearRows(policy.task, base, benchmark, scratch / "known", hands, paid)
        self._folder = folder
        self._scratch = scratch
        self._hands = hands
        self._buckets = buckets
        self._several = several
        self._count = count
        self.received: list[Received] = []
        self.removed: list[tuple[Buckets, ...]] = []
        self.roots = SortedRoot(scratch / "all-digests")

    def clean(self, source: ContributionSource) -> CleanContribution:
        task = self._policy.task
        index = len(self.received)
        own = self._scratch / str(index)
        received = receive(
            source.path,
            self._policy,
            own / "received",
            self._hands,
            buckets=self._buckets,
            sign=has_texts(task),
            count=self._count,
        )
        self.received.append(received)
        # Known last, so it is begun first.
        root_received = self._hands.later(
            functools.partial(received_root, received.exchange, own / "received-digests")
        )
        kept = KeptRows(own / "kept", received.exchange)
        removed = tuple(Buckets(own / f"removed{by}") for by in ("", "-near", "-group"))
        self.removed.append(removed)
        signed = self._near.to_be_signed(own / "signed", self._buckets, kept)
        reduce = functools.partial(_reduce, received, task, self._against, kept, removed[0], signed)
        matches = Matches()
        for found in self._hands.in_order(reduce, range(self._buckets)):
            matches.include(found)
        near_method = self._near.leave_out(signed, kept, self._buckets, matches, removed[1])
        of_group = self._groups.leave_out(kept, self._buckets, removed[2])
        samples = self._samples(kept)
        cleaned = SortedRoot(own / "digests")
        conflicts = 0
        for bucket in range(self._buckets):
            rows = kept.read(bucket, [ROW_DIGEST, CONFLICT])
            conflicts += int(rows.column(CONFLICT).to_numpy().sum())
            cleaned.add(rows.column(ROW_DIGEST))
            if self._several:
                self.roots.add(rows.column(ROW_DIGEST))
        counts = _counts(received, matches, of_group, conflicts, cleaned.count)
        if not counts.kept:
            raise ContributionError(_nothing_left(received.source.name, counts))
        root = cleaned.root()
        stored = store(
            functools.partial(_kept_bucket, kept, task),
            self._buckets,
            task,
            root,
            self._folder,
            self._hands,
            first_part=index * self._buckets,
        )
        self._against = dataclasses.replace(self._against, earlier=(*self._against.earlier, kept))
        return CleanContribution(
            contributor_id=source.contributor_id,
            wallet_address=source.wallet_address,
            content_root_received=root_received(),
            content_root_cleaned=root,
            counts=counts,
            manifest=build_manifest(
                received,
                stored,
                counts,
                self._policy,
                content_root=root,
                quality=None
                if samples is None
                else assess(stored, self._base_labels, counts, task, samples),
                near_method=near_method,
            ),
        )

    def _samples(self, kept: KeptRows) -> Samples | None:
        """What quality is looked for in, if it is; how far it lies from base is begun meanwhile."""
        if not self._assessed:
            return None
        task = self._policy.task
        names = [*(c.name for c in task.features), task.target.name]
        buckets = (kept.read(bucket, names) for bucket in range(self._buckets))
        ours = first_rows(buckets, SAMPLE_ROWS)
        base = self._base_sample
        if base is None:
            return Samples(ours, None, self._learn)
        distances = self._hands.later(functools.partial(column_distances, ours, base, task))
        return Samples(ours, base, self._learn, distances)


def _reduce(
    received: Received,
    task: Task,
    against: Against,
    kept: KeptRows,
    removed: Buckets,
    signed: SignedRows | None,
    bucket: int,
) -> Matches:
    """Match one bucket and spill what is kept of it, and its signatures; counts alone come back."""
    import pyarrow as pa

    rows = received.numbered(received.exchange.read(bucket))
    reduced = reduce_bucket(rows, task, against, received.exchange.key_range(bucket), bucket)
    places = pa.array(reduced.kept)
    if signed is not None:
        signed.sign(bucket, rows.select(SIGNATURE_COLUMNS).take(places), task)
    own = rows.select([ROW_DIGEST, ROW_NUMBER]).take(places)
    kept.write(bucket, reduced.kept, own, reduced.conflicts)
    removed.write(bucket, reduced.removed)
    reduced.matches.kept.clear()
    reduced.matches.gone.clear()
    return reduced.matches


def _kept_bucket(kept: KeptRows, task: Task, bucket: int) -> pa.Table:
    names = [c.name for c in task.kept_columns]
    return kept.read(bucket, [*names, ROW_NUMBER, ROW_DIGEST, FEATURE_KEY])


def _counts(
    received: Received, matches: Matches, of_group: int, conflicts: int, kept: int
) -> CleaningCounts:
    return CleaningCounts(
        read=received.read,
        rejected=received.rejected,
        dropped_pii=received.dropped_pii,
        duplicates_within=matches.within,
        duplicates_of_base=matches.of_base,
        duplicates_across=matches.across,
        duplicates_normalised=matches.normalised,
        duplicates_near=matches.near,
        leaked_exact=matches.leaked_exact,
        leaked_normalised=matches.leaked_normalised,
        leaked_near=matches.leaked_near,
        already_paid=matches.already_paid,
        benchmark_group=of_group,
        kept=kept,
        conflicts=conflicts,
        duplicates_reported=matches.reported,
    )


def _nothing_left(name: str, counts: CleaningCounts) -> str:
    where = {
        "rejected": counts.rejected,
        "dropped for personal data": counts.dropped_pii,
        "repeated within the file": counts.duplicates_within,
        "equal to the base data": counts.duplicates_of_base,
        "equal to an earlier contribution of this run": counts.duplicates_across,
        "written differently only": counts.duplicates_normalised,
        "nearly the same as other rows": counts.duplicates_near,
        "in the benchmark": counts.leaked,
        "paid for before": counts.already_paid,
        "of a group that stands in the benchmark": counts.benchmark_group,
    }
    parts = ", ".join(f"{what}: {count:,}" for what, count in where.items() if count)
    return (
        f"no row of the file {name} is left of {counted(counts.read, 'row')} ({parts}). "
        "Contribute rows that are not there already."
    )
