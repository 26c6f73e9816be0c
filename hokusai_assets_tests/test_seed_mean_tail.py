"""The simulation of accuracy's mean over seeds tests as the pipeline does."""

import numpy as np
import pytest

from benchmarks.seed_mean_tail import NULLS, ROWS, SEEDS, Null, excess, statistic
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.comparing import compare_metric, influences_of, spread_between
from hokusai_assets.scoring.rows import ScoredRows


def test_change_and_error_are_those_of_the_pipeline():
    lost, gained, seeds = 30, 120, 2
    truth = np.ones(ROWS, np.int64)
    before, after = np.ones((2, SEEDS, ROWS), np.int64)
    before[:, lost : lost + gained] = 0  # wrong under every seed
    after[:, :lost] = 0
    after[:, lost : lost + gained] = 0
    for row in range(lost, lost + gained):  # right under two of five, which differ by row
        after[[row % SEEDS, (row + 2) % SEEDS], row] = 1
    rows = ScoredRows([], truth, Predictions(before, None), Predictions(after, None), None)
    found = compare_metric("accuracy", rows, ["no", "yes"])
    spread = spread_between(found, influences_of("accuracy", rows, ["no", "yes"]), None)
    change, error = statistic(lost, gained, seeds)
    assert change == pytest.approx(float(found.delta))
    assert error == pytest.approx(spread.standard_error, rel=1e-9)
    assert spread.degrees_of_freedom == pytest.approx(ROWS - 1)


@pytest.mark.parametrize("null", NULLS)
def test_no_null_changes_mean_accuracy(null):
    assert null.gained * null.seeds / SEEDS == pytest.approx(null.lost)
    assert null.gained + null.lost < 1


def test_a_row_gained_for_a_row_lost_keeps_the_level_and_a_fifth_does_not():
    rng = np.random.default_rng(1)
    fair, _, _ = excess(Null(0.02, 5), 1_000_000, rng)
    rare, past, both = excess(Null(0.02, 1), 1_000_000, rng)
    assert fair[0] == pytest.approx(1, abs=0.15)
    assert rare[0] > 2.5
    assert past[0] > 1
    assert both[0] < 1.1  # the rule's own test, which asks the released model too
