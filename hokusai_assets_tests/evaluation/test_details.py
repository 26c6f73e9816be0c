"""What a page shows beside the deltas, against scikit-learn, and the intervals of a report."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics as reference

from hokusai_assets.evaluation.details import CURVE_POINTS, details_of
from hokusai_assets.scoring import Predictions, Spread
from hokusai_assets.scoring.reported import Intervals
from hokusai_assets.scoring.rows import ScoredRows

DELTA_ONE = ("accuracy", "precision", "recall", "f1_score")


def scored(rng, rows, classes, seeds=1, clusters=None, scores=True):
    truth = rng.integers(0, classes, rows)

    def model():
        labels, columns = [], []
        for _ in range(seeds):
            raw = rng.random((rows, classes)) + 0.8 * np.eye(classes)[truth]
            raw = np.round(raw / raw.sum(axis=1, keepdims=True) * 1e6).astype(np.int64)
            labels.append(raw.argmax(axis=1))
            columns.append(raw[:, 1:] if classes == 2 else raw)
        return Predictions(np.stack(labels), np.stack(columns) if scores else None)

    return ScoredRows([b""] * rows, truth, model(), model(), clusters)


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def test_tables_and_classes_agree_with_scikit_learn(rng):
    rows = scored(rng, 500, 3)
    for details, model in zip(
        details_of(rows, ["a", "b", "c"]), (rows.baseline, rows.candidate), strict=True
    ):
        labels = model.labels[0]
        assert np.array_equal(details.confusion, reference.confusion_matrix(rows.truth, labels))
        precision, recall, f1, counts = reference.precision_recall_fscore_support(
            rows.truth, labels
        )
        for index, scores in enumerate(details.classes):
            assert scores.rows == counts[index]
            assert (scores.precision, scores.recall, scores.f1_score) == pytest.approx(
                (precision[index], recall[index], f1[index])
            )
        assert details.roc is None  # of two classes only
        assert sum(b.rows for b in details.calibration) == 500


def test_the_curve_goes_through_scikit_learns_points(rng):
    rows = scored(rng, 60, 2)
    details, _ = details_of(rows, ["no", "yes"])
    false, true, _ = reference.roc_curve(
        rows.truth, rows.baseline.scores[0][:, 0], drop_intermediate=False
    )
    expected = [(round(x, 4), round(y, 4)) for x, y in zip(false, true, strict=True)]
    assert np.allclose(details.roc, expected)


def test_a_long_curve_keeps_its_area_in_few_points(rng):
    rows = scored(rng, 20_000, 2)
    details, _ = details_of(rows, ["no", "yes"])
    assert len(details.roc) <= CURVE_POINTS
    assert details.roc[0] == (0.0, 0.0) and details.roc[-1] == (1.0, 1.0)
    x, y = np.array(details.roc).T
    area = reference.roc_auc_score(rows.truth, rows.baseline.scores[0][:, 0])
    assert np.trapezoid(y, x) == pytest.approx(area, abs=0.002)


def test_calibration_says_how_often_it_came_so():
    scores = np.array([[50_000], [50_000], [950_000], [950_000], [1_000_000]])
    truth = np.array([0, 1, 1, 1, 0])
    model = Predictions((scores[None, :, 0] > 500_000).astype(np.int64), scores[None])
    bins = details_of(ScoredRows([b""] * 5, truth, model, model, None), [0, 1])[0].calibration
    assert [(b.rows, b.share) for b in bins] == [(2, 0.5), (3, pytest.approx(2 / 3, abs=1e-6))]
    assert bins[1].mean_score == pytest.approx(2.9 / 3, abs=1e-6)


def test_without_scores_or_with_one_class_there_are_no_curves(rng):
    details, _ = details_of(scored(rng, 30, 2, scores=False), ["no", "yes"])
    assert (details.roc, details.calibration) == (None, None)
    rows = scored(rng, 30, 2)
    rows.truth[:] = 1
    assert details_of(rows, ["no", "yes"])[0].roc is None


def test_each_metric_has_the_interval_of_its_kind(rng):
    from fractions import Fraction

    spread = Spread(0.02, None)
    rows = scored(rng, 400, 2)
    intervals = Intervals(rows, 2)
    methods = {
        metric: intervals.of_metric(metric, Fraction(1, 50), spread).method
        for metric in (*DELTA_ONE, "auroc")
    }
    assert methods == {
        "accuracy": "tango_score",
        "recall": "tango_score",
        "precision": "bootstrap_percentile",
        "f1_score": "bootstrap_percentile",
        "auroc": "influence_normal",
    }
    quarter = dict.fromkeys(DELTA_ONE, Fraction(1, 4))
    one = intervals.of_delta_one(quarter, Fraction(1, 50), spread)
    assert one.method == "bootstrap_percentile"
    draws = intervals.draws()
    mean = sum(draws[m] for m in DELTA_ONE) / 4
    assert one.low_nano / 1e9 == pytest.approx(np.quantile(mean, 0.025), abs=1e-8)
    with_auroc = {**quarter, "auroc": Fraction(1, 4)}
    assert intervals.of_delta_one(with_auroc, Fraction(1, 50), spread).method == "influence_normal"
    assert intervals.of_metric("auroc", Fraction(1, 50), spread).low_nano <= int(-0.0191e9)


def test_seeds_and_clusters_have_the_interval_of_their_spread(rng):
    from fractions import Fraction

    spread = Spread(0.02, 7.5)
    for rows in (
        scored(rng, 200, 2, seeds=3),
        scored(rng, 200, 2, clusters=np.arange(200) // 10),
    ):
        found = Intervals(rows, 2).of_metric("accuracy", Fraction(1, 50), spread)
        assert found.method == "influence_t"
        assert (found.low_nano, found.high_nano) != (0, 0)
    alike = scored(rng, 50, 2)
    same = ScoredRows(alike.row_digests, alike.truth, alike.baseline, alike.baseline, None)
    found = Intervals(same, 2).of_metric("accuracy", Fraction(0), Spread(0.0, None))
    assert found.few_discordant_rows and found.low_nano < 0 < found.high_nano


def test_an_interval_holds_its_own_delta():
    # Half a row more of each kind pulls resamples of so few rows away from the extreme.
    truth = np.arange(100) % 10
    rows = ScoredRows(
        [b""] * 100,
        truth,
        Predictions(truth[None], None),
        Predictions(np.zeros((1, 100), np.int64), None),
        None,
    )
    intervals = Intervals(rows, 10)
    delta = Fraction(-9, 10)
    for found in (
        intervals.of_metric("recall", delta, Spread(0.0, None)),
        intervals.of_delta_one({"recall": Fraction(1)}, delta, Spread(0.0, None)),
    ):
        assert found.low_nano <= -900_000_000 <= found.high_nano


def test_very_many_classes_have_intervals_without_their_table(rng):
    from fractions import Fraction

    intervals = Intervals(scored(rng, 400, 120), 120)
    for metric in ("f1_score", "accuracy"):
        found = intervals.of_metric(metric, Fraction(1, 50), Spread(0.02, None))
        assert found.method == {"accuracy": "tango_score"}.get(metric, "influence_normal")
    assert intervals._joint is None  # it would have 1.7 million cells
