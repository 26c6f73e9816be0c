"""Influence functions against the jackknife, DeLong by brute force, and binomial formulae."""

import numpy as np
import pytest

from hokusai_assets import scoring

METRICS = ("accuracy", "precision", "recall", "f1_score", "auroc")


def sample(rng, n, k):
    truth = rng.integers(0, k, n)
    truth[: 2 * k] = np.tile(np.arange(k), 2)
    labels = np.where(rng.random(n) < 0.7, truth, rng.integers(0, k, n))
    scores = rng.integers(0, 30, (n, k)) * 10_000
    scores[np.arange(n), truth] += 80_000
    return truth, labels, scores[:, 1:] if k == 2 else scores


def value(metric, truth, labels, scores, k):
    predictions = scoring.Predictions(labels[None], scores[None])
    return float(scoring.score_metric(metric, truth, predictions, list(range(k)))[0])


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("metric", METRICS)
def test_equals_the_jackknife(metric, k):
    n = 600
    truth, labels, scores = sample(np.random.default_rng(k), n, k)
    rows = scoring.influence(metric, truth, labels, scores, k)
    whole = value(metric, truth, labels, scores, k)
    left_out = []
    for i in range(n):
        keep = np.arange(n) != i
        left_out.append(value(metric, truth[keep], labels[keep], scores[keep], k))
    jackknife = (n - 1) * (whole - np.array(left_out))
    assert rows.mean() == pytest.approx(0, abs=1e-12)
    # Equal up to terms of order 1 / n.
    assert np.abs(rows - jackknife).max() < 0.03 * np.abs(rows).max()


def delong_by_pairs(truth, first, second):
    """The paired variance from all pairs of a positive and a negative row (DeLong, 1988)."""
    parts = []
    for scores in (first, second):
        pos, neg = scores[truth == 1][:, None], scores[truth == 0][None, :]
        parts.append((pos > neg) + 0.5 * (pos == neg))
    placements = parts[1] - parts[0]
    by_positive, by_negative = placements.mean(axis=1), placements.mean(axis=0)
    m, n = placements.shape
    return np.var(by_positive, ddof=1) / m + np.var(by_negative, ddof=1) / n


@pytest.mark.parametrize("seed", range(5))
def test_auroc_gives_delongs_paired_variance_with_ties(seed):
    rng = np.random.default_rng(seed)
    truth = (rng.random(150) < 0.3).astype(np.int64)
    first = rng.integers(0, 12, 150) + 4 * truth
    second = first + rng.integers(0, 5, 150) + truth
    labels = np.zeros(150, dtype=np.int64)
    before, after = (
        scoring.influence("auroc", truth, labels, s[:, None], 2)[None] for s in (first, second)
    )
    spread = scoring.paired_spread(before, after, np.zeros(1), np.ones(1))
    expected = delong_by_pairs(truth, first, second)
    assert spread.standard_error**2 == pytest.approx(expected, rel=1e-12)


def test_accuracy_gives_the_formula_of_discordant_rows():
    truth = np.ones(800, dtype=np.int64)
    base, cand = truth.copy(), truth.copy()
    base[:26], cand[26:36] = 0, 0
    before, after = (
        scoring.influence("accuracy", truth, labels, None, 2)[None] for labels in (base, cand)
    )
    spread = scoring.paired_spread(before, after, np.zeros(1), np.ones(1))
    assert spread.standard_error == pytest.approx(np.sqrt(36 - 16**2 / 800) / 800)


def test_one_row_of_a_class_leaves_aurocs_error_unknown():
    truth = np.array([0, 0, 0, 1])
    scores = np.array([[1], [2], [3], [2]])
    rows = scoring.influence("auroc", truth, truth, scores, 2)[None]
    spread = scoring.paired_spread(rows * 0, rows, np.zeros(1), np.ones(1))
    assert isinstance(spread, scoring.Undefined)


def test_weighted_sum_of_influences_matches_the_row_bootstrap():
    rng = np.random.default_rng(11)
    n, weights = 1500, dict.fromkeys(METRICS, 0.2)
    truth, base, base_scores = sample(rng, n, 2)
    cand = np.where(rng.random(n) < 0.15, truth, base)
    cand_scores = base_scores + rng.integers(0, 40_000, (n, 1)) * truth[:, None]

    def delta_one(i):
        return sum(
            w
            * (
                value(m, truth[i], cand[i], cand_scores[i], 2)
                - value(m, truth[i], base[i], base_scores[i], 2)
            )
            for m, w in weights.items()
        )

    before = sum(w * scoring.influence(m, truth, base, base_scores, 2) for m, w in weights.items())
    after = sum(w * scoring.influence(m, truth, cand, cand_scores, 2) for m, w in weights.items())
    spread = scoring.paired_spread(before[None], after[None], np.zeros(1), np.ones(1))
    resampled = [delta_one(rng.integers(0, n, n)) for _ in range(400)]
    assert spread.standard_error == pytest.approx(np.std(resampled), rel=0.12)
