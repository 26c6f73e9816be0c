"""The simulation of auroc's tail draws what it says, and tests as the pipeline does."""

import numpy as np
import pytest

from benchmarks import auroc_tail
from benchmarks.auroc_tail import NULLS, STEPS, Null
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.comparing import compare_metric, influences_of, spread_between
from hokusai_assets.scoring.rows import ScoredRows


def test_change_and_error_are_those_of_the_pipeline():
    rng = np.random.default_rng(3)
    tables = [rng.integers(0, 6, (STEPS, STEPS)).astype(float) for _ in range(2)]
    truth, before, after = [], [], []
    for label, table in enumerate(tables):
        for old, new in np.ndindex(table.shape):
            count = int(table[old, new])
            truth += [label] * count
            before += [old * 1_000] * count
            after += [new * 1_000] * count
    models = [
        Predictions(np.zeros((1, len(truth)), np.int64), np.array(scores)[None, :, None])
        for scores in (before, after)
    ]
    rows = ScoredRows([b""] * len(truth), np.array(truth), *models, None)
    found = compare_metric("auroc", rows, ["no", "yes"])
    spread = spread_between(found, influences_of("auroc", rows, ["no", "yes"]), None)
    change, error = auroc_tail.statistic(*(table[None] for table in tables))
    assert change[0] == pytest.approx(float(found.delta), abs=1e-12)
    assert error[0] == pytest.approx(spread.standard_error, rel=1e-9)


@pytest.mark.parametrize("null", NULLS)
def test_no_null_changes_auroc(null):
    negatives, positives = auroc_tail.cells(null)
    for table in (negatives, positives):
        assert table.sum() == pytest.approx(1)
        assert (table >= 0).all()
    old = auroc_tail.auroc(negatives.sum(1), positives.sum(1))
    new = auroc_tail.auroc(negatives.sum(0), positives.sum(0))
    assert new == pytest.approx(old, abs=1e-12)
    assert 0.8 < old < 0.9
    if not null.lost:  # the spread of scores stays too
        assert positives.sum(0) == pytest.approx(positives.sum(1))


def test_many_rows_of_both_classes_keep_a_mild_level(monkeypatch):
    monkeypatch.setattr(auroc_tail, "LEVELS", (0.05,))
    alone, past = auroc_tail.excess(Null(2_000, 0.5, 0.3, 0.3), 20_000, np.random.default_rng(1))
    assert alone[0] == pytest.approx(1, abs=0.1)
    assert past[0] <= alone[0]


def test_a_rare_loss_is_often_not_seen():
    """2 % of the positives lose all, and the others gain what makes up for it."""
    alone, past = auroc_tail.excess(
        Null(2_000, 0.05, 0.0, 0.0, lost=0.02), 20_000, np.random.default_rng(1)
    )
    assert alone[0] > 20
    assert past[0] > 20
