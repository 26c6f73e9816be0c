"""Predictions on disk: what is written comes back, and digests do not depend on the order."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hokusai_assets.errors import StorageError
from hokusai_assets.evaluation.predictions import (
    ScoredRows,
    read_predictions,
    write_predictions,
)
from hokusai_assets.scoring import Predictions
from hokusai_assets.tables import write_table


def digests(n):
    return [hashlib.sha256(str(i).encode()).digest() for i in range(n)]


def predictions(rng, *, seeds, n, classes, columns):
    """`columns` of scores a row, none for a model without probabilities."""
    labels = rng.integers(0, classes, (seeds, n))
    scores = rng.integers(0, 1_000_001, (seeds, n, columns)) if columns else None
    return Predictions(labels, scores)


def same(found, expected):
    """Whether two models' predictions are equal, in values and in shape."""
    if (found.scores is None) != (expected.scores is None):
        return False
    scores = found.scores is None or np.array_equal(found.scores, expected.scores)
    return scores and np.array_equal(found.labels, expected.labels)


@pytest.mark.parametrize(
    ("classes", "before", "after"),
    [
        (2, (1, 1), (1, 1)),
        (2, (1, 2), (1, 2)),
        (2, (1, 0), (5, 1)),
        (2, (3, 1), (3, 0)),
        (4, (1, 4), (3, 4)),
        (12, (2, 12), (2, 12)),
        (2, (12, 1), (12, 1)),
    ],
    ids=["one column", "two columns", "stored", "unscored", "classes", "12 classes", "12 seeds"],
)
@pytest.mark.parametrize("n", [1, 7])
def test_what_is_written_comes_back(tmp_path, classes, before, after, n):
    rng = np.random.default_rng(6)
    base, cand = (
        predictions(rng, seeds=seeds, n=n, classes=classes, columns=columns)
        for seeds, columns in (before, after)
    )
    truth, clusters = rng.integers(0, classes, n), rng.integers(0, 3, n)
    for groups in (None, clusters):
        folder = tmp_path / f"out-{groups is None}"
        write_predictions(ScoredRows(digests(n), truth, base, cand, groups), folder)
        found = read_predictions(str(folder))
        assert found.row_digests == digests(n)
        assert found.truth.tolist() == truth.tolist()
        assert same(found.baseline, base)
        assert same(found.candidate, cand)
        assert (found.clusters is None) == (groups is None)
        assert groups is None or found.clusters.tolist() == groups.tolist()
        assert found.pairs() == max(before[0], after[0])


def test_columns_are_named_by_model_seed_and_class_and_hold_narrow_integers(tmp_path):
    rng = np.random.default_rng(0)
    base = predictions(rng, seeds=1, n=4, classes=2, columns=1)
    cand = predictions(rng, seeds=2, n=4, classes=2, columns=2)
    clusters = np.arange(4)
    rows = ScoredRows(digests(4), np.array([0, 1, 1, 0]), base, cand, clusters)
    write_predictions(rows, tmp_path / "new" / "out")
    (part,) = (tmp_path / "new" / "out").iterdir()
    schema = pq.read_schema(part)
    assert [(field.name, str(field.type)) for field in schema] == [
        ("_row_digest", "fixed_size_binary[32]"),
        ("label", "int32"),
        ("cluster", "int64"),
        ("baseline_prediction_0", "int32"),
        # The only column of two classes is the positive class's.
        ("baseline_score_0_1", "int32"),
        ("candidate_prediction_0", "int32"),
        ("candidate_score_0_0", "int32"),
        ("candidate_score_0_1", "int32"),
        ("candidate_prediction_1", "int32"),
        ("candidate_score_1_0", "int32"),
        ("candidate_score_1_1", "int32"),
    ]


def test_no_rows_come_back_as_no_rows(tmp_path):
    empty = Predictions(np.empty((2, 0), dtype=int), np.empty((2, 0, 1), dtype=int))
    write_predictions(ScoredRows([], np.empty(0, dtype=int), empty, empty, None), tmp_path / "out")
    found = read_predictions(str(tmp_path / "out"))
    assert (found.row_digests, found.truth.shape) == ([], (0,))
    assert found.candidate.scores.shape == (2, 0, 1)


@pytest.mark.parametrize(("groups", "count"), [(None, None), ([3, 3, 0, 9], 3), ([1] * 4, 1)])
def test_groups_are_counted_by_their_codes_gaps_or_not(groups, count):
    model = Predictions(np.zeros((1, 4), dtype=int), None)
    clusters = None if groups is None else np.array(groups)
    rows = ScoredRows(digests(4), np.zeros(4, dtype=int), model, model, clusters)
    assert rows.cluster_count == count


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 5), (5, 5)])
def test_a_stored_baseline_stands_in_every_pair(before, after):
    base, cand = (Predictions(np.zeros((k, 2), dtype=int), None) for k in (before, after))
    assert ScoredRows(digests(2), np.array([0, 1]), base, cand, None).pairs() == after


@pytest.mark.parametrize(
    ("dropped", "named"),
    [
        (["label"], "lack label: "),
        (["candidate_prediction_0"], "lack candidate_prediction_0: "),
        (
            ["_row_digest", "label", "baseline_prediction_0"],
            "lack _row_digest, baseline_prediction_0, label: ",
        ),
    ],
)
def test_every_column_that_is_missing_is_named(tmp_path, dropped, named):
    columns = {
        "_row_digest": pa.array(digests(2), pa.binary(32)),
        "label": [0, 1],
        "baseline_prediction_0": [0, 1],
        "candidate_prediction_0": [1, 1],
    }
    write_table(pa.table(columns), tmp_path / "whole")
    assert read_predictions(str(tmp_path / "whole")).candidate.labels.tolist() == [[1, 1]]
    for name in dropped:
        del columns[name]
    write_table(pa.table(columns), tmp_path / "part")
    with pytest.raises(StorageError) as caught:
        read_predictions(str(tmp_path / "part"))
    assert named in str(caught.value)
    assert str(caught.value).endswith("materialize benchmark_metrics again.")


def test_predictions_that_are_gone_or_damaged_are_no_traceback(tmp_path):
    with pytest.raises(StorageError, match="nowhere are gone"):
        read_predictions(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(StorageError, match="empty are gone"):
        read_predictions(str(tmp_path / "empty"))
    (tmp_path / "empty" / "part-0.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(StorageError, match="empty are damaged"):
        read_predictions(str(tmp_path / "empty"))
