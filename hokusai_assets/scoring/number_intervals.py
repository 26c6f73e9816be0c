"""The intervals of deltas of predicted numbers: resampled rows, or the standard error's.

What mae, rmse and r2 need of a row is six numbers, so that a resample is a sum of rows' numbers by
how often each was drawn (Efron, 1979), and all metrics of both models share it: 2,000 resamples of
10,000 rows take a third of a second. Where errors are skewed the middle of the resamples covers
too seldom (92.8 % for 95 at 800 rows), so that the interval reaches as far as that of the standard
error as well; docs/statistics.md holds what both then cover. Past that many rows, of several seeds
and of groups it is the standard error's alone, and its method says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.records import ReportedInterval
from hokusai_assets.scoring import FEW_DISCORDANT_ROWS, Interval, Spread, Undefined
from hokusai_assets.scoring.intervals import RESAMPLES
from hokusai_assets.scoring.metrics import MILLION
from hokusai_assets.scoring.reported import DeltaIntervals, Intervals, around, reported
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task.metrics import REGRESSION_METRICS

BOOTSTRAP_AND_INFLUENCE = "bootstrap_and_influence"
MOST_ROWS = 10_000  # that are resampled
_DRAWN_AT_ONCE = 100_000  # rows: their counts then stay in a cache, and no thread waits for another


def intervals_of(rows: ScoredRows, classes: int, *, draw: bool = True) -> DeltaIntervals:
    """The intervals of one evaluation; `classes` is 0 where numbers are predicted.

    Without `draw` there are none where resamples would be needed, and the others are the same.
    """
    return Intervals(rows, classes, draw) if classes else NumberIntervals(rows, draw)


@dataclass
class NumberIntervals:
    """Intervals of one evaluation of predicted numbers; resamples are drawn once, for all."""

    rows: ScoredRows
    draw: bool = True
    _draws: dict[str, Any] = field(default_factory=dict)

    @property
    def resampled(self) -> bool:
        """Whether rows are resampled: few independent ones of one pair of models."""
        few = self.rows.row_count <= MOST_ROWS
        return few and self.rows.pairs() == 1 and self.rows.clusters is None

    def of_metric(
        self, metric: str, delta: Fraction, spread: Spread | Undefined
    ) -> ReportedInterval | None:
        """The interval of one metric's delta, or None where there is none."""
        if self.resampled and metric in REGRESSION_METRICS:
            if not self.draw:
                return None
            return reported(_both(delta, self.draws()[metric], spread), self._few())
        return reported(scoring.spread_interval(delta, spread), self._few())

    def of_delta_one(
        self, weights: Mapping[Any, Fraction], value: Fraction, spread: Spread | Undefined
    ) -> ReportedInterval | None:
        """The interval of the weighted mean of some metrics' improvements."""
        if self.resampled and set(weights) <= set(REGRESSION_METRICS):
            if not self.draw:
                return None
            signs = {name: 1 if scoring.METRICS[name].higher_is_better else -1 for name in weights}
            # What weighs nothing may be undefined in a resample, and changes nothing.
            weighed = {name: float(w) * signs[name] for name, w in weights.items() if w}
            draws = sum(weight * self.draws()[name] for name, weight in weighed.items())
            return reported(_both(value, np.asarray(draws), spread), self._few())
        return reported(scoring.spread_interval(value, spread), self._few())

    def draws(self) -> dict[str, Any]:
        """Resampled candidate less baseline of each metric, shape (RESAMPLES,)."""
        if not self._draws:
            self._draws = resampled_deltas(
                self.rows.truth, self.rows.baseline.labels[0], self.rows.candidate.labels[0]
            )
        return self._draws

    def _few(self) -> bool:
        # Of number predictions: rows on which the models are not equally far off.
        truth = self.rows.truth
        before = np.abs(self.rows.baseline.labels[0] - truth)
        after = np.abs(self.rows.candidate.labels[0] - truth)
        return int(np.count_nonzero(before != after)) < FEW_DISCORDANT_ROWS


def _both(delta: Fraction, draws: Any, spread: Spread | Undefined) -> Interval | Undefined:
    """The middle of resampled differences and the interval of the standard error, both held."""
    resampled, plain = around(delta, draws), scoring.spread_interval(delta, spread)
    if isinstance(resampled, Undefined) or isinstance(plain, Undefined):
        return resampled
    low, high = min(resampled.low, plain.low), max(resampled.high, plain.high)
    return Interval(low, high, BOOTSTRAP_AND_INFLUENCE)


def resampled_deltas(truth: Any, baseline: Any, candidate: Any) -> dict[str, Any]:
    """2,000 resampled deltas of mae, rmse and r2 from millionths of shape (n,).

    NaN of r2 where a resample's labels are all the same. Seeded by the rows themselves, so that
    the same rows in the same order give the same interval everywhere.
    """
    rows = np.stack([truth, baseline, candidate]).astype(">i8")
    seed = int.from_bytes(hashlib.sha256(rows.tobytes()).digest()[:8], "big")
    generator = np.random.default_rng(seed)
    label, before, after = rows.astype(np.float64) / MILLION
    middle = label - label.mean()  # of which the squares do not cancel in the variance
    errors = before - label, after - label
    columns = [middle, middle**2, *(np.abs(e) for e in errors), *(e**2 for e in errors)]
    sums = _resampled_sums(np.stack(columns, axis=1), generator) / label.size
    mean, square, *absolute_and_squared = sums.T
    absolute, squared = absolute_and_squared[:2], absolute_and_squared[2:]
    spread = square - mean**2
    spread[spread < 1e-15] = np.nan  # a millionth's square is 1e-12, and rounding is below 1e-16
    return {
        "mae": absolute[1] - absolute[0],
        "rmse": np.sqrt(squared[1]) - np.sqrt(squared[0]),
        "r2": (squared[0] - squared[1]) / spread,
    }


def _resampled_sums(columns: Any, generator: np.random.Generator) -> Any:
    """Sums of each column over n rows drawn with replacement, shape (RESAMPLES, columns)."""
    count = len(columns)
    at_once = max(1, min(RESAMPLES, _DRAWN_AT_ONCE // count))
    found = []
    for start in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - start)
        drawn = generator.integers(0, count, (size, count))
        drawn += (np.arange(size) * count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        found.append(times.astype(np.float64) @ columns)
    return np.concatenate(found)
