"""Shares by rows."""

import pytest

from hokusai_assets.attribution.row_share import row_shares
from hokusai_assets.errors import MixedRunsError
from hokusai_assets.records import (
    CleanContribution,
    CleaningCounts,
    ContributedDataset,
    DataManifest,
    MergedDataset,
    SourceFile,
)

COUNTS = CleaningCounts(read=9, kept=9)
MANIFEST = DataManifest(
    source=SourceFile(name="c.csv", size_bytes=1, modified="", format="csv", encoding=None),
    data_hash="0" * 64,
    row_count=9,
    column_count=2,
    columns=(),
    null_counts={},
    unique_counts={},
    dropped_columns=(),
    rejections=(),
    pii=(),
    pii_policy="",
    counts=COUNTS,
)


def contributed(*names):
    parts = tuple(
        CleanContribution(
            contributor_id=name,
            wallet_address="0x" + "00" * 20,
            content_root_received="0" * 64,
            content_root_cleaned="1" * 64,
            counts=COUNTS,
            manifest=MANIFEST,
        )
        for name in names
    )
    return ContributedDataset(
        folder="f",
        content_root="2" * 64,
        row_count=18,
        columns=(),
        contributions=parts,
        pii_key_id=None,
    )


def merged(rows_from_base, *rows):
    return MergedDataset(
        folder="f",
        content_root="3" * 64,
        row_count=rows_from_base + sum(rows),
        columns=(),
        strategy="append",
        rows_from_base=rows_from_base,
        rows_by_contribution=rows,
        rows_updated=0,
    )


def test_shares_are_rows_over_all_training_rows_in_order():
    shares = row_shares(contributed("zoe", "alice"), merged(500, 300, 200))
    assert [
        (s.contributor_id, s.contributed_samples, s.total_samples, s.weight) for s in shares
    ] == [
        ("zoe", 300, 1_000, 0.3),
        ("alice", 200, 1_000, 0.2),
    ]


def test_rows_of_other_contributions_are_refused():
    with pytest.raises(MixedRunsError, match="2 contributions, but 1 were cleaned"):
        row_shares(contributed("zoe"), merged(500, 300, 200))
