"""The interval of each delta and of DeltaOne, by the best of scoring.intervals' ways.

Counts of one training without clusters have the score interval or the bootstrap; whatever else
there is has the interval of its standard error. Predicted numbers have theirs in number_intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.records import ReportedInterval
from hokusai_assets.scoring import Interval, Spread, Undefined
from hokusai_assets.scoring.rows import ScoredRows

LARGEST_INTEGER = 2**53 - 1
MOST_CLASSES = 30  # whose joint table is resampled


class DeltaIntervals(Protocol):
    """What gives an evaluation's deltas their intervals."""

    def of_metric(
        self, metric: str, delta: Fraction, spread: Spread | Undefined
    ) -> ReportedInterval | None: ...
    def of_delta_one(
        self, weights: Mapping[Any, Fraction], value: Fraction, spread: Spread | Undefined
    ) -> ReportedInterval | None: ...


@dataclass
class Intervals:
    """Intervals of one evaluation of classes; resamples are drawn once, for all metrics together.

    Without `draw` there are none where resamples would be needed, and the others are the same.
    """

    rows: ScoredRows
    classes: int
    draw: bool = True
    _joint: Any = None
    _draws: dict[str, Any] = field(default_factory=dict)

    @property
    def counted(self) -> bool:
        """Whether rows can be counted as independent draws of one pair of models."""
        return self.rows.pairs() == 1 and self.rows.clusters is None

    @property
    def resampled(self) -> bool:
        """Whether tables are resampled: they grow with the cube of the classes."""
        return self.counted and self.classes <= MOST_CLASSES

    def _few(self, metric: str) -> bool:
        if self.classes <= MOST_CLASSES:
            return scoring.discordant_rows(metric, self.joint) < scoring.FEW_DISCORDANT_ROWS
        before = self.rows.baseline.labels[0] == self.rows.truth
        after = self.rows.candidate.labels[0] == self.rows.truth
        return int(np.count_nonzero(before != after)) < scoring.FEW_DISCORDANT_ROWS

    def of_metric(
        self, metric: str, delta: Fraction, spread: Spread | Undefined
    ) -> ReportedInterval | None:
        """The interval of one metric's delta, or None where there is none."""
        few = self._few(metric)
        if self.counted and metric == "accuracy":
            return reported(self._of_counts(np.ones(len(self.rows.truth), bool)), few)
        if self.counted and metric == "recall" and self.classes == 2:
            return reported(self._of_counts(self.rows.truth == 1), few)
        if self.resampled and metric in scoring.COUNTED:
            if not self.draw:
                return None
            return reported(around(delta, self.draws()[metric]), few)
        return reported(scoring.spread_interval(delta, spread), few)

    def of_delta_one(
        self, weights: Mapping[Any, Fraction], value: Fraction, spread: Spread | Undefined
    ) -> ReportedInterval | None:
        """The interval of the weighted mean of some metrics' deltas."""
        few = any(self._few(metric) for metric in weights)
        if self.resampled and set(weights) <= set(scoring.COUNTED):
            if set(weights) == {"accuracy"}:
                return reported(self._of_counts(np.ones(len(self.rows.truth), bool)), few)
            if not self.draw:
                return None
            draws = self.draws()
            mean = sum(float(weight) * draws[metric] for metric, weight in weights.items())
            return reported(around(value, np.asarray(mean)), few)
        return reported(scoring.spread_interval(value, spread), few)

    @property
    def joint(self) -> Any:
        """Label x baseline x candidate of the first pair of seeds."""
        if self._joint is None:
            before, _ = self.rows.baseline.of_seed(0)
            after, _ = self.rows.candidate.of_seed(0)
            self._joint = scoring.joint_table(self.rows.truth, before, after, self.classes)
        return self._joint

    def draws(self) -> dict[str, Any]:
        """Resampled deltas of all metrics that follow from counts."""
        if not self._draws:
            self._draws = scoring.bootstrap_deltas(self.joint, list(scoring.COUNTED))
        return self._draws

    def _of_counts(self, among: Any) -> Interval | Undefined:
        before = self.rows.baseline.labels[0] == self.rows.truth
        after = self.rows.candidate.labels[0] == self.rows.truth
        better = int(np.count_nonzero(after & ~before & among))
        worse = int(np.count_nonzero(before & ~after & among))
        return scoring.tango_interval(int(np.count_nonzero(among)), better, worse)


def around(delta: Fraction, draws: Any) -> Interval | Undefined:
    """The middle of resampled differences, wide enough to hold what was measured.

    Half a row more for each way to differ pulls draws towards no difference, in few rows past it.
    """
    found = scoring.percentile_interval(draws)
    if isinstance(found, Undefined):
        return found
    low, high = min(found.low, float(delta)), max(found.high, float(delta))
    return Interval(low, high, found.method)


def reported(interval: Interval | Undefined, few: bool) -> ReportedInterval | None:
    """An interval as a record, its ends rounded outwards; None where it is undefined.

    None too where an end is no integer of canonical JSON: of one's own metric, of two groups.
    """
    if isinstance(interval, Undefined):
        return None
    low, high = scoring.nano_below(interval.low), -scoring.nano_below(-interval.high)
    if max(abs(low), abs(high)) > LARGEST_INTEGER:
        return None
    return ReportedInterval(
        low_nano=low,
        high_nano=high,
        method=interval.method,
        few_discordant_rows=few,
    )
