"""Tests and bounds against scipy, brute force and each other."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from hokusai_assets import scoring
from hokusai_assets.scoring import Spread, Undefined


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_exact_binomial_tail(better, worse):
    n = better + worse
    exact = Fraction(sum(math.comb(n, i) for i in range(better, n + 1)), 2**n)
    assert scoring.mcnemar_p(better, worse) == pytest.approx(float(exact), rel=1e-11)


def test_mcnemar_known_answers():
    assert scoring.mcnemar_p(0, 0) == 1.0
    assert scoring.mcnemar_p(0, 9) == 1.0
    assert scoring.mcnemar_p(5, 0) == 1 / 32
    # n = 800, b = 10, c = 26: two-sided .011, as measured for the project.
    assert 2 * scoring.mcnemar_p(26, 10) == pytest.approx(0.01133, abs=5e-6)
    large = scoring.mcnemar_p(2_010_000, 2_000_000)
    assert large == pytest.approx(stats.binom.sf(2_009_999, 4_010_000, 0.5), rel=1e-9)
    with pytest.raises(ValueError, match="negative"):
        scoring.mcnemar_p(-1, 2)


def test_p_values_round_up_and_bounds_down():
    assert scoring.pico(1.0) == 10**12
    assert scoring.pico(1e-30) == 1
    assert scoring.pico(0.0) == 0
    assert scoring.nano_below(-1.5e-9) == -2
    assert scoring.nano(2.5e-9) == 2


def restricted_likelihood(rows, better, worse, difference):
    """Tango's statistic by maximising the likelihood numerically under the difference."""
    low, high = max(0.0, -difference), (1 - difference) / 2

    def negative(q):
        terms = [
            (better, q + difference),
            (worse, q),
            (rows - better - worse, 1 - 2 * q - difference),
        ]
        return -sum(count * math.log(max(p, 1e-300)) for count, p in terms if count)

    q = optimize.minimize_scalar(
        negative, (low, high), (low, high), method="bounded", options={"xatol": 1e-13}
    ).x
    variance = rows * (2 * q + difference - difference**2)
    return (better - worse - rows * difference) / math.sqrt(variance)


@pytest.mark.parametrize(
    ("rows", "better", "worse"), [(50, 12, 9), (132, 3, 8), (800, 26, 10), (40, 1, 15), (30, 7, 0)]
)
def test_tango_bound_solves_the_score_equation_found_by_brute_force(rows, better, worse):
    bound = scoring.tango_lower_bound(rows, better, worse, 0.95)
    statistic = restricted_likelihood(rows, better, worse, bound)
    assert statistic == pytest.approx(stats.norm.ppf(0.95), abs=2e-4)


def test_tango_interval_of_the_measured_example():
    # n = 800, b = 10, c = 26: 95 % interval [+.56, +3.61] points.
    assert scoring.tango_lower_bound(800, 26, 10, 0.975) == pytest.approx(0.0056, abs=5e-5)
    assert -scoring.tango_lower_bound(800, 10, 26, 0.975) == pytest.approx(0.0361, abs=5e-5)


def test_tango_bound_of_identical_predictions_has_a_closed_form():
    z2 = stats.norm.ppf(0.95) ** 2
    for rows in (1, 132, 5000):
        found = scoring.tango_lower_bound(rows, 0, 0, 0.95)
        assert found == pytest.approx(-z2 / (rows + z2), abs=1e-12)
    assert scoring.tango_lower_bound(132, 0, 0, 0.95) < -0.02
    assert scoring.tango_lower_bound(133, 0, 0, 0.95) > -0.02


@settings(max_examples=60)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 200))
def test_tango_bound_lies_below_the_estimate_and_grows_with_fixed_rows(better, worse, same):
    rows = better + worse + same
    bound = scoring.tango_lower_bound(rows, better, worse, 0.95)
    assert -1 <= bound <= (better - worse) / rows
    assert scoring.tango_lower_bound(rows, better + 1, worse, 0.95) >= bound


def test_improvement_and_harm_are_two_sides():
    spread = Spread(0.01, None)
    assert scoring.improvement_p(Fraction(2, 100), spread) == pytest.approx(stats.norm.sf(2))
    assert scoring.harm_p(Fraction(2, 100), spread) == pytest.approx(stats.norm.cdf(2))
    by_t = scoring.improvement_p(Fraction(2, 100), Spread(0.01, 7.0))
    assert by_t == pytest.approx(stats.t.sf(2, 7))
    low = scoring.lower_bound(Fraction(2, 100), Spread(0.01, 7.0), 0.95)
    assert low == pytest.approx(0.02 - stats.t.ppf(0.95, 7) * 0.01)


def test_a_gain_without_spread_has_no_p_value():
    assert scoring.improvement_p(Fraction(0), Spread(0.0, None)) == 1.0
    assert isinstance(scoring.improvement_p(Fraction(1), Spread(0.0, None)), Undefined)
    assert isinstance(scoring.lower_bound(Fraction(-1), Spread(0.0, None), 0.95), Undefined)


def test_one_seed_without_clusters_is_the_plain_paired_error():
    rng = np.random.default_rng(3)
    base, cand = rng.normal(size=(2, 400))
    base, cand = base - base.mean(), cand - cand.mean()
    spread = scoring.paired_spread(base[None], cand[None], np.zeros(1), np.ones(1))
    assert spread.degrees_of_freedom is None
    assert spread.standard_error == pytest.approx(np.std(cand - base) / 20)


def test_clusters_of_one_row_change_only_the_distribution_and_pairs_of_copies_double_variance():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(1, 300))
    rows -= rows.mean()
    nothing = np.zeros((1, 300))
    plain = scoring.paired_spread(nothing, rows, np.zeros(1), np.ones(1))
    alone = scoring.paired_spread(nothing, rows, np.zeros(1), np.ones(1), np.arange(300))
    assert alone.standard_error == pytest.approx(plain.standard_error * math.sqrt(300 / 299))
    assert alone.degrees_of_freedom == pytest.approx(299)
    # Every row twice is no new evidence: clustered, the error is what it was.
    twice = scoring.paired_spread(
        np.zeros((1, 600)), np.tile(rows, 2), np.zeros(1), np.ones(1), np.tile(np.arange(300), 2)
    )
    assert twice.standard_error == pytest.approx(alone.standard_error)
    one_group = scoring.paired_spread(
        nothing, rows, np.zeros(1), np.ones(1), np.zeros(300, dtype=np.int64)
    )
    assert isinstance(one_group, Undefined)


def test_noise_of_seeds_within_rows_is_not_counted_twice():
    # Rows alike, seeds independent between rows: the truth is noise^2 / (rows * seeds).
    rng = np.random.default_rng(5)
    found = []
    for _ in range(300):
        noisy = rng.normal(size=(5, 200))
        values = noisy.mean(axis=1)
        centred = noisy - values[:, None]
        spread = scoring.paired_spread(np.zeros((1, 200)), centred, np.zeros(1), values)
        found.append(spread.standard_error**2)
    truth = 1 / (200 * 5)
    assert truth * 0.95 < np.mean(found) < truth * 1.35


def test_noise_shared_by_all_rows_of_a_seed_is_counted():
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    rows = np.zeros((5, 50))
    spread = scoring.paired_spread(np.zeros((1, 50)), rows, np.zeros(1), values)
    assert spread.standard_error == pytest.approx(math.sqrt(np.var(values, ddof=1) / 5))
    assert spread.degrees_of_freedom == pytest.approx(4)


def test_identical_models_have_no_spread_even_with_seeds():
    rng = np.random.default_rng(6)
    rows, values = rng.normal(size=(5, 50)), rng.normal(size=5)
    spread = scoring.paired_spread(rows, rows.copy(), values, values.copy())
    assert spread == Spread(0.0, None)
    assert scoring.improvement_p(Fraction(0), spread) == 1.0


def test_groups_that_all_gain_the_same_have_no_standard_error():
    # Their influences cancel to 1e-17 and not to 0, of which p = 1e-60 would be made.
    truth = np.tile([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 10)
    right = [np.tile([int(i < k) for i in range(10)], 10) for k in (3, 7)]
    spread = scoring.paired_spread(
        *(scoring.influence("accuracy", truth, r, None, 2)[None] for r in right),
        np.array([0.3]),
        np.array([0.7]),
        np.repeat(np.arange(10), 10),
    )
    assert spread == Spread(0.0, None)
    assert isinstance(scoring.improvement_p(Fraction(2, 5), spread), Undefined)
