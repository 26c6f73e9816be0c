"""The ledger: who tried when, what was accepted, which rows were paid.

A chain of entries (entries.py) under rules (rules.py), from which everything else follows
(following.py). Kept by a database (sql.py), walked and proven by replay (replaying.py). The package
decides nothing about a contribution, the decision rule does; and it holds no rows, only their
content roots: the rows stand in a store that contribution/paid_rows.py reads and writes.
"""

from hokusai_assets.attestation.ledger.entries import Entry
from hokusai_assets.attestation.ledger.interface import (
    Checkpoint,
    Ledger,
    NoLedger,
    PaidRoots,
    Recorded,
)
from hokusai_assets.attestation.ledger.sql import SqlLedger

__all__ = ["Checkpoint", "Entry", "Ledger", "NoLedger", "PaidRoots", "Recorded", "SqlLedger"]
