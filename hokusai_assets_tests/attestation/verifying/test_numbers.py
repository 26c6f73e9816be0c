"""A regression's bundle, forged by somebody who writes every file: what does not follow is told."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.bundle import CORE, LEAVES, PLAN
from hokusai_assets.attestation.bundle_reading import read_bundle
from hokusai_assets.attestation.deciding import gain_of
from hokusai_assets.attestation.rows.tree import root_of
from hokusai_assets.attestation.verifying.recomputed import compare
from hokusai_assets.attestation.verifying.records import plan_problems
from hokusai_assets.attestation.verifying.verify import opened_rows, verify
from hokusai_assets_tests.attestation.verifying.conftest import forged, load, store
from hokusai_assets_tests.attestation.verifying.mutations import packed, unpacked
from hokusai_assets_tests.conftest import ROOT

GOLDEN = ROOT / "hokusai_assets_tests" / "goldens" / "bundles" / "regression"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the golden one, without the signatures that would notice first."""
    shutil.copytree(GOLDEN, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "bundle" / "public" / "signatures")
    return tmp_path / "bundle"


def failed(place: Path) -> tuple[str, str]:
    (step,) = [step for step in verify(str(place)).steps if step.verdict == "fails"]
    return step.name, " ".join((step.sentence, *step.more))


def test_the_bundle_itself_holds(bundle: Path) -> None:
    assert {step.verdict for step in verify(str(bundle)).steps} & {"fails", "not opened"} == set()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c, p: p["rule"].pop("lower_is_better"), "lower_is_better is wrong about mae, rmse"),
        (
            lambda c, p: p["rule"].update(lower_is_better=["mae", "rmse", "r2"]),
            "lower_is_better is wrong about r2",
        ),
        (
            lambda c, p: p["rule"]["tests"].update(mae="influence_normal"),
            "rule.tests.mae must be betting",
        ),
        (lambda c, p: c["benchmark"].update(labels=[0, 1]), "labels or a target_scale, and not"),
        (lambda c, p: c["benchmark"].pop("target_scale"), "labels or a target_scale, and not both"),
        (lambda c, p: c["benchmark"]["target_scale"].update(minimum="45.5"), "has no width"),
        (
            lambda c, p: c["benchmark"]["target_scale"].update(maximum="4.5"),
            "target_scale is not that of model_configuration",
        ),
        (
            lambda c, p: c["metrics"]["mae"].update(candidate_millionths=0),
            "metrics.mae.delta_millionths is not that of candidate and baseline",
        ),
        (
            lambda c, p: c.update(joint_counts=[[[0, 0, 0, c["rows"]["count"]]]]),
            "joint_counts[0] are of labels, and numbers are predicted",
        ),
        (
            lambda c, p: (
                c["benchmark"].update(labels=["a", "b"]),
                c["benchmark"].pop("target_scale"),
            ),
            "rule names mae, r2, rmse, no metrics of a classification",
        ),
    ],
)
def test_records_that_contradict_each_other_are_told(
    bundle: Path, change: Callable[[Any, Any], None], problem: str
) -> None:
    forged(bundle, change)
    assert problem in " ".join(plan_problems(read_bundle(str(bundle))))
    assert failed(bundle)[0] in {"rows", "numbers", "decision", "plan"}


@pytest.mark.parametrize("text", ["1e3", "04", "4.0", "-0", "", ".5", "4,5", "nan"])
def test_a_scale_has_one_writing(bundle: Path, text: str) -> None:
    forged(bundle, lambda c, p: c["benchmark"]["target_scale"].update(minimum=text))
    assert failed(bundle)[0] == "form"


def leaves(bundle: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the leaves, and all digests that follow from their bytes alone."""
    content = change(unpacked(bundle))
    (bundle / LEAVES).write_bytes(packed(content))
    core = load(bundle, CORE)
    core["rows"] |= {"root": root_of(content.splitlines()).hex()}
    store(bundle, CORE, core)
    forged(bundle, lambda c, p: None)


def test_one_prediction_changed_is_noticed(bundle: Path) -> None:
    first, rest = unpacked(bundle).split(b"\n", 1)
    parts = first.split(b",")
    said = int(parts[5].strip(b"[]"))
    parts[5] = b"[[%d]]" % (said - 1)
    leaves(bundle, lambda _: b",".join(parts) + b"\n" + rest)
    name, sentence = failed(bundle)
    assert name == "numbers"
    assert "core.predictions_digests.candidate" in sentence


def test_a_number_past_the_scale_is_no_leaf(bundle: Path) -> None:
    first, rest = unpacked(bundle).split(b"\n", 1)
    parts = first.split(b",")
    parts[3] = b"1000001"
    leaves(bundle, lambda _: b",".join(parts) + b"\n" + rest)
    name, sentence = failed(bundle)
    assert name == "rows"
    assert "leaf 0 holds a number above a million" in sentence


def test_a_better_metric_than_the_rows_have_is_noticed(bundle: Path) -> None:
    def change(core: Any, plan: Any) -> None:
        core["metrics"]["mae"]["candidate_millionths"] -= 1

    forged(bundle, change)
    assert failed(bundle) == (
        "numbers",
        "core.metrics.mae.candidate_millionths does not follow from the rows, which say "
        f"{load(GOLDEN, CORE)['metrics']['mae']['candidate_millionths']}.",
    )


def test_what_is_paid_is_the_plain_bound_also_where_mae_stands_alone(bundle: Path) -> None:
    core, plan = load(bundle, CORE), load(bundle, PLAN)
    core["delta_one"]["metrics_included"] = ["mae"]
    gain = gain_of(core, plan["rule"])
    assert gain is not None
    assert not gain.conditional
    plan["rule"]["tests"]["mae"] = "mcnemar_exact"
    assert gain_of(core, plan["rule"]).conditional


@pytest.mark.parametrize(("by", "verdict"), [(0, "holds"), (1, "holds"), (2, "differs")])
def test_recomputed_predictions_may_round_the_other_way(
    bundle: Path, by: int, verdict: str
) -> None:
    opened = read_bundle(str(bundle))
    rows, again = opened_rows(opened), opened_rows(opened)
    again.rows.candidate.labels[0, 3] += by
    core = opened.core
    other = core if not by else {**core, "predictions_digests": dict.fromkeys(("a", "b"), "x")}
    step = compare(core, other, rows, again)
    assert step.verdict == verdict
    assert ("within tolerance (1 scores)" in step.sentence) is (by == 1)
