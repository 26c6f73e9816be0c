"""Predictions as text: canonical JSON, and a digest that sees every change."""

import hashlib

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.scoring import METRICS, Predictions
from hokusai_assets.scoring.prediction_lines import (
    needs_scores,
    prediction_cells,
    predictions_digest,
)

LABELS = np.array([[2, 0], [1, 2]])
SCORES = np.array([[[1, 2, 999_997], [10, 20, 30]], [[4, 5, 6], [0, 1_000_000, 60]]])


def cells(labels, scores, *, held=True, classes=3):
    return list(prediction_cells(Predictions(labels, scores), scores=held, classes=classes))


def test_the_digest_is_over_index_and_cell_of_each_row():
    expected = (
        b"[0,[[2,1,2,999997],[1,4,5,6]]]\n"
        b"[1,[[0,10,20,30],[2,0,1000000,60]]]\n"
    )  # fmt: skip
    assert predictions_digest(cells(LABELS, SCORES)) == hashlib.sha256(expected).hexdigest()
    assert predictions_digest([]) == hashlib.sha256(b"").hexdigest()


@given(st.integers(1, 3), st.integers(0, 30), st.integers(2, 4), st.booleans(), st.integers(0, 99))
def test_cells_are_the_canonical_json_of_their_values(seeds, rows, classes, scored, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, (seeds, rows))
    scores = rng.integers(0, 10**6 + 1, (seeds, rows, classes)) if scored else None
    expected = []
    for row in range(rows):
        parts = []
        for s in range(seeds):
            given = [] if scores is None else scores[s, row].tolist()
            parts.append([int(labels[s, row]), *(given[-1:] if classes == 2 else given)])
        expected.append(rfc8785.dumps(parts).decode())
    assert cells(labels, scores, classes=classes) == expected


def test_many_rows_are_written_in_pieces_without_a_seam():
    labels = np.arange(45_000)[None] % 7
    found = cells(labels, None, classes=7)
    assert found == [f"[[{i % 7}]]" for i in range(45_000)]


def test_scores_are_left_out_where_nobody_needs_them():
    assert cells(LABELS, SCORES, held=False) == ["[[2],[1]]", "[[0],[2]]"]
    assert cells(LABELS, None) == ["[[2],[1]]", "[[0],[2]]"]


def test_every_change_is_another_digest():
    labels, scores = LABELS.copy(), SCORES.copy()
    labels[1, 1] -= 1
    scores[0, 1, 2] += 1
    variants = [
        cells(LABELS, SCORES),
        cells(labels, SCORES),
        cells(LABELS, scores),
        cells(LABELS, None),
        cells(LABELS[::-1], SCORES[::-1]),
        cells(LABELS[:1], SCORES[:1]),
        cells(LABELS[:, ::-1], SCORES[:, ::-1]),
        cells(LABELS[:, :1], SCORES[:, :1]),
    ]
    assert len({predictions_digest(variant) for variant in variants}) == len(variants)


@pytest.mark.parametrize("name", METRICS)
def test_what_a_rule_needs_follows_from_its_metrics_and_guards(name):
    needed = METRICS[name].needs == "scores"
    assert needs_scores({"included": [name], "guards": []}) == needed
    assert needs_scores({"included": ["accuracy"], "guards": [{"metric": name}]}) == needed
    assert not needs_scores({"included": ["my:own"], "guards": []})
