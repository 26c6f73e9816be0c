"""Errors from influences agree with the jackknife, the bootstrap and sums written out by hand."""

import math
from fractions import Fraction
from statistics import fmean, variance

import numpy as np
import pytest

from hokusai_assets import scoring
from hokusai_assets.scoring import Predictions, Spread, Undefined
from hokusai_assets.scoring.uncertainty import influences, spread_of

METRICS = ("accuracy", "precision", "recall", "f1_score", "auroc")


def model(rng, truth, classes, *, right=0.7, seeds=1):
    """Labels right in a share of the rows, and scores with ties that lean towards the truth."""
    n = len(truth)
    guess = rng.integers(0, classes, (seeds, n))
    labels = np.where(rng.random((seeds, n)) < right, truth, guess)
    lean = (truth[None, :, None] == np.arange(classes)) * 200_000
    scores = rng.integers(0, 60, (seeds, n, classes)) * 10_000 + lean
    return Predictions(labels, scores)


def values(metric, truth, predictions, classes):
    return scoring.score_metric(metric, truth, predictions, range(classes))


def pick(predictions, rows):
    return Predictions(predictions.labels[:, rows], predictions.scores[:, rows])


def spread(metric, truth, before, after, classes, clusters=None):
    return spread_of(
        *(influences(metric, truth, m, classes) for m in (before, after)),
        *(values(metric, truth, m, classes) for m in (before, after)),
        clusters,
    )


def difference(metric, truth, before, after, classes):
    means = [scoring.seed_mean(values(metric, truth, m, classes)) for m in (before, after)]
    return float(means[1] - means[0])


def test_accuracys_influence_is_whether_a_row_is_right_less_the_share_of_right_rows():
    truth = np.array([0, 1, 1, 0])
    predictions = Predictions(np.array([[0, 1, 0, 0], [1, 1, 0, 1]]), None)
    found = influences("accuracy", truth, predictions, 2)
    assert found.tolist() == [[0.25, 0.25, -0.75, 0.25], [-0.25, 0.75, -0.25, -0.25]]


def test_recalls_influence_is_zero_outside_the_class_and_scaled_by_its_share():
    truth = np.array([1, 1, 0, 0, 0])
    found = influences("recall", truth, Predictions(np.array([[1, 0, 1, 0, 0]]), None), 2)
    # (right - 1/2) / (2/5) for the two rows of class 1.
    assert found.tolist() == [[1.25, -1.25, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("metric", METRICS)
def test_every_seed_has_its_own_influences_of_mean_zero(metric, classes):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes, 60)
    predictions = model(rng, truth, classes, seeds=3)
    found = influences(metric, truth, predictions, classes)
    assert found.shape == (3, 60)
    assert np.abs(found.mean(axis=1)).max() < 1e-12
    for seed in range(3):
        labels, scores = predictions.of_seed(seed)
        alone = influences(metric, truth, Predictions(labels[None], scores[None]), classes)
        assert (found[seed] == alone[0]).all()
    assert not (found[0] == found[1]).all()


def test_auroc_without_scores_has_no_influences():
    with pytest.raises(ValueError, match="auroc needs scores"):
        influences("auroc", np.array([0, 1]), Predictions(np.array([[0, 1]]), None), 2)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("metric", METRICS)
def test_the_paired_error_is_the_jackknifes(metric, classes):
    rng = np.random.default_rng(5)
    n = 240
    truth = rng.integers(0, classes, n)
    before, after = (model(rng, truth, classes, right=right) for right in (0.6, 0.75))
    without = []
    for row in range(n):
        kept = np.arange(n) != row
        pair = (pick(m, kept) for m in (before, after))
        without.append(difference(metric, truth[kept], *pair, classes))
    jackknife = math.sqrt((n - 1) / n * sum((x - fmean(without)) ** 2 for x in without))
    found = spread(metric, truth, before, after, classes)
    assert found.degrees_of_freedom is None
    assert found.standard_error == pytest.approx(jackknife, rel=0.02)


@pytest.mark.parametrize("metric", ["f1_score", "auroc"])
def test_the_error_over_groups_is_that_of_a_bootstrap_of_whole_groups(metric):
    rng = np.random.default_rng(9)
    groups, size = 80, 5
    clusters = np.repeat(np.arange(groups), size)
    # Rows of a group are copies but for one, so that single rows would say far too little.
    truth = np.repeat(rng.integers(0, 2, groups), size)
    plain = [model(rng, truth[::size], 2, right=right) for right in (0.6, 0.8)]
    models = [pick(m, clusters) for m in plain]
    for m in models:
        m.labels[0, ::size] = 1 - m.labels[0, ::size]
    draws = []
    for _ in range(800):
        rows = (rng.integers(0, groups, groups)[:, None] * size + np.arange(size)).ravel()
        draws.append(difference(metric, truth[rows], *(pick(m, rows) for m in models), 2))
    found = spread(metric, truth, *models, 2, clusters)
    assert found.standard_error == pytest.approx(float(np.std(draws)), rel=0.1)
    assert found.degrees_of_freedom == pytest.approx(groups - 1)
    assert spread(metric, truth, *models, 2).standard_error < 0.8 * found.standard_error


def test_groups_are_summed_by_their_code_wherever_their_rows_stand():
    before = np.array([[0.5, -0.5, 0.5, -0.5]])
    after = np.array([[0.25, 0.25, 0.25, -0.75]])
    found = spread_of(before, after, [Fraction(1, 2)], [Fraction(3, 4)], np.array([2, 0, 1, 0]))
    # Differences -1/4, 3/4, -1/4, -1/4; the second and fourth are one group: 1/2, -1/4, -1/4.
    expected = math.sqrt(3 / 2 * (1 / 4 + 1 / 16 + 1 / 16)) / 4
    assert found.standard_error == pytest.approx(expected, rel=1e-12)
    assert found.degrees_of_freedom == pytest.approx(2)


def test_seeds_add_what_they_show_beyond_the_noise_of_rows():
    # All rows of a seed move together: the values differ, the influences do not.
    rows = [0.3, -0.3, 0.1, -0.1]
    before = np.array([rows, rows])
    after = np.array([[-0.1, 0.1, 0.1, -0.1]] * 3)
    values_before = [Fraction(60, 100), Fraction(64, 100)]
    values_after = [Fraction(n, 100) for n in (70, 75, 74)]
    found = spread_of(before, after, values_before, values_after, None)
    by_rows = (0.4**2 + 0.4**2) / 4**2
    seeds = [variance([0.60, 0.64]) / 2, variance([0.70, 0.75, 0.74]) / 3]
    total = by_rows + sum(seeds)
    assert found.standard_error == pytest.approx(math.sqrt(total), rel=1e-12)
    noise = by_rows**2 / 3 + seeds[0] ** 2 / 1 + seeds[1] ** 2 / 2
    assert found.degrees_of_freedom == pytest.approx(total**2 / noise, rel=1e-12)


def test_a_stored_baseline_with_one_seed_adds_no_variance_of_seeds():
    before, after = np.array([[0.2, -0.2]]), np.array([[-0.2, 0.2]] * 2)
    calm = spread_of(before, after, [Fraction(1, 2)], [Fraction(3, 4)] * 2, None)
    assert calm.standard_error == pytest.approx(math.sqrt(2 * 0.4**2) / 2, rel=1e-12)
    wild = spread_of(before, after, [Fraction(1, 2)], [Fraction(1, 2), Fraction(1)], None)
    added = wild.standard_error**2 - calm.standard_error**2
    assert added == pytest.approx(variance([0.5, 1.0]) / 2, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seeds", [1, 4])
def test_identical_models_differ_by_nothing_for_certain(metric, seeds):
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 50)
    same = model(rng, truth, 2, seeds=seeds)
    assert spread(metric, truth, same, same, 2) == Spread(0.0, None)
    assert spread(metric, truth, same, same, 2, np.zeros(50, dtype=int)) == Spread(0.0, None)


def test_one_row_shows_no_spread():
    right, wrong = (Predictions(np.array([[label]]), None) for label in (1, 0))
    assert spread("accuracy", np.array([1]), wrong, right, 2) == Spread(0.0, None)


def test_what_cannot_be_known_says_why():
    before, after = np.array([[0.5, -0.5]]), np.array([[-0.5, 0.5]])
    half = [Fraction(1, 2)]
    found = spread_of(before, after, half, half, np.array([0, 0]))
    assert found == Undefined("all rows belong to one group, so groups cannot be compared")
    none = np.empty((1, 0))
    assert spread_of(none, none, half, half, None) == Undefined("there are no rows")
    truth = np.array([1, 0, 0])
    models = [
        Predictions(np.zeros((1, 3), dtype=int), np.array(scores).reshape(1, 3, 1))
        for scores in ([3, 1, 5], [6, 1, 5])
    ]
    found = spread("auroc", truth, *models, 2)
    assert found == Undefined("a class has a single row, whose variance is unknown")
