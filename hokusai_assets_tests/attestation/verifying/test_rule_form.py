"""A plan by somebody whose program writes a weaker rule: every number then follows, and lies."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.bundle import LEAVES
from hokusai_assets.attestation.plan import derive_seed
from hokusai_assets.attestation.rows.leaves import guarded_slices
from hokusai_assets.attestation.rows.reading import read_leaves
from hokusai_assets.attestation.rows.recount import recount
from hokusai_assets.attestation.verifying.verify import verify
from hokusai_assets.digests import digest_json
from hokusai_assets_tests.attestation.verifying.conftest import forged
from hokusai_assets_tests.conftest import ROOT

GOLDEN = ROOT / "hokusai_assets_tests" / "goldens" / "bundles"
Change = Callable[[Any], Any]


def judged_by(name: str, method: str) -> Change:
    return lambda rule: rule["tests"].update({name: method})


def of_guard(name: str, **fields: Any) -> Change:
    def change(rule: Any) -> None:
        next(guard for guard in rule["guards"] if guard["name"] == name).update(fields)

    return change


def without(name: str) -> Change:
    return lambda rule: rule.update(guards=[g for g in rule["guards"] if g["name"] != name])


def primary(name: str, method: str) -> Change:
    return lambda rule: rule.update(primary=name, tests={**rule["tests"], name: method})


def answers(bundle: Path, change: Change) -> str:
    """What a verifier says of a bundle that was made by `change`, from the plan to the decision."""
    shutil.rmtree(bundle / "public" / "signatures", ignore_errors=True)
    shutil.rmtree(bundle / "public" / "mint", ignore_errors=True)

    def whole(core: Any, plan: Any) -> None:
        rule = plan["rule"]
        change(rule)
        core["run_configuration"]["primary_metric"] = rule["primary"]
        if plan["nonce_sha256"] is None:
            digest = digest_json(plan)
            core["seeds"] = [derive_seed(digest, None, n) for n in range(len(core["seeds"]))]
        with (bundle / LEAVES).open("rb") as stream:
            labels = core["benchmark"]["labels"]
            guarded = guarded_slices(rule)
            opened = read_leaves(stream, LEAVES, classes=len(labels), guarded=guarded)
        for name, section in recount(opened, core, rule).sections.items():
            core[name] = {**core[name], **section} if isinstance(section, dict) else section

    forged(bundle, whole)
    failed = [step for step in verify(str(bundle)).steps if step.verdict == "fails"]
    return " ".join(text for step in failed for text in (step.name, step.sentence, *step.more))


def test_without_a_change_it_is_a_bundle_like_any(tmp_path: Path) -> None:
    for name in ("regression", "accepted", "rejected"):
        bundle = shutil.copytree(GOLDEN / name, tmp_path / name)
        assert answers(bundle, lambda rule: rule.update(min_delta_bps=99)) == ""


@pytest.mark.parametrize(
    ("golden", "change", "problem"),
    [
        # A name that ends as a bet's does, and is none: the t test alone would be computed.
        ("regression", judged_by("mae", "no_betting"), "rule.tests.mae must be betting"),
        ("regression", judged_by("rmse", "betting"), "rule.tests.rmse must be influence_normal"),
        ("regression", judged_by("delta_one", "any"), "rule.tests.delta_one must be"),
        ("regression", without("rmse"), "rule.guards lack rmse"),
        # Would count rows that are predicted to the millionth, of which there are none.
        ("regression", of_guard("rmse", method="tango_score"), "rmse must be judged by"),
        # Numbers have no scores, so that it would be skipped.
        ("regression", of_guard("rmse", applies="where_scored"), "rmse, of rmse, and apply always"),
        ("regression", of_guard("rmse", metric="mae"), "rmse must be mae"),
        ("regression", of_guard("rmse", slice="small"), "rmse must be slice:small, of mae"),
        ("regression", of_guard("slice:small", rows=9), "slice:small has other rows than"),
        ("regression", lambda r: r["weights"].update(rmse=-1, mae=3), "rule.weights are negative"),
        ("regression", lambda r: r.update(guard_level_millionths=0), "guard_level_millionths is"),
        ("accepted", judged_by("accuracy", "influence_normal"), "accuracy must be mcnemar_exact"),
        ("accepted", without("recall:bad"), "rule.guards lack recall:bad"),
        ("accepted", without("auroc"), "rule.guards lack auroc"),
        ("rejected", judged_by("accuracy", "mcnemar_exact"), "must be seed_mean_cluster_t"),
        ("rejected", primary("f1_score", "seed_mean_cluster_t"), "primary cannot be f1_score"),
        ("rejected", lambda r: r["guards"].append({**r["guards"][0]}), "rule.guards name one"),
    ],
)
def test_a_weaker_rule_is_none(tmp_path: Path, golden: str, change: Change, problem: str) -> None:
    said = answers(shutil.copytree(GOLDEN / golden, tmp_path / "bundle"), change)
    assert said.startswith("plan ")
    assert problem in said


@pytest.mark.parametrize(
    "change",
    [
        lambda core, plan: core["benchmark"].update(target_scale=None),
        lambda core, plan: plan["rule"].update(lower_is_better=[]),
        lambda core, plan: plan["rule"].update(own_metrics_sha256=None),
        lambda core, plan: plan["rule"]["guards"][0].update(slice=None),
    ],
)
def test_what_may_be_left_out_has_no_second_writing(
    tmp_path: Path, change: Callable[[Any, Any], None]
) -> None:
    # Two writings of one evaluation would be two digests, and each could be minted.
    bundle = shutil.copytree(GOLDEN / "accepted", tmp_path / "bundle")
    shutil.rmtree(bundle / "public" / "signatures")
    forged(bundle, change)
    (failed,) = [step for step in verify(str(bundle)).steps if step.verdict == "fails"]
    assert failed.name == "form"
