"""Both models' predictions on the same benchmark rows, whole and a slice of them.

How they come from disk is evaluation's business (stored predictions) and attestation's (leaves).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hokusai_assets.scoring.metrics import Predictions


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Both models' predictions on the same n rows, in leaf order: by row digest, then id.

    `truth`: class indices, or millionths of a number target's scale, shape (n,); `clusters`: codes
    from 0 of the same shape, or None; `slices`: names of parts of the benchmark, each with a mask
    of the same shape. `row_digests` may be empty where nobody needs them.
    """

    row_digests: list[bytes]
    truth: Any
    baseline: Predictions
    candidate: Predictions
    clusters: Any
    slices: tuple[tuple[str, Any], ...] = ()

    @property
    def row_count(self) -> int:
        """How many benchmark rows there are."""
        return len(self.truth)

    @property
    def cluster_count(self) -> int | None:
        """How many groups the rows belong to, or None without a group column."""
        return None if self.clusters is None else len(np.unique(self.clusters))

    def pairs(self) -> int:
        """How many pairs of seeds there are; a stored baseline stands in every one."""
        return max(self.baseline.seeds, self.candidate.seeds)


def rows_of(rows: ScoredRows, mask: Any) -> ScoredRows:
    """The rows of a slice alone, without their digests."""
    clusters = None
    if rows.clusters is not None:
        clusters = np.unique(rows.clusters[mask], return_inverse=True)[1]
    return ScoredRows(
        [],
        rows.truth[mask],
        _of(rows.baseline, mask),
        _of(rows.candidate, mask),
        clusters,
    )


def _of(model: Predictions, mask: Any) -> Predictions:
    scores = None if model.scores is None else model.scores[:, mask]
    return Predictions(model.labels[:, mask], scores)
