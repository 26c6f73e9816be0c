"""Slices of the benchmark: who belongs, and what is said of each."""

import numpy as np
import pyarrow as pa
import pytest

from hokusai_assets import decision_rule, scoring
from hokusai_assets.errors import TaskError
from hokusai_assets.evaluation.predictions import read_predictions, write_predictions
from hokusai_assets.evaluation.rule import rule_parameters
from hokusai_assets.evaluation.slices import members, slice_deltas
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.guards import measure_guard
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task import SliceSection, parse_task


def part(**given):
    return SliceSection(name="s", column="c", **given)


@pytest.mark.parametrize(
    ("cells", "given", "expected"),
    [
        (["a", "b", None, "A"], {"values": ("a", "b")}, [True, True, False, False]),
        ([1.0, 2.0, None, 3.5], {"minimum": 2, "below": 3.5}, [False, True, False, False]),
        ([1, 2, 3], {"below": 3}, [True, True, False]),
        ([1.0, 2.0, None, 2.5], {"values": (1, 2)}, [True, True, False, False]),
        ([True, False, None], {"values": (True,)}, [True, False, False]),
    ],
)
def test_members_are_those_of_the_column(cells, given, expected):
    assert members(pa.table({"c": cells}), part(**given)).tolist() == expected


def scored(rng, rows=600):
    truth = rng.integers(0, 2, rows)
    base = np.where(rng.random(rows) < 0.7, truth, 1 - truth)
    cand = base.copy()
    old = np.arange(rows) < 300
    # The second half gains 60 rows, the first loses 20.
    cand[np.flatnonzero(~old & (base != truth))[:60]] ^= 1
    cand[np.flatnonzero(old & (base == truth))[:20]] ^= 1
    slices = (("old", old), ("new", ~old), ("none", np.zeros(rows, bool)))
    return ScoredRows(
        [bytes([i % 256]) * 32 for i in range(rows)],
        truth,
        Predictions(base[None], None),
        Predictions(cand[None], None),
        None,
        slices,
    )


def test_each_slice_has_its_own_delta_corrected_for_their_number():
    rows = scored(np.random.default_rng(4))
    old, new, none = slice_deltas("accuracy", rows, ["no", "yes"])
    assert (old.rows, new.rows, none.rows) == (300, 300, 0)
    assert (old.delta, new.delta) == (pytest.approx(-20 / 300), pytest.approx(60 / 300))
    assert none.undefined == "no benchmark row belongs to it" and none.delta is None
    expected = decision_rule.holm(
        {
            "old": scoring.pico(2 * scoring.mcnemar_p(20, 0)),
            "new": scoring.pico(2 * scoring.mcnemar_p(60, 0)),
        }
    )
    assert (old.p_holm_pico, new.p_holm_pico) == (expected["old"], expected["new"])
    together = scoring.tango_interval(300, 0, 20, 1 - 0.05 / 3)
    assert old.interval.low_nano == scoring.nano_below(together.low)
    alone = scoring.tango_interval(300, 0, 20)
    assert old.interval.low_nano / 1e9 < alone.low  # wider, for there are three


def test_slices_of_other_metrics_and_of_groups_use_their_spread():
    rows = scored(np.random.default_rng(5))
    (old, *_) = slice_deltas("recall", rows, ["no", "yes"])
    assert old.interval.method == "influence_normal"
    grouped = ScoredRows(
        rows.row_digests,
        rows.truth,
        rows.baseline,
        rows.candidate,
        np.arange(600) // 5,
        rows.slices,
    )
    (old, *_) = slice_deltas("accuracy", grouped, ["no", "yes"])
    assert old.interval.method == "influence_t"
    assert 0 < old.p_holm_pico < 10**12 // 20


def guarded(margin):
    return parse_task(
        {
            "task_schema": 1,
            "id": "small",
            "data": {"base": "b.csv", "benchmark": "c.csv", "labels": ["no", "yes"]},
            "columns": [
                {"name": "age", "type": "integer"},
                {"name": "label", "type": "category", "role": "target"},
            ],
            "slices": [
                {"name": "old", "column": "age", "minimum": 60},
                {"name": "new", "column": "age", "below": 60},
                {"name": "none", "column": "age", "minimum": 200},
            ],
            "guards": {"margins": {"slice:old": margin}},
        }
    )


@pytest.mark.parametrize(("margin", "holds"), [(12.0, True), (6.0, False)])
def test_a_guarded_slice_may_not_lose_more_than_its_margin(margin, holds):
    rows = scored(np.random.default_rng(4))
    counts = {"old": 300, "new": 300}
    rule = rule_parameters(
        guarded(margin), {"no": 300, "yes": 300}, number_of_seeds=1, slice_counts=counts
    )
    (guard,) = [g for g in rule["guards"] if g["name"] == "slice:old"]
    found = measure_guard(guard, rows, ["no", "yes"])
    assert (found.rows, found.better, found.worse) == (300, 0, 20)
    assert found.bound_nano == scoring.nano_below(scoring.tango_lower_bound(300, 0, 20, 0.95))
    assert (found.bound_nano > -guard["margin_millionths"] * 1000) is holds


def test_a_slice_too_small_for_its_margin_is_refused_when_the_plan_is_made():
    counts = {"old": 80, "new": 520}
    with pytest.raises(TaskError, match="slice:old has a margin of 5 points but 80"):
        rule_parameters(
            guarded(5.0), {"no": 300, "yes": 300}, number_of_seeds=1, slice_counts=counts
        )


def test_an_empty_slice_fails_closed():
    rows = scored(np.random.default_rng(4))
    guard = {"name": "slice:none", "metric": "accuracy", "slice": "none", "method": "tango_score"}
    assert measure_guard(guard, rows, ["no", "yes"]).undefined == "no benchmark row belongs to it"


def test_without_slices_there_are_none():
    rows = scored(np.random.default_rng(6))
    bare = ScoredRows(rows.row_digests, rows.truth, rows.baseline, rows.candidate, None)
    assert slice_deltas("accuracy", bare, ["no", "yes"]) == ()


def test_membership_is_stored_with_the_predictions(tmp_path):
    rows = scored(np.random.default_rng(7))
    write_predictions(rows, tmp_path / "p")
    found = read_predictions(str(tmp_path / "p"))
    assert [name for name, _ in found.slices] == ["old", "new", "none"]
    for (_, one), (_, other) in zip(found.slices, rows.slices, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("slices", "sentence"),
    [
        ([{"name": "a", "column": "nowhere", "values": ["x"]}], "does not keep"),
        ([{"name": "a", "column": "text"}], "needs values, or minimum and below"),
        ([{"name": "a", "column": "text", "minimum": 1}], "has bounds but column"),
        ([{"name": "a", "column": "size", "minimum": 3, "below": 3}], "no numbers between"),
        (
            [
                {"name": "a", "column": "size", "minimum": 3},
                {"name": "a", "column": "size", "below": 3},
            ],
            "defined more than once",
        ),
    ],
)
def test_a_slice_that_cannot_be_is_refused(slices, sentence):
    body = {
        "task_schema": 1,
        "id": "small",
        "data": {"base": "b.csv", "benchmark": "c.csv", "labels": ["bad", "good"]},
        "columns": [
            {"name": "text", "type": "text"},
            {"name": "size", "type": "number"},
            {"name": "label", "type": "category", "role": "target"},
        ],
        "slices": slices,
    }
    with pytest.raises(TaskError, match=sentence):
        parse_task(body)
