"""What may be paid: its defining equation, its order, and how often it overpays."""

import numpy as np
import pytest
from scipy import stats

from hokusai_assets import scoring
from hokusai_assets.scoring import Gain

LEVEL = 0.001


def paid(measured, error, *, conditional=True, null=None, degrees=None, level=LEVEL, least=100):
    gain = Gain(measured, error, null or error, degrees, conditional)
    return scoring.payable_bps(gain, min_delta_bps=least, level=level)


def test_the_bound_solves_its_equation():
    bound, error, passed = paid(300, 60), 60, stats.norm.isf(LEVEL) * 60
    shown = stats.norm.sf((300 - bound) / error)
    could = stats.norm.sf((passed - bound) / error)
    assert shown / could == pytest.approx(0.05, abs=0.002)


def test_far_past_the_threshold_it_is_the_ordinary_one_sided_bound():
    assert paid(3_000, 50) == pytest.approx(3_000 - 1.645 * 50, abs=1)


def test_at_the_edge_of_acceptance_nothing_is_left():
    assert paid(186, 60) == 0
    assert paid(100, 40) == 0


def test_it_rises_with_what_was_measured_and_never_passes_it():
    amounts = [paid(measured, 60) for measured in range(150, 900, 10)]
    assert amounts == sorted(amounts)
    assert all(
        amount <= measured for amount, measured in zip(amounts, range(150, 900, 10), strict=True)
    )


def test_of_several_metrics_it_is_the_bound_at_the_attempts_level():
    assert paid(500, 60, conditional=False) == int(500 - stats.norm.isf(LEVEL) * 60)
    assert paid(500, 60, conditional=False, degrees=9) == int(500 - stats.t.isf(LEVEL, 9) * 60)
    assert paid(100, 60, conditional=False) == 0
    assert paid(120, 0.0) == 120


@pytest.mark.parametrize("level", [0.001, 5e-4 / 3])
def test_few_of_those_accepted_are_paid_more_than_they_truly_gain(level):
    rng = np.random.default_rng(5)
    rows, true, discordance = 2_000, 100, 0.06
    accepted = over = naive = 0
    shares = [(discordance + true / 1e4) / 2, (discordance - true / 1e4) / 2]
    for better, worse, _ in rng.multinomial(rows, [*shares, 1 - sum(shares)], size=40_000):
        measured = 1e4 * (better - worse) / rows
        if measured < 100 or stats.norm.isf(level) > (better - worse) / np.sqrt(better + worse):
            continue
        null = 1e4 * np.sqrt(better + worse) / rows
        error = 1e4 * np.sqrt(better + worse - (better - worse) ** 2 / rows) / rows
        accepted += 1
        over += paid(measured, error, null=null, level=level) > true
        naive += measured > true
    assert accepted > 300
    assert over / accepted <= 0.08
    assert naive == accepted  # paying what was measured overpays every one of them


@pytest.mark.parametrize("degrees", [4, 9])
def test_an_error_that_is_known_badly_pays_no_more_often_too_much(degrees):
    rng = np.random.default_rng(degrees)
    measured = 100 + 60 * rng.standard_normal(400_000)
    errors = 60 * np.sqrt(rng.chisquare(degrees, 400_000) / degrees)
    accepted = (measured >= 100) & (stats.t.sf(measured / errors, degrees) <= LEVEL)
    over = [
        paid(float(measured[i]), float(errors[i]), degrees=degrees) > 100
        for i in np.flatnonzero(accepted)[:600]
    ]
    assert len(over) == 600
    assert np.mean(over) <= 0.05


def test_fewer_degrees_pay_less():
    amounts = [paid(900, 60, degrees=degrees) for degrees in (4, 9, 30, None)]
    assert amounts == sorted(amounts)
    assert amounts[0] < amounts[-1]
