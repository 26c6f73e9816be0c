"""Rows as folders of Parquet files, each kind with what is known of it."""

from hokusai_assets.records.base import Record, StoredRecord
from hokusai_assets.records.manifests import CleaningCounts, ColumnSchema, DataManifest


class Dataset(StoredRecord):
    """Typed, PII-treated rows as a folder of Parquet files, in canonical order."""

    content_root: str
    row_count: int
    columns: tuple[ColumnSchema, ...]


class BaseDataset(Dataset):
    """The rows the baseline was trained on."""

    manifest: DataManifest


class BenchmarkDataset(Dataset):
    """The rows both models are scored on."""

    manifest: DataManifest
    content_root_received: str
    left_out_exact: int
    left_out_normalised: int
    left_out_group: int = 0  # rows left out because their group stands in base, and only for that
    near_base: int  # rows that stay although a base row says nearly the same
    sampled_from: int
    class_counts: dict[str, int]
    class_rows_needed: int = 0  # with fewer, a class may lose 5 points of its recall unseen
    paid_root: str | None = None  # over the rows paid for, of which it holds none

    @property
    def small_classes(self) -> dict[str, int]:
        """Classes that are scored on too few rows to say anything, with how many they have."""
        return {
            label: rows
            for label, rows in self.class_counts.items()
            if rows < self.class_rows_needed
        }


class PaidDataset(Dataset):
    """Treated rows of an accepted contribution, or of a retired benchmark.

    `columns` are their content; `features` those that their feature keys were made of.
    """

    features: tuple[ColumnSchema, ...]


class CleanContribution(Record):
    """One contributor's part of the contributed data."""

    contributor_id: str
    wallet_address: str
    content_root_received: str
    content_root_cleaned: str
    counts: CleaningCounts
    manifest: DataManifest


class ContributedDataset(Dataset):
    """Clean rows of all contributions, in the order of the run configuration."""

    contributions: tuple[CleanContribution, ...]
    pii_key_id: str | None
    paid_root: str | None = None  # over the rows paid for that it was cleaned against

    @property
    def leaked_share(self) -> tuple[int, int]:
        """Leaked rows, and distinct rows, of which they are some, over all contributions."""
        leaked = sum(c.counts.leaked for c in self.contributions)
        return leaked, sum(c.counts.distinct for c in self.contributions)


class MergedDataset(Dataset):
    """The candidate's training rows."""

    strategy: str
    rows_from_base: int
    rows_by_contribution: tuple[int, ...]
    rows_updated: int
