"""Tables, metrics, files and digests of both models on one benchmark."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rfc8785
from sklearn.metrics import f1_score, roc_auc_score

from hokusai_assets.errors import ModelError, ReferenceDataError
from hokusai_assets.evaluation.benchmarking import leaf_order, measure
from hokusai_assets.evaluation.predictions import read_predictions
from hokusai_assets.scoring import Predictions


def test_metrics_are_scikit_learns_and_the_joint_counts_add_up(
    make_task, make_benchmark, example, tmp_path
):
    truth, base, cand = example
    task = make_task()
    found = measure(task, make_benchmark(task, truth), base, cand, tmp_path / "out")
    candidate = {value.metric: value for value in found.candidate}
    assert candidate["accuracy"].millionths == 795_000
    assert candidate["f1_score"].value == pytest.approx(f1_score(truth, cand.labels[0]), abs=1e-12)
    expected = roc_auc_score(truth, cand.scores[0, :, 0])
    assert candidate["auroc"].value == pytest.approx(expected, abs=1e-12)
    (cells,) = found.joint_counts
    assert sum(cell.count for cell in cells) == found.row_count == 3_000
    fixed = sum(c.count for c in cells if c.candidate == c.label != c.baseline)
    broken = sum(c.count for c in cells if c.baseline == c.label != c.candidate)
    assert (fixed, broken) == (285, 187)
    keys = [(c.label, c.baseline, c.candidate) for c in cells]
    assert keys == sorted(keys)
    assert all(cell.count for cell in cells)


def test_predictions_come_back_from_disk(make_task, make_benchmark, tmp_path):
    rng = np.random.default_rng(0)
    task = make_task(("a", "b", "c"), group=True)
    truth = rng.integers(0, 3, 30)
    groups = [None if i % 10 == 0 else f"g{i % 4}" for i in range(30)]
    base = Predictions(rng.integers(0, 3, (1, 30)), None)
    cand = Predictions(rng.integers(0, 3, (5, 30)), rng.integers(0, 10**6, (5, 30, 3)))
    metrics = measure(task, make_benchmark(task, truth, groups), base, cand, tmp_path / "out")
    # Four groups, and three rows without one that each stand alone.
    assert (metrics.clusters, len(metrics.joint_counts)) == (7, 5)
    rows = read_predictions(metrics.folder)
    places = sorted(range(30), key=lambda i: hashlib.sha256(f"t{i}".encode()).digest())
    assert (rows.truth == truth[places]).all()
    assert rows.baseline.scores is None
    assert (rows.baseline.labels == base.labels[:, places]).all()
    assert (rows.candidate.scores == cand.scores[:, places]).all()
    own = [groups[at] or f"none {at}" for at in places]
    assert len(set(zip(rows.clusters.tolist(), own, strict=True))) == 7
    names = pq.read_table(tmp_path / "out").column_names
    assert names[:4] == ["_row_digest", "label", "cluster", "baseline_prediction_0"]
    assert names[-1] == "candidate_score_4_2"


def test_rows_stand_in_leaf_order_and_the_digest_is_of_that_order(
    make_task, make_benchmark, tmp_path
):
    """By row digest, whatever order the benchmark is stored in; scores go with their rows."""
    task = make_task()
    truth = np.array([0, 1, 1, 0, 1])
    labels, scores = np.array([[0, 1, 0, 0, 1]]), np.arange(5)[None, :, None] * 1000
    found = measure(
        task,
        make_benchmark(task, truth),
        Predictions(labels, scores),
        Predictions(labels[:, ::-1], scores[:, ::-1]),
        tmp_path / "out",
    )
    rows = read_predictions(str(tmp_path / "out"))
    places = sorted(range(5), key=lambda i: hashlib.sha256(f"t{i}".encode()).digest())
    assert rows.row_digests == sorted(rows.row_digests)
    assert rows.truth.tolist() == truth[places].tolist()
    lines = [
        rfc8785.dumps([index, [[int(labels[0, at]), at * 1000]]]) + b"\n"
        for index, at in enumerate(places)
    ]
    assert found.baseline_predictions_digest == hashlib.sha256(b"".join(lines)).hexdigest()
    assert found.candidate_predictions_digest != found.baseline_predictions_digest


def test_rows_of_equal_content_stand_by_id(make_task):
    task = make_task(with_id=True)
    digests = [b"b" * 32, b"a" * 32, b"b" * 32, b"b" * 32, b"a" * 32]
    table = pa.table(
        {
            "_row_digest": pa.array(digests, pa.binary(32)),
            "row": pa.array(["2", "9", "10", None, "1"]),
        }
    )
    assert leaf_order(task, table).tolist() == [4, 1, 3, 2, 0]
    assert leaf_order(make_task(), table).tolist() == [1, 4, 0, 2, 3]


def test_a_metric_that_a_model_cannot_give_is_undefined_and_the_others_go_on(
    make_task, make_benchmark, example, tmp_path
):
    truth, base, cand = example
    task = make_task()
    silent = Predictions(np.zeros_like(base.labels), None)
    found = measure(task, make_benchmark(task, truth), silent, cand, tmp_path / "out")
    baseline = {value.metric: value for value in found.baseline}
    assert baseline["auroc"].undefined == "the model gives no probabilities"
    assert baseline["precision"].undefined == "the model predicts class 'good' for no row"
    assert (baseline["precision"].value, baseline["precision"].millionths) == (None, None)
    assert baseline["recall"].value == 0
    assert baseline["accuracy"].undefined is None


def test_predictions_that_do_not_fit_are_refused(make_task, make_benchmark, tmp_path):
    task = make_task()
    bench = make_benchmark(task, [0, 1, 1])
    one = Predictions(np.zeros((1, 3), dtype=int), None)
    short = Predictions(np.zeros((1, 2), dtype=int), None)
    with pytest.raises(ModelError, match="candidate has 2 predictions for 3"):
        measure(task, bench, one, short, tmp_path / "a")
    two, five = (Predictions(np.zeros((k, 3), dtype=int), None) for k in (2, 5))
    with pytest.raises(ModelError, match="2 seeds and the candidate with 5"):
        measure(task, bench, two, five, tmp_path / "a")
    empty = make_benchmark(task, [], name="empty")
    with pytest.raises(ReferenceDataError, match="no rows"):
        measure(task, empty, one, one, tmp_path / "a")
    assert not (tmp_path / "a").exists()
