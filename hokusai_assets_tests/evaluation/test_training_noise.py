"""The null run and the released model's own delta, from one value a seed."""

import statistics
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.evaluation.training_noise import DELTA_ONE, null_run, released_model
from hokusai_assets.scoring import Undefined
from hokusai_assets.scoring.comparing import Compared
from hokusai_assets.task import parse_task

RULE = {"weights": {"accuracy": 3, "log_loss": 1}, "lower_is_better": ["log_loss"]}


def part(metric, before, after):
    return Compared(metric, before, after)


def fractions(*thousandths):
    return [Fraction(x, 1_000) for x in thousandths]


def test_the_null_run_by_hand(make_task):
    found = null_run(
        make_task(),
        [
            part("accuracy", fractions(800, 804, 806), fractions(820, 830, 840)),
            part("log_loss", fractions(500, 500, 512), fractions(500, 500, 500)),
        ],
        RULE,
    )
    assert (found.model, found.seeds, found.reason) == ("baseline", 3, None)
    accuracy = found.noise["accuracy"]
    assert accuracy.largest_bps == pytest.approx(60)
    # The mean square of the six differences, in both directions, of 4, 6 and 2 thousandths.
    pairs = [40, 60, 20]
    assert accuracy.deviation_bps == pytest.approx((sum(d**2 for d in pairs) / len(pairs)) ** 0.5)
    assert accuracy.deviation_of_means_bps == pytest.approx(accuracy.deviation_bps / 3**0.5)
    # 3/4 accuracy less 1/4 of the loss: 475, 478, 476.5 thousandths.
    assert found.noise[DELTA_ONE].largest_bps == pytest.approx(30)


def test_of_a_stored_baseline_the_candidate_is_compared_with_itself(make_task):
    found = null_run(
        make_task(), [part("accuracy", fractions(800), fractions(820, 830, 825))], RULE
    )
    assert (found.model, found.seeds) == ("candidate", 3)
    assert found.noise["accuracy"].largest_bps == pytest.approx(100)


def test_without_a_seed_there_is_no_noise_by_construction(make_task):
    compared = [part("accuracy", fractions(800), fractions(820))]
    found = null_run(make_task(), compared, RULE)
    assert (found.model, found.noise) == (None, {})
    assert "has no seed" in found.reason and "0 by construction" in found.reason
    asked = null_run(make_task(model={"seeds": 1}), compared, RULE)
    assert "was not looked at" in asked.reason
    assert released_model(compared, RULE) is None


def test_the_released_model_is_the_first_seeds(make_task):
    compared = [
        part("accuracy", fractions(800, 806), fractions(810, 836)),
        part("log_loss", fractions(500, 512), fractions(492, 100)),
    ]
    found = released_model(compared, RULE)
    assert found.deltas == pytest.approx({"accuracy": 0.010, "log_loss": -0.008})
    assert found.delta_one == pytest.approx(0.75 * 0.010 + 0.25 * 0.008)
    stored = released_model([part("accuracy", fractions(800), fractions(810, 836))], RULE)
    assert stored.deltas == pytest.approx({"accuracy": 0.010})


def test_what_is_undefined_is_left_out_of_both(make_task):
    compared = [
        part("accuracy", fractions(800, 806), fractions(810, 836)),
        part("log_loss", fractions(500, 512), [Undefined("no scores"), Undefined("no scores")]),
    ]
    found = null_run(make_task(), compared, RULE)
    assert set(found.noise) == {"accuracy", DELTA_ONE}
    assert found.noise[DELTA_ONE] == found.noise["accuracy"]
    assert set(released_model(compared, RULE).deltas) == {"accuracy"}
    nothing = [part("log_loss", [Undefined("x")] * 2, [Undefined("x")] * 2)]
    assert null_run(make_task(), nothing, RULE).noise == {}
    assert released_model(nothing, RULE).delta_one is None


TASK = parse_task(
    {
        "task_schema": 1,
        "id": "small",
        "data": {"base": "b.csv", "benchmark": "c.csv", "labels": ["bad", "good"]},
        "columns": [
            {"name": "text", "type": "text"},
            {"name": "label", "type": "category", "role": "target"},
        ],
    }
)


@given(st.lists(st.integers(0, 1_000), min_size=2, max_size=8))
def test_the_deviation_is_that_of_all_differences(thousandths):
    values = fractions(*thousandths)
    noise = null_run(TASK, [part("accuracy", values, values)], RULE).noise["accuracy"]
    differences = [float(a - b) * 10_000 for a, b in combinations(values, 2)]
    assert noise.largest_bps == pytest.approx(max(map(abs, differences)))
    expected = statistics.fmean(d**2 for d in differences) ** 0.5
    assert noise.deviation_bps == pytest.approx(expected, abs=1e-6)
