"""Power: against simulation of the very clauses, recorded numbers, and its own laws."""

import numpy as np
import pytest

from hokusai_assets import scoring
from hokusai_assets.scoring.power import detectable, detection_power, rows_needed

FIRST, LATER = 0.0010132, 0.000063326  # levels of attempts 1 and 91 in blocks of 30


@pytest.mark.parametrize(
    ("level", "discordance", "expected"),
    # Simulated when the rule was chosen: n = 2,000, a true gain of 2 points.
    [(FIRST, 0.06, 0.70), (FIRST, 0.10, 0.38), (LATER, 0.06, 0.41), (LATER, 0.10, 0.14)],
)
def test_the_recorded_power_of_two_points(level, discordance, expected):
    assert detection_power(2_000, 0.02, discordance, level, 0.01) == pytest.approx(
        expected, abs=0.01
    )


@pytest.mark.parametrize(("rows", "gain", "threshold"), [(300, 0.03, 0.0), (800, 0.02, 0.01)])
def test_it_is_what_a_simulation_of_the_clauses_gives(rows, gain, threshold):
    rng = np.random.default_rng(rows)
    discordance, level = 0.08, 0.02
    shares = [(discordance + gain) / 2, (discordance - gain) / 2, 1 - discordance]
    found = sum(
        better - worse >= rows * threshold and scoring.mcnemar_p(int(better), int(worse)) <= level
        for better, worse, _ in rng.multinomial(rows, shares, size=6_000)
    )
    power = detection_power(rows, gain, discordance, level, threshold)
    assert power == pytest.approx(found / 6_000, abs=0.025)


def test_without_improvement_it_is_below_the_level():
    for rows in (50, 500, 5_000):
        assert detection_power(rows, 0.0, 0.06, 0.05) <= 0.05
    assert detection_power(20, 0.02, 0.06, 1e-9) == 0.0
    with pytest.raises(ValueError, match="between 0"):
        detection_power(100, 0.07, 0.06, 0.05)


def test_what_is_detectable_is_detected_and_the_rows_needed_suffice():
    least = detectable(2_000, 0.06, FIRST, 0.01)
    assert detection_power(2_000, least, 0.06, FIRST, 0.01) == pytest.approx(0.8, abs=1e-6)
    assert detectable(100, 0.06, FIRST) is None
    rows = rows_needed(0.02, 0.06, FIRST, 0.01)
    assert detection_power(rows, 0.02, 0.06, FIRST, 0.01) >= 0.8
    assert detection_power(int(rows * 0.95), 0.02, 0.06, FIRST, 0.01) < 0.8
    assert rows_needed(0.01, 0.06, FIRST, 0.01) is None  # half of all fall below the threshold
