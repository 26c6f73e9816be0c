"""The power of a regression's benchmark: near what drawn gains show, and in order."""

import numpy as np
import pytest

from benchmarks.betting_tail import bell, betting_p
from hokusai_assets.scoring.number_power import detectable, detection_power, rows_needed


@pytest.mark.parametrize(
    ("rows", "gain", "spread"),
    [(2_000, 0.01, 0.1), (2_000, 0.012, 0.1), (2_000, 0.02, 0.2), (10_000, 0.01, 0.2)],
)
@pytest.mark.parametrize("threshold", [0.0, 0.01])
def test_is_near_what_drawn_gains_show(rows, gain, spread, threshold):
    gains = bell(rows, gain, spread)
    counts = np.random.default_rng(5).multinomial(rows, gains.chances, size=4_000).astype(float)
    found = betting_p(gains, counts) <= 1e-3
    found &= counts @ gains.values / rows >= threshold
    said = detection_power(rows, gain, spread, 1e-3, threshold)
    assert found.mean() - 0.12 < said < found.mean() + 0.02


def test_detectable_and_rows_needed_are_where_the_power_is_reached():
    least = detectable(2_000, 0.1, 1e-3, 0.01)
    assert detection_power(2_000, least, 0.1, 1e-3, 0.01) == pytest.approx(0.8, abs=1e-6)
    rows = rows_needed(0.02, 0.1, 1e-3, 0.01)
    assert detection_power(rows, 0.02, 0.1, 1e-3, 0.01) >= 0.8
    assert detection_power(rows - 1, 0.02, 0.1, 1e-3, 0.01) < 0.8


def test_what_cannot_be_found_is_said():
    assert rows_needed(0.01, 0.1, 1e-3, 0.01) is None  # at the threshold half is missed
    assert detectable(3, 0.1, 1e-9) is None
    assert detection_power(0, 0.1, 0.1, 1e-3) == 0.0
    assert detection_power(10, 0.0, 0.1, 1e-3) == 0.0
