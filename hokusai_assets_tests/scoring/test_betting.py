"""The bet: valid by brute force, in no order, blind to nothing that it is said to see."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.scoring.betting import BETS, betting_p, gains

shares = st.floats(-1, 1, allow_subnormal=False)


@given(st.lists(shares, min_size=0, max_size=30))
def test_is_one_over_the_mean_capital_of_the_bets(drawn):
    capital = sum(math.prod(1 + Fraction(b) * Fraction(g) for g in drawn) for b in BETS)
    assert betting_p(np.array(drawn)) == pytest.approx(min(1.0, float(len(BETS) / capital)))


@given(st.lists(shares, min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_does_not_depend_on_the_order_of_rows(drawn, order):
    shuffled = list(drawn)
    order.shuffle(shuffled)
    assert betting_p(np.array(shuffled)) == betting_p(np.array(drawn))


@pytest.mark.parametrize(("gain", "loss"), [(0.05, 0.95), (0.5, 0.5), (0.1, 0.9), (1.0, 1.0)])
def test_keeps_every_level_over_all_outcomes(gain, loss):
    """All 2^12 outcomes of 12 rows that gain nothing in the mean, with their exact chances."""
    chance = loss / (gain + loss)
    found = []
    for outcome in itertools.product((True, False), repeat=12):
        rows = np.where(outcome, gain, -loss)
        won = sum(outcome)
        found.append((betting_p(rows), chance**won * (1 - chance) ** (12 - won)))
    assert sum(weight for _, weight in found) == pytest.approx(1)
    for level in {p for p, _ in found}:
        assert sum(weight for p, weight in found if p <= level) <= level * (1 + 1e-9)


def test_nothing_gained_is_one_and_much_gained_is_never_nought():
    assert betting_p(np.zeros(5_000)) == 1.0
    assert betting_p(np.array([])) == 1.0
    assert betting_p(np.full(100, -1.0)) == 1.0
    assert 0 < betting_p(np.ones(1_000_000)) < 1e-200


def test_gains_are_of_the_loss_that_the_metric_orders_by():
    truth = np.array([500_000, 0, 10**6])
    before, after = np.array([400_000, 0, 0]), np.array([500_000, 300_000, 10**6])
    assert gains("mae", truth, before, after, None).tolist() == [0.1, -0.3, 1.0]
    squares = [0.01, -0.09, 1.0]
    assert gains("rmse", truth, before, after, None).tolist() == squares
    assert gains("r2", truth, before, after, None).tolist() == squares


def test_clusters_are_summed_and_are_shares_of_the_largest():
    truth = np.zeros(5, np.int64)
    before = np.array([10**6, 10**6, 10**6, 0, 0])
    clusters = np.array([0, 0, 0, 1, 2])
    after = np.array([0, 0, 0, 600_000, 0])
    found = gains("mae", truth, before, after, clusters)
    assert found.tolist() == pytest.approx([1.0, -0.2, 0.0])
    # Copies of one row in a cluster prove no more than the row.
    alone = gains("mae", truth[:1], before[:1], after[:1], np.array([0]))
    assert betting_p(alone) == betting_p(found[:1])


def test_one_row_proves_little_and_a_rare_loss_takes_the_evidence():
    assert betting_p(np.array([1.0])) > 0.5
    common = np.full(2_000, 0.01)
    assert betting_p(common) < 1e-6
    common[:20] = -0.99  # 1 % of the rows: nothing is gained in the mean
    assert betting_p(common) == 1.0
