"""mae, rmse and r2: against scikit-learn on the same rounded numbers, exact, and undefined."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from hokusai_assets.scoring import METRICS, Predictions, Undefined, influence, score_metric
from hokusai_assets.scoring.number_errors import total

NAMES = ("mae", "rmse", "r2")
BY_SKLEARN = {
    "mae": sk.mean_absolute_error,
    "rmse": sk.root_mean_squared_error,
    "r2": sk.r2_score,
}


def value(metric, truth, predicted):
    return score_metric(metric, truth, Predictions(predicted[None], None), ())[0]


def drawn(kind, n, seed):
    rng = np.random.default_rng(seed)
    truth = np.rint(rng.beta(2, 5, n) * 1e6).astype(np.int64)
    noise = rng.standard_t(2, n) if kind == "heavy" else rng.normal(0, 1, n)
    predicted = np.clip(truth + np.rint(80_000 * noise), 0, 10**6).astype(np.int64)
    return truth, np.full_like(truth, 300_000) if kind == "constant" else predicted


@pytest.mark.parametrize("kind", ["normal", "heavy", "constant"])
@pytest.mark.parametrize("n", [2, 30, 3_000])
@pytest.mark.parametrize("metric", NAMES)
def test_equals_scikit_learn(metric, n, kind):
    truth, predicted = drawn(kind, n, n)
    found = value(metric, truth, predicted)
    assert isinstance(found, Fraction)
    expected = BY_SKLEARN[metric](truth / 1e6, predicted / 1e6)
    assert float(found) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert METRICS[metric].lowest <= float(found) <= METRICS[metric].highest


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=12))
def test_is_what_exact_arithmetic_says(pairs):
    truth, predicted = np.array(pairs, np.int64).T
    errors = [Fraction(abs(y - p), 10**6) for y, p in pairs]
    mean_square = sum(e * e for e in errors) / len(errors)
    assert value("mae", truth, predicted) == sum(errors) / len(errors)
    root = value("rmse", truth, predicted)
    assert root**2 <= mean_square < (root + Fraction(1, 10**29)) ** 2
    mean = Fraction(int(truth.sum()), len(pairs))
    around = sum((y - mean) ** 2 for y in truth.tolist()) / Fraction(10**12)
    found = value("r2", truth, predicted)
    expected = around and 1 - mean_square * len(errors) / around
    if around and expected < -1000:
        assert found == Undefined("it is below -1,000: the labels hardly vary within their range")
    elif around:
        assert found == 1 - mean_square * len(errors) / around
    else:
        assert found == Undefined("all labels of the benchmark are the same number")


def test_labels_that_hardly_vary_give_numbers_that_fit_into_a_core_or_none():
    # In a range a million times too wide r2 was -2e15, which canonical JSON cannot say.
    truth = np.full(2_000, 5)
    truth[0] = 6
    assert isinstance(value("r2", truth, np.full(2_000, 10**6)), Undefined)
    for far in (0.03, 0.0316, 1):
        near = truth.copy()
        near[1] += round(far * 1000)
        found = value("r2", truth, near)
        if not isinstance(found, Undefined):
            spread = np.sqrt(np.square(influence("r2", truth, near, None, 0)).sum()) / truth.size
            assert found >= -1_000
            assert spread < 2_100


def test_the_ends_of_the_range_and_no_rows():
    truth = np.array([0, 10**6, 0, 10**6])
    assert [value(m, truth, truth) for m in NAMES] == [0, 0, 1]
    assert [value(m, truth, 10**6 - truth) for m in NAMES] == [1, 1, -3]
    none = np.zeros(0, np.int64)
    assert {value(m, none, none) for m in NAMES} == {Undefined("there are no rows")}
    one = np.array([400_000])
    assert value("r2", one, one).reason.startswith("all labels")
    assert value("mae", one, one + 5) == Fraction(5, 10**6)


def test_many_rows_of_the_largest_error_do_not_overflow():
    assert total(np.full(10_000_000, 10**12)) == 10**19 > np.iinfo(np.int64).max


@pytest.mark.parametrize("kind", ["normal", "heavy"])
@pytest.mark.parametrize("metric", NAMES)
def test_influence_equals_the_derivative_of_scikit_learns_value(metric, kind):
    n = 200
    truth, predicted = drawn(kind, n, 5)
    rows = influence(metric, truth, predicted, None, 0)
    assert rows.mean() == pytest.approx(0, abs=1e-12)
    by_weight = []
    for row in range(0, n, 10):
        step = 1e-4
        ends = []
        for sign in (1, -1):
            weight = np.ones(n)
            weight[row] += sign * step
            ends.append(BY_SKLEARN[metric](truth / 1e6, predicted / 1e6, sample_weight=weight))
        by_weight.append((ends[0] - ends[1]) / (2 * step) * n)
    assert rows[::10] == pytest.approx(by_weight, rel=1e-5, abs=1e-6)


def test_a_perfect_model_has_no_influence_and_no_nan():
    truth = np.array([1, 5, 9])
    for metric in NAMES:
        assert influence(metric, truth, truth, None, 0).tolist() == [0, 0, 0]
    assert math.isinf(METRICS["r2"].lowest)
