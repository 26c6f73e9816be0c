"""Shares by rows: how many of the candidate's training rows each contribution brought.

Shown, never paid by: rows are easy to make. What a contribution is worth is another module's
business.
"""

from hokusai_assets.errors import MixedRunsError
from hokusai_assets.records import ContributedDataset, ContributorShare, MergedDataset


def row_shares(
    contributed: ContributedDataset, merged: MergedDataset
) -> tuple[ContributorShare, ...]:
    """One share a contribution, in the order of the run configuration.

    Raises MixedRunsError where `merged` was not made from these contributions.
    """
    if len(merged.rows_by_contribution) != len(contributed.contributions):
        raise MixedRunsError(
            f"The merged rows come from {len(merged.rows_by_contribution)} contributions, but "
            f"{len(contributed.contributions)} were cleaned: materialize merged_dataset again."
        )
    return tuple(
        ContributorShare(
            contributor_id=part.contributor_id,
            contributed_samples=rows,
            total_samples=merged.row_count,
        )
        for part, rows in zip(contributed.contributions, merged.rows_by_contribution, strict=True)
    )
