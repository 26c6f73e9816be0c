"""Metrics against scikit-learn on the same integers, and what is undefined."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

from hokusai_assets import scoring
from hokusai_assets.scoring import Predictions, Undefined, metrics

COUNTED = ("accuracy", "precision", "recall", "f1_score")


@st.composite
def scored(draw, classes=None):
    k = draw(st.integers(2, 4)) if classes is None else classes
    n = draw(st.integers(1, 30))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    used = draw(st.integers(1, k))  # classes that may be absent from truth and predictions
    truth, labels = rng.integers(0, used, n), rng.integers(0, k, n)
    parts = rng.integers(0, 5, (n, k)) + 1  # few values, so many ties
    scores = np.rint(parts / parts.sum(axis=1, keepdims=True) * 1e6).astype(np.int64)
    return truth, labels, scores, [f"class{c}" for c in range(k)]


def by_sklearn(metric, truth, labels, scores, k):
    """scikit-learn's value, or None where it warns or refuses."""
    functions = {
        "accuracy": lambda: sk.accuracy_score(truth, labels),
        "precision": lambda: sk.precision_score(truth, labels, **average),
        "recall": lambda: sk.recall_score(truth, labels, **average),
        "f1_score": lambda: sk.f1_score(truth, labels, **average),
        "auroc": lambda: (
            sk.roc_auc_score(truth, scores[:, 1])
            if k == 2
            else sk.roc_auc_score(truth, scores / 1e6, multi_class="ovr", labels=range(k))
        ),
    }
    average = {"average": "macro", "labels": range(k)} if k > 2 else {"average": "binary"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        try:
            return float(functions[metric]())
        except UndefinedMetricWarning:
            return None


@settings(max_examples=150, deadline=None)
@given(scored())
@pytest.mark.parametrize("metric", [*COUNTED, "auroc"])
def test_equals_scikit_learn_and_is_undefined_where_it_warns(metric, rows):
    truth, labels, scores, names = rows
    k = len(names)
    columns = scores[:, 1:] if k == 2 else scores
    predictions = Predictions(labels[None], columns[None])
    (found,) = scoring.score_metric(metric, truth, predictions, names)
    try:
        expected = by_sklearn(metric, truth, labels, scores, k)
    except ValueError:  # macro auroc with a class absent: scikit-learn refuses outright
        expected = None
    if expected is None:
        assert isinstance(found, Undefined)
        assert found.reason
    else:
        assert float(found) == pytest.approx(expected, abs=1e-12)


def test_undefined_says_which_class_and_why():
    names = ["bad", "good"]
    none_predicted = scoring.confusion(np.array([0, 1]), np.array([0, 0]), 2)
    assert scoring.metric_value("precision", none_predicted, names) == Undefined(
        "the model predicts class 'good' for no row"
    )
    none_actual = scoring.confusion(np.array([0, 0]), np.array([0, 1]), 2)
    assert scoring.metric_value("recall", none_actual, names) == Undefined(
        "no benchmark row is of class 'good'"
    )
    # A value of 0 is a value: the class was predicted, and wrongly.
    assert scoring.metric_value("precision", none_actual, names) == 0
    only_one = Predictions(np.array([[1, 1]]), np.array([[[5], [6]]]))
    (value,) = scoring.score_metric("auroc", np.array([1, 1]), only_one, names)
    assert value == Undefined("every benchmark row is of class 'good'")
    unscored = Predictions(np.array([[1, 1]]), None)
    (value,) = scoring.score_metric("auroc", np.array([0, 1]), unscored, names)
    assert value == Undefined("the model gives no probabilities")


def test_macro_mean_names_every_missing_class_instead_of_skipping_it():
    table = np.diag([3, 0, 0])
    assert scoring.metric_value("recall", table, ["a", "b", "c"]) == Undefined(
        "no benchmark row is of class 'b'; no benchmark row is of class 'c'"
    )


def test_joint_table_holds_both_confusion_matrices():
    rng = np.random.default_rng(1)
    truth, base, cand = rng.integers(0, 3, (3, 200))
    table = scoring.joint_table(truth, base, cand, 3)
    assert table.sum() == 200
    assert (table.sum(axis=2) == sk.confusion_matrix(truth, base)).all()
    assert (table.sum(axis=1) == sk.confusion_matrix(truth, cand)).all()
    assert table[2, 0, 1] == ((truth == 2) & (base == 0) & (cand == 1)).sum()


def test_millionths_round_half_to_even_and_seed_means_round_once():
    assert scoring.millionths(Fraction(5, 10**7)) == 0
    assert scoring.millionths(Fraction(15, 10**7)) == 2
    assert scoring.millionths(Fraction(2, 3)) == 666667
    thirds = [Fraction(1, 3), Fraction(1, 3), Fraction(2, 3)]
    assert scoring.seed_mean(thirds) == Fraction(4, 9)
    broken = scoring.seed_mean([Fraction(1), Undefined("no rows")])
    assert broken == Undefined("no rows (seed 2 of 2)")


def test_one_training_stands_for_every_seed():
    stored = Predictions(np.array([[0, 1]]), None)
    assert stored.of_seed(3)[0].tolist() == [0, 1]
    with pytest.raises(ValueError, match="millionths"):
        Predictions(np.array([[0, 1]]), np.array([[[0.1], [0.2]]]))
    with pytest.raises(ValueError, match="shape"):
        Predictions(np.array([[0, 1]]), np.zeros((1, 3, 1), dtype=np.int64))


def test_counting_scores_is_sorting_them(monkeypatch):
    rng = np.random.default_rng(12)
    for scores, others in (
        (rng.integers(0, 1_000_001, 500), rng.integers(0, 1_000_001, 900)),
        (rng.integers(0, 5, 500), rng.integers(0, 5, 900)),  # ties
        (np.array([0, 1_000_000]), np.array([0, 0, 1_000_000])),
    ):
        sorted_ = metrics.places_among(scores, others)
        monkeypatch.setattr(metrics, "_SORTED_UP_TO", 0)
        counted = metrics.places_among(scores, others)
        monkeypatch.undo()
        assert np.array_equal(counted, sorted_)
    outside = np.array([-3, 2_000_000])
    assert metrics.places_among(outside, rng.integers(0, 9, 70_000))[1].tolist() == [0, 70_000]
