"""Influences and standard errors of metrics over a model's seeds and clusters.

The formulas stand in influence and paired; here they are applied to predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from hokusai_assets import scoring


def influences(metric: str, truth: Any, predictions: scoring.Predictions, classes: int) -> Any:
    """Each row's influence on a defined metric, shape (seeds, n)."""
    return np.stack(
        [
            scoring.influence(metric, truth, *predictions.of_seed(seed), classes)
            for seed in range(predictions.seeds)
        ]
    )


def spread_of(
    before: Any,
    after: Any,
    values_before: Sequence[Fraction],
    values_after: Sequence[Fraction],
    clusters: Any,
) -> scoring.Spread | scoring.Undefined:
    """The spread of candidate less baseline from influences (seeds, n) and values per seed."""
    return scoring.paired_spread(
        before,
        after,
        np.array([float(value) for value in values_before]),
        np.array([float(value) for value in values_after]),
        clusters,
    )
