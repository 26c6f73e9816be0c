"""Intervals of predicted numbers: of resampled rows, and of the standard error past 10,000."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics as sk

from hokusai_assets.scoring import Predictions, Spread
from hokusai_assets.scoring.comparing import compare_metric, influences_of, spread_between
from hokusai_assets.scoring.number_intervals import (
    MOST_ROWS,
    NumberIntervals,
    intervals_of,
    resampled_deltas,
)
from hokusai_assets.scoring.reported import Intervals
from hokusai_assets.scoring.rows import ScoredRows

BY_SKLEARN = {
    "mae": sk.mean_absolute_error,
    "rmse": sk.root_mean_squared_error,
    "r2": sk.r2_score,
}
NAMES = tuple(BY_SKLEARN)


def scored(n, seed=0, seeds=1, clusters=None):
    rng = np.random.default_rng(seed)
    truth = rng.integers(200_000, 800_000, n)
    models = [
        Predictions(
            np.clip(truth + np.rint(rng.normal(0, sd, (seeds, n))), 0, 10**6).astype(np.int64),
            None,
        )
        for sd in (90_000, 80_000)
    ]
    return ScoredRows([], truth, *models, clusters)


def spread(metric, rows):
    part = compare_metric(metric, rows, ())
    return part.delta, spread_between(part, influences_of(metric, rows, ()), rows.clusters)


@pytest.mark.parametrize("metric", NAMES)
def test_resamples_spread_as_far_as_the_standard_error_says(metric):
    rows = scored(2_000)
    delta, error = spread(metric, rows)
    draws = NumberIntervals(rows).draws()[metric]
    assert draws.shape == (2_000,)
    assert draws.std() == pytest.approx(error.standard_error, rel=0.06)
    assert draws.mean() == pytest.approx(float(delta), abs=error.standard_error / 8)
    found = NumberIntervals(rows).of_metric(metric, delta, error)
    assert found.method == "bootstrap_and_influence"
    ends = [*np.quantile(draws, [0.025, 0.975])]
    ends += [float(delta) + side * 1.959964 * error.standard_error for side in (-1, 1)]
    assert found.low_nano / 1e9 == pytest.approx(min(ends), abs=2e-9)
    assert found.high_nano / 1e9 == pytest.approx(max(ends), abs=2e-9)


def test_each_resample_is_what_scikit_learn_says_of_the_rows_drawn():
    rows = scored(60, seed=3)
    numbers = [rows.truth, rows.baseline.labels[0], rows.candidate.labels[0]]
    found = resampled_deltas(*numbers)
    content = np.stack(numbers).astype(">i8").tobytes()
    seed = int.from_bytes(hashlib.sha256(content).digest()[:8], "big")
    places = np.random.default_rng(seed).integers(0, 60, (1_600, 60))
    for draw in (0, 1, 999, 1_599):
        truth, before, after = (part[places[draw]] / 1e6 for part in numbers)
        for metric, value in BY_SKLEARN.items():
            expected = value(truth, after) - value(truth, before)
            assert found[metric][draw] == pytest.approx(expected, abs=1e-12)


def test_past_many_rows_of_seeds_and_of_groups_it_is_the_standard_errors():
    for rows, method in (
        (scored(MOST_ROWS + 1), "influence_normal"),
        (scored(300, seeds=3), "influence_t"),
        (scored(300, clusters=np.arange(300) // 5), "influence_t"),
    ):
        delta, error = spread("mae", rows)
        assert NumberIntervals(rows).of_metric("mae", delta, error).method == method
        one = NumberIntervals(rows).of_delta_one({"mae": Fraction(1)}, -delta, error)
        assert one.method == method
        assert NumberIntervals(rows, draw=False).of_metric("mae", delta, error).method == method


def test_delta_one_is_about_improvements_and_r2_that_weighs_nothing_changes_nothing():
    rows = scored(500)
    delta, error = spread("mae", rows)
    of_metric = NumberIntervals(rows).of_metric("mae", delta, error)
    weights = {"mae": Fraction(1), "r2": Fraction(0)}
    one = NumberIntervals(rows).of_delta_one(weights, -delta, error)
    assert (one.low_nano, one.high_nano) == (-of_metric.high_nano, -of_metric.low_nano)
    own = {"mae": Fraction(1, 2), "m:own": Fraction(1, 2)}
    assert NumberIntervals(rows).of_delta_one(own, -delta, error).method == "influence_normal"


def test_without_drawing_there_are_none_of_few_rows():
    rows = scored(500)
    intervals = intervals_of(rows, 0, draw=False)
    assert intervals.of_metric("mae", Fraction(0), Spread(0.1, None)) is None
    assert intervals.of_delta_one({"mae": Fraction(1)}, Fraction(0), Spread(0.1, None)) is None
    assert isinstance(intervals_of(rows, 2), Intervals)


def test_equal_labels_leave_r2_without_an_interval_and_equal_models_are_marked():
    rows = scored(40)
    same = ScoredRows([], rows.truth, rows.baseline, rows.baseline, None)
    found = NumberIntervals(same).of_metric("rmse", Fraction(0), Spread(0.0, None))
    assert (found.low_nano, found.high_nano, found.few_discordant_rows) == (0, 0, True)
    flat = np.full(40, 500_000)
    draws = resampled_deltas(flat, rows.baseline.labels[0], rows.candidate.labels[0])
    assert np.isnan(draws["r2"]).all()
    assert np.isfinite(draws["mae"]).all()
