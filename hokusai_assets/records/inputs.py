"""What goes into a run: contributed files and whose they are."""

from typing import Literal

from hokusai_assets.records.base import Record

Mode = Literal["files", "mock"]


class ContributionSource(Record):
    """One contributed file and whose it is."""

    path: str
    contributor_id: str
    wallet_address: str
