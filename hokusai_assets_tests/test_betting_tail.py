"""The simulation of the bet draws what it says, and tests as the pipeline does."""

import numpy as np
import pytest

from benchmarks import betting_tail
from benchmarks.betting_tail import ALTERNATIVES, LEVELS, NULLS, bell, bought
from hokusai_assets.scoring.betting import betting_p
from hokusai_assets.scoring.paired import improvement_p, paired_spread


@pytest.mark.parametrize("gains", [*NULLS, *ALTERNATIVES])
def test_gains_are_shares_of_a_range_with_the_mean_they_have(gains):
    assert gains.chances.sum() == pytest.approx(1)
    assert (gains.chances >= 0).all()
    assert np.abs(gains.values).max() <= 1
    if any(gains is null for null in NULLS):
        assert gains.mean == pytest.approx(0, abs=1e-12)
    else:
        assert gains.mean > 0.001


def test_both_tests_are_those_of_the_pipeline():
    gains = bell(500, 0.01, 0.1)
    counts = np.random.default_rng(1).multinomial(500, gains.chances)
    rows = np.repeat(gains.values, counts)
    assert betting_tail.betting_p(gains, counts[None])[0] == pytest.approx(betting_p(rows))
    influence = rows - rows.mean()
    zero = np.zeros(1)
    spread = paired_spread(np.zeros((1, 500)), influence[None], zero, zero + rows.mean())
    expected = improvement_p(rows.mean(), spread)
    assert betting_tail.normal_p(gains, counts[None])[0] == pytest.approx(expected)


def test_a_rare_loss_deceives_the_normal_test_and_not_the_bet():
    normal, bet = betting_tail.excess(bought(2_000, 0.02, 0.9), 60_000, np.random.default_rng(2))
    assert normal[LEVELS.index(1e-4)] > 4
    assert (bet <= 1.1).all()


def test_a_gain_of_two_points_is_found():
    normal, bet = betting_tail.found(bell(2_000, 0.02, 0.1), 2_000, np.random.default_rng(3))
    assert normal > 0.99
    assert bet > 0.95
