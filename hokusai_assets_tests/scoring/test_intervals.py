"""Intervals against published numbers, scikit-learn on resampled rows, and their own coverage."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn import metrics as reference

from hokusai_assets import scoring
from hokusai_assets.scoring import Spread, Undefined
from hokusai_assets.scoring.intervals import smoothed
from hokusai_assets.scoring.reported import reported

NAMES = ("accuracy", "precision", "recall", "f1_score")


def paired_rows(rng, rows, classes, accuracy=0.8, discordance=0.1):
    truth = rng.integers(0, classes, rows)
    wrong = (truth + rng.integers(1, classes, rows)) % classes
    before = np.where(rng.random(rows) < accuracy, truth, wrong)
    flip = rng.random(rows) < discordance
    other = np.where(before == truth, wrong, truth)
    return truth, before, np.where(flip, other, before)


def score_of(rows, better, worse, difference):
    """Tango's statistic by its definition: the variance at the constrained maximum likelihood."""

    def loss(q):  # q: the share that only the baseline has right, under the assumed difference
        p = q + difference
        rest = 1 - p - q
        if min(p, q) < 0 or rest <= 0:
            return np.inf
        return -(
            stats.binom.logpmf(0, 0, 0.5)
            + better * np.log(max(p, 1e-300))
            + worse * np.log(max(q, 1e-300))
            + (rows - better - worse) * np.log(rest)
        )

    low, high = max(0.0, -difference), (1 - difference) / 2
    q = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded").x
    variance = rows * (2 * q + difference - difference**2)
    return (better - worse - rows * difference) / np.sqrt(variance)


def test_tango_interval_of_the_known_example():
    found = scoring.tango_interval(800, 26, 10)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0056, 0.0361)
    assert found.method == "tango_score"


@pytest.mark.parametrize(("rows", "better", "worse"), [(100, 12, 5), (50, 3, 0), (400, 20, 44)])
def test_tango_ends_are_where_the_statistic_meets_the_quantile(rows, better, worse):
    found = scoring.tango_interval(rows, better, worse)
    assert score_of(rows, better, worse, found.low) == pytest.approx(1.96, abs=0.01)
    assert score_of(rows, better, worse, found.high) == pytest.approx(-1.96, abs=0.01)


def test_swapping_the_models_mirrors_the_interval():
    one, other = scoring.tango_interval(90, 7, 2), scoring.tango_interval(90, 2, 7)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert scoring.tango_interval(0, 0, 0) == Undefined("there are no rows")
    same = scoring.tango_interval(500, 0, 0)
    assert same.low == pytest.approx(-same.high) and same.high > 0


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_values_of_many_tables_are_those_of_each(classes):
    rng = np.random.default_rng(classes)
    truth, before, _ = paired_rows(rng, 900, classes)
    table = scoring.confusion(truth, before, classes)
    for name, function in scoring.COUNTED.items():
        exact = scoring.METRICS[name].value(truth, before, None, list(range(classes)))
        assert function(table[None])[0] == pytest.approx(float(exact), abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_resampling_counts_is_resampling_rows(classes):
    rng = np.random.default_rng(17)
    truth, before, after = paired_rows(rng, 2_000, classes)
    joint = scoring.joint_table(truth, before, after, classes)
    draws = scoring.bootstrap_deltas(joint, NAMES)
    average = "binary" if classes == 2 else "macro"
    slow = {"accuracy": [], "f1_score": []}
    for _ in range(400):
        rows = rng.integers(0, len(truth), len(truth))
        y, b, a = truth[rows], before[rows], after[rows]
        slow["accuracy"].append(reference.accuracy_score(y, a) - reference.accuracy_score(y, b))
        slow["f1_score"].append(
            reference.f1_score(y, a, average=average) - reference.f1_score(y, b, average=average)
        )
    for name, values in slow.items():
        assert stats.ks_2samp(draws[name], values).pvalue > 0.01
        assert np.std(draws[name]) == pytest.approx(np.std(values), rel=0.1)


def test_the_same_counts_give_the_same_interval_and_other_counts_another():
    rng = np.random.default_rng(3)
    joint = scoring.joint_table(*paired_rows(rng, 500, 2), 2)
    one = scoring.percentile_interval(scoring.bootstrap_deltas(joint, ["f1_score"])["f1_score"])
    again = scoring.percentile_interval(scoring.bootstrap_deltas(joint, ["f1_score"])["f1_score"])
    assert one == again
    joint[1, 1, 0] += 30
    other = scoring.percentile_interval(scoring.bootstrap_deltas(joint, ["f1_score"])["f1_score"])
    assert other.low < one.low


def test_identical_models_have_an_interval_around_zero_that_is_no_point():
    joint = np.zeros((2, 2, 2), np.int64)
    joint[0, 0, 0], joint[1, 1, 1] = 180, 20
    for name, draws in scoring.bootstrap_deltas(joint, NAMES).items():
        found = scoring.percentile_interval(draws)
        assert found.low < 0 < found.high, name


def test_what_is_undefined_in_resamples_has_no_interval():
    draws = np.full(1000, np.nan)
    draws[:980] = 0.1
    assert isinstance(scoring.percentile_interval(draws), Undefined)
    draws[:995] = 0.1
    assert scoring.percentile_interval(draws).low == pytest.approx(0.1)


def test_half_a_row_for_each_way_to_differ_in_classes_that_have_rows():
    joint = np.zeros((3, 3, 3), np.int64)
    joint[0, 0, 0], joint[1, 1, 1] = 10, 5
    added = smoothed(joint) - joint
    assert added.sum() == pytest.approx(2.0)
    assert added[2].sum() == 0
    assert added[0, 0, 1] == added[0, 2, 0] == 0.25


def test_discordant_rows_are_those_that_the_metric_rests_on():
    joint = np.zeros((2, 2, 2), np.int64)
    joint[0, 0, 1], joint[1, 1, 0], joint[1, 0, 1], joint[0, 0, 0] = 7, 2, 3, 100
    assert scoring.discordant_rows("accuracy", joint) == 12
    assert scoring.discordant_rows("recall", joint) == 5
    assert scoring.discordant_rows("precision", joint) == 12
    assert scoring.discordant_rows("balanced_accuracy", joint) == 5
    assert scoring.discordant_rows("log_loss", joint) == 12
    three = np.zeros((3, 3, 3), np.int64)
    three[0, 1, 2] = 50  # both wrong: no matter for accuracy
    three[1, 1, 0], three[2, 2, 1] = 4, 9
    assert scoring.discordant_rows("accuracy", three) == 13
    assert scoring.discordant_rows("recall", three) == 4


def test_the_interval_of_a_spread_is_normal_or_t():
    from fractions import Fraction

    found = scoring.spread_interval(Fraction(1, 10), Spread(0.02, None))
    assert (found.low, found.high) == pytest.approx((0.1 - 0.0391993, 0.1 + 0.0391993), abs=1e-6)
    found = scoring.spread_interval(Fraction(1, 10), Spread(0.02, 4.0))
    assert found.high == pytest.approx(0.1 + stats.t.ppf(0.975, 4) * 0.02)
    assert found.method == "influence_t"
    assert isinstance(scoring.spread_interval(Fraction(1, 10), Spread(0.0, None)), Undefined)


@pytest.mark.parametrize(("rows", "accuracy"), [(200, 0.98), (200, 0.8), (800, 0.9)])
def test_intervals_cover_the_truth_about_as_often_as_they_say(rows, accuracy):
    # The whole table stands in docs/statistics.md; here with room for 400 repeats.
    rng = np.random.default_rng(rows)
    fixed, broken = 0.02, 0.01
    shares = np.zeros((2, 2, 2))
    for label in (0, 1):
        shares[label, label, label] = 0.5 * (accuracy - broken)
        shares[label, label, 1 - label] = 0.5 * broken
        shares[label, 1 - label, label] = 0.5 * min(fixed, 1 - accuracy)
        shares[label, 1 - label, 1 - label] = 0.5 * max(1 - accuracy - fixed, 0)
    true = {
        name: float(
            scoring.COUNTED[name](shares.sum(axis=1)[None])[0]
            - scoring.COUNTED[name](shares.sum(axis=2)[None])[0]
        )
        for name in ("accuracy", "f1_score")
    }
    covered = {"accuracy": 0, "f1_score": 0}
    for _ in range(400):
        joint = rng.multinomial(rows, shares.reshape(-1)).reshape(2, 2, 2)
        better, worse = joint[0, 1, 0] + joint[1, 0, 1], joint[0, 0, 1] + joint[1, 1, 0]
        of = {
            "accuracy": scoring.tango_interval(rows, int(better), int(worse)),
            "f1_score": scoring.percentile_interval(
                scoring.bootstrap_deltas(joint, ["f1_score"], 500)["f1_score"]
            ),
        }
        for name, found in of.items():
            covered[name] += found.low <= true[name] <= found.high
    for name, count in covered.items():
        assert count / 400 >= 0.92, name


def test_an_interval_that_no_core_could_hold_is_none():
    # Two groups have a quantile of 12.7, by which a metric of one's own of a million is too large.
    spread = scoring.Spread(1e6, 1.0)
    assert reported(scoring.spread_interval(Fraction(0), spread), few=True) is None
    small = reported(scoring.spread_interval(Fraction(0), scoring.Spread(1e5, 1.0)), few=True)
    assert small is not None
    assert small.high_nano == pytest.approx(12.7062e14, rel=1e-4)
