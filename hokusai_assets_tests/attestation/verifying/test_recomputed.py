"""A core against a recomputed one: equal, within a millionth of some scores, or another."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hokusai_assets.attestation.bundle import CORE
from hokusai_assets.attestation.bundle_reading import read_bundle
from hokusai_assets.attestation.rows.reading import OpenedRows
from hokusai_assets.attestation.verifying.recomputed import compare
from hokusai_assets.attestation.verifying.verify import opened_rows
from hokusai_assets.scoring import Predictions
from hokusai_assets_tests.conftest import Evaluated


@pytest.fixture(scope="module")
def whole(evaluated: Evaluated) -> tuple[dict[str, Any], OpenedRows]:
    bundle = read_bundle(evaluated["attestation"].bundle_path)
    return bundle.core, opened_rows(bundle)


def with_scores(opened: OpenedRows, change: Any) -> OpenedRows:
    """The same rows with other scores of the candidate."""
    model = opened.rows.candidate
    scores = model.scores.copy()
    change(scores)
    rows = replace(opened.rows, candidate=Predictions(model.labels, scores))
    return replace(opened, rows=rows)


def test_equal_is_equal(whole: Any) -> None:
    core, rows = whole
    step = compare(core, copy.deepcopy(core), rows, rows)
    assert (step.verdict, step.sentence) == ("holds", "Equal.")
    assert compare(core, copy.deepcopy(core), None, rows).verdict == "holds"


def test_scores_may_round_the_other_way(whole: Any) -> None:
    core, rows = whole
    moved = with_scores(rows, lambda scores: np.add.at(scores, (0, [3, 5], 0), [1, -1]))
    again = copy.deepcopy(core)
    again["rows"]["root"] = "ab" * 32
    again["predictions_digests"]["candidate"] = "cd" * 32
    again["metrics"]["auroc"]["candidate_millionths"] += 1
    step = compare(core, again, rows, moved)
    assert (step.verdict, step.sentence) == ("holds", "Equal within tolerance (2 scores).")
    # Without the rows nobody can tell that it is only that.
    assert compare(core, again, None, moved).verdict == "differs"


def test_more_than_a_millionth_differs(whole: Any) -> None:
    core, rows = whole
    moved = with_scores(rows, lambda scores: np.add.at(scores, (0, [3], 0), [2]))
    step = compare(core, copy.deepcopy(core), rows, moved)
    assert step.verdict == "differs"
    assert "1 of them" in step.sentence


def test_a_prediction_that_differs_is_no_matter_of_tolerance(whole: Any) -> None:
    core, rows = whole
    labels = rows.rows.candidate.labels.copy()
    labels[0, 4] = 1 - labels[0, 4]
    other = replace(
        rows,
        rows=replace(rows.rows, candidate=Predictions(labels, rows.rows.candidate.scores)),
    )
    step = compare(core, copy.deepcopy(core), rows, other)
    assert step.verdict == "differs"
    assert "the first of them 4" in step.sentence


def test_numbers_that_do_not_follow_from_equal_rows_differ(whole: Any) -> None:
    core, rows = whole
    again = copy.deepcopy(core)
    again["metrics"]["auroc"]["candidate_millionths"] += 1
    step = compare(core, again, rows, rows)
    assert step.verdict == "differs"
    assert "core.metrics.auroc.candidate_millionths is not, recomputed," in step.sentence


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seeds", [1]),
        ("paid_root", "ab" * 32),
        ("plan_digest", "ab" * 32),
        ("nullifiers", []),
        ("dry_run", True),
    ],
)
def test_every_other_field_must_be_equal(whole: Any, field: str, value: Any) -> None:
    core, rows = whole
    step = compare(core, core | {field: value}, rows, rows)
    assert step.verdict == "differs"
    assert f"core.{field}" in step.sentence
    assert compare(core, {k: v for k, v in core.items() if k != field}, rows, rows).verdict == (
        "differs"
    )


def test_other_versions_are_told_and_are_no_difference(whole: Any) -> None:
    core, rows = whole
    again = copy.deepcopy(core)
    again["package_versions"]["numpy"] = "9.9.9"
    again["constraints_sha256"] = "ab" * 32
    step = compare(core, again, rows, rows)
    assert step.verdict == "holds"
    assert f"numpy {core['package_versions']['numpy']} (here 9.9.9)" in step.sentence


def test_what_is_compared_is_what_stands_in_the_file(evaluated: Evaluated, whole: Any) -> None:
    core, _ = whole
    assert core == json.loads(Path(evaluated["attestation"].bundle_path, CORE).read_bytes())


# --- what one moved score must not hide -----------------------------------------------------------


def _moved_by_one(opened: OpenedRows) -> OpenedRows:
    return with_scores(opened, lambda scores: np.add.at(scores, (0, [3], 0), [1]))


def test_other_groups_or_slices_are_no_tolerance(whole: Any) -> None:
    """They decide errors and guards: one score off by a millionth would have hidden them."""
    core, rows = whole
    moved, n = _moved_by_one(rows), rows.count
    part = np.zeros(n, bool)
    for change, said in (
        ({"clusters": np.arange(n)}, "the rows' groups are not"),
        ({"slices": (("part", part),)}, "the rows' guarded slices are not"),
    ):
        forged = replace(moved, rows=replace(moved.rows, **change))
        step = compare(core, copy.deepcopy(core), forged, rows)
        assert step.verdict == "differs"
        assert said in step.sentence
    one, other = (
        replace(found, rows=replace(found.rows, slices=(("part", mask),)))
        for found, mask in ((moved, part), (rows, ~part))
    )
    assert compare(core, copy.deepcopy(core), one, other).verdict == "differs"


@pytest.mark.parametrize(("by", "verdict"), [(1, "holds"), (2, "differs")])
def test_metrics_of_the_tasks_own_must_be_near(whole: Any, by: int, verdict: str) -> None:
    """No other step counts them again."""
    core, rows = copy.deepcopy(whole[0]), whole[1]
    core["metrics"]["mine:cost"] = copy.deepcopy(core["metrics"]["accuracy"])
    again = copy.deepcopy(core)
    again["metrics"]["mine:cost"]["candidate_millionths"] += by
    step = compare(core, again, rows, _moved_by_one(rows))
    assert step.verdict == verdict
    if verdict == "differs":
        assert "core.metrics.mine:cost.candidate_millionths" in step.sentence
