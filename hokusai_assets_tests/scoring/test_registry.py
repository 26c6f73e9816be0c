"""The metrics beyond counts: against scikit-learn on the same rounded scores, and the bootstrap."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

from benchmarks.balanced_accuracy_tail import statistic
from hokusai_assets import scoring
from hokusai_assets.scoring import METRICS, Predictions, Undefined
from hokusai_assets.task import METRIC_NAMES

NEW = (
    "log_loss",
    "brier_score",
    "balanced_accuracy",
    "matthews_correlation",
    "average_precision",
)


def value(metric, truth, labels, scores, k):
    predictions = Predictions(labels[None], None if scores is None else scores[None])
    return scoring.score_metric(metric, truth, predictions, [f"class{c}" for c in range(k)])[0]


def rows(kind, k, n, seed):
    """Truth, labels and scores of a middling model; integers all."""
    rng = np.random.default_rng(seed)
    shares = np.full(k, 1 / k)
    if kind == "imbalanced":
        shares = np.array([0.97, *[0.03 / (k - 1)] * (k - 1)])
    truth = rng.choice(k, n, p=shares)
    truth[:k] = np.arange(k)
    parts = rng.dirichlet(np.full(k, 0.7), n) + 0.6 * np.eye(k)[truth] * rng.random((n, 1))
    parts /= parts.sum(axis=1, keepdims=True)
    if kind == "tied":
        parts = np.round(parts, 1)
    scores = np.rint(parts * 1e6).astype(np.int64)
    return truth, scores.argmax(axis=1), scores[:, 1:] if k == 2 else scores


def by_sklearn(metric, truth, labels, scores, k, **weight):
    """scikit-learn's value; of log_loss on scores clipped to half a millionth."""
    both = np.column_stack([10**6 - scores[:, 0], scores[:, 0]]) if k == 2 else scores
    share = both / 1e6
    classes = list(range(k))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        warnings.filterwarnings("ignore", message="The y_prob values do not sum to one")
        if metric == "log_loss":
            return sk.log_loss(
                truth, y_proba=np.clip(share, 5e-7, 1 - 5e-7), labels=classes, **weight
            )
        if metric == "brier_score":
            column = share[:, 1] if k == 2 else share
            return sk.brier_score_loss(truth, column, labels=classes, **weight)
        if metric == "average_precision":
            column = share[:, 1] if k == 2 else share
            return sk.average_precision_score(truth, column, average="macro", **weight)
        if metric == "balanced_accuracy":
            return sk.balanced_accuracy_score(truth, labels, **weight)
        return sk.matthews_corrcoef(truth, labels, **weight)


def test_the_task_knows_the_same_metrics_in_the_same_order():
    assert tuple(METRICS) == METRIC_NAMES
    assert all(name == metric.name for name, metric in METRICS.items())
    lower = [name for name, metric in METRICS.items() if not metric.higher_is_better]
    assert lower == ["log_loss", "brier_score", "mae", "rmse"]
    assert [name for name, m in METRICS.items() if m.kind == "regression"] == ["mae", "rmse", "r2"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["random", "tied", "imbalanced"])
@pytest.mark.parametrize(("k", "n"), [(2, 40), (2, 3_000), (3, 300), (10, 3_000)])
@pytest.mark.parametrize("metric", NEW)
def test_equals_scikit_learn(metric, k, n, kind, seed):
    data = rows(kind, k, n, seed)
    found = value(metric, *data, k)
    assert isinstance(found, Fraction)
    assert float(found) == pytest.approx(by_sklearn(metric, *data, k), abs=1e-12)
    assert METRICS[metric].lowest <= float(found) <= METRICS[metric].highest


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    ("metric", "best", "worst"),
    [
        ("log_loss", -math.log1p(-5e-7), math.log(2e6)),
        ("brier_score", 0, None),
        ("balanced_accuracy", 1, 0),
        ("matthews_correlation", 1, None),
        ("average_precision", 1, None),
    ],
)
def test_the_ends_of_the_range(metric, best, worst, k):
    truth = np.arange(30) % k
    for labels, end in ((truth, best), ((truth + 1) % k, worst)):
        full = 10**6 * np.eye(k, dtype=np.int64)[labels]
        found = value(metric, truth, labels, full[:, 1:] if k == 2 else full, k)
        if end is not None:
            assert float(found) == pytest.approx(end, rel=1e-12)
        elif metric == "brier_score":
            assert found == (1 if k == 2 else 2)
        elif metric == "matthews_correlation":
            assert found == (-1 if k == 2 else Fraction(-1, 2))


def test_a_perfect_model_is_exactly_so():
    truth = np.array([0, 1, 1, 0, 2, 2, 2])
    assert value("matthews_correlation", truth, truth, None, 3) == 1
    assert value("average_precision", truth, truth, 10**6 * np.eye(3, dtype=int)[truth], 3) == 1


def test_undefined_says_why():
    truth = np.array([0, 0, 1, 1])
    absent = np.zeros(4, dtype=np.int64)
    half = np.full((4, 1), 500_000)
    none = np.zeros(0, dtype=np.int64)
    for metric in ("log_loss", "brier_score", "average_precision"):
        assert value(metric, truth, truth, None, 2) == Undefined("the model gives no probabilities")
    for metric in ("log_loss", "brier_score"):
        assert value(metric, none, none, half[:0], 2) == Undefined("there are no rows")
        # One class alone is no trouble for a loss.
        assert isinstance(value(metric, absent, truth, half, 2), Fraction)
    no_row = Undefined("no benchmark row is of class 'class1'")
    assert value("balanced_accuracy", absent, truth, None, 2) == no_row
    assert value("average_precision", absent, truth, half, 2) == no_row
    with pytest.warns(UserWarning, match="No positive class found"):
        by_sklearn("average_precision", absent, truth, half, 2)
    assert value("average_precision", absent + 1, truth, half, 2) == 1
    assert value("matthews_correlation", none, none, None, 2) == Undefined("there are no rows")
    assert value("matthews_correlation", absent, truth, None, 2) == Undefined(
        "every benchmark row is of class 'class0'"
    )
    assert value("matthews_correlation", truth, absent, None, 2) == Undefined(
        "the model predicts class 'class0' for every row"
    )


def test_scores_of_another_number_of_classes_are_refused():
    truth = np.array([0, 1, 2])
    for metric in ("log_loss", "brier_score", "average_precision"):
        with pytest.raises(ValueError, match="one column a class"):
            value(metric, truth, truth, np.zeros((3, 2), dtype=np.int64), 3)
        with pytest.raises(ValueError, match=f"{metric} needs scores"):
            scoring.influence(metric, truth, truth, None, 3)


def test_sums_past_64_bits_stay_exact():
    n = 9_300_000  # times 1e12 is past 2^63
    truth, scores = np.zeros(n, dtype=np.int64), np.full((n, 1), 10**6)
    assert value("brier_score", truth, truth, scores, 2) == 1


def weighted(metric, truth, labels, scores, k, draws):
    """The metric of resampled rows, by repeating each row as often as it was drawn."""
    at = np.repeat(np.arange(truth.size), draws)
    return float(value(metric, truth[at], labels[at], scores[at], k))


@pytest.mark.parametrize("kind", ["random", "tied", "imbalanced"])
@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("metric", NEW)
def test_influence_has_mean_0_and_is_the_derivative_by_a_rows_weight(metric, k, kind):
    n, step = 150, 1e-4
    data = rows(kind, k, n, 7)
    found = scoring.influence(metric, *data, k)
    assert found.shape == (n,)
    assert found.mean() == pytest.approx(0, abs=1e-12)
    derivatives = []
    for i in range(n):
        # T at (1 - e) F + e (row i), by scikit-learn, to either side of e = 0.
        sides = []
        for e in (step / n, -step / n):
            weight = np.full(n, (1 - e) / n)
            weight[i] += e
            sides.append(by_sklearn(metric, *data, k, sample_weight=weight))
        derivatives.append((sides[0] - sides[1]) * n / (2 * step))
    assert found == pytest.approx(np.array(derivatives), abs=1e-6)


def error_of(metric, data, k):
    return scoring.influence(metric, *data, k).std() / np.sqrt(data[0].size)


@pytest.mark.parametrize(("k", "kind"), [(2, "random"), (3, "tied")])
@pytest.mark.parametrize("metric", NEW)
def test_influence_gives_the_row_bootstraps_error(metric, k, kind):
    n, resamples = 2_000, 5_000
    data = rows(kind, k, n, 3)
    rng = np.random.default_rng(20)
    found = []
    for _ in range(resamples):
        at = rng.integers(0, n, n)
        found.append(float(value(metric, *(part[at] for part in data), k)))
    # Of 5,000 resamples the error itself is known to 1 %.
    assert error_of(metric, data, k) == pytest.approx(np.std(found), rel=0.03)


def test_the_simulation_of_balanced_accuracy_tests_what_the_pipeline_tests():
    rng = np.random.default_rng(4)
    truth = (rng.random(400) < 0.2).astype(np.int64)
    base, cand = (np.where(rng.random(400) < 0.8, truth, 1 - truth) for _ in range(2))
    counts = [[int((truth == c).sum()) for c in (1, 0)]]
    for better, worse in ((cand, base), (base, cand)):
        only = (better == truth) & (worse != truth)
        counts.append([int((only & (truth == c)).sum()) for c in (1, 0)])
    delta, error = statistic(*counts)
    values = [value("balanced_accuracy", truth, labels, None, 2) for labels in (base, cand)]
    assert delta == pytest.approx(float(values[1] - values[0]))
    parts = [
        scoring.influence("balanced_accuracy", truth, labels, None, 2)[None]
        for labels in (base, cand)
    ]
    spread = scoring.paired_spread(*parts, np.zeros(1), np.ones(1))
    assert error == pytest.approx(spread.standard_error)


def test_average_precisions_error_is_that_of_fresh_rows():
    samples = [rows("tied", 2, 2_000, 100 + seed) for seed in range(2_000)]
    found = [float(value("average_precision", *data, 2)) for data in samples]
    stated = np.mean([error_of("average_precision", data, 2) for data in samples[:100]])
    assert stated == pytest.approx(np.std(found), rel=0.03)


def test_a_class_of_one_row_leaves_average_precisions_error_unknown():
    truth = np.array([0, 0, 0, 1])
    scores = np.array([[1], [2], [3], [2]])
    assert np.isnan(scoring.influence("average_precision", truth, truth, scores, 2)).any()
