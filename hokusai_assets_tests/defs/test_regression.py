"""Regression tasks through the whole graph, to bundles that both verifiers follow."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from hokusai_assets.attestation.bundle_reading import read_bundle
from hokusai_assets.attestation.verifying.verify import verify
from hokusai_assets.defs.build import ALL_ASSETS
from hokusai_assets.defs.checks import ALL_CHECKS
from hokusai_assets.defs.recomputing import recompute
from hokusai_assets.errors import UsageError
from hokusai_assets_tests.conftest import ROOT, WALLET, write_csv
from hokusai_assets_tests.defs.test_materialize import resources

TASK = """
task_schema = 1
id = "energy"
seed = 7
[data]
base = "base.csv"
benchmark = "benchmark.csv"
[[columns]]
name = "key"
type = "text"
role = "id"
[[columns]]
name = "note"
type = "text"
nullable = true
[[columns]]
name = "a"
type = "number"
[[columns]]
name = "b"
type = "number"
[[columns]]
name = "load"
type = "number"
role = "target"
minimum = 0
maximum = 50
[decision]
min_benchmark_rows = 300
max_leaked_share = 0.05 # two numbers lie near to another row's soon
[[slices]]
name = "small a"
column = "a"
below = 0.3
[guards.margins]
"slice:small a" = 1.0
"""


def energy(count: int, seed: int, prefix: str, noise: float = 2.0) -> list[dict[str, str]]:
    """Rows whose load follows from two numbers and a word, with noise."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        a, b = rng.random(2)
        warm = rng.random() < 0.5
        load = 6 + 20 * a + 12 * b + (6 if warm else 0) + rng.normal(0, noise)
        rows.append(
            {
                "key": f"{prefix}{index}",
                "note": f"{'heated' if warm else 'bare'} hall {rng.integers(40)}",
                "a": f"{a:.6f}",
                "b": f"{b:.6f}",
                "load": f"{min(max(load, 0), 50):.4f}",
            }
        )
    return rows


def evaluated(folder: Path, task: str, contribution: list[dict[str, str]], **inputs: Any) -> Any:
    (folder / "task.toml").write_text(task, encoding="utf-8")
    write_csv(folder / "contribution.csv", contribution)
    given = {"path": str(folder / "contribution.csv"), "contributor_id": "alice"}
    return dg.materialize_to_memory(
        [*ALL_ASSETS, *ALL_CHECKS],
        resources=resources(
            folder,
            mode="files",
            task=str(folder / "task.toml"),
            contributions=[given | {"wallet_address": WALLET}],
            **inputs,
        ),
    )


@pytest.fixture(scope="module")
def gain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A base of few noisy rows, and a contribution of many good ones with some bad."""
    folder = tmp_path_factory.mktemp("gain")
    with pytest.MonkeyPatch.context() as patch:
        from hokusai_assets import second_process

        patch.setattr(second_process, "start", lambda: None)
        patch.setenv("HOKUSAI_HOME", str(folder / "home"))
        base, benchmark = energy(14, 1, "b", 14.0), energy(500, 2, "m")
        rows = energy(400, 3, "c")
        rows[0]["load"] = "50.01"  # past the range: a target that would pull the model
        rows[1]["load"] = "1e300"
        rows[2]["load"] = "inf"
        rows[3]["load"] = "-0.5"
        rows[4]["load"] = ""
        rows[5] = {**benchmark[7], "key": "stolen", "load": "3.25"}  # with another target
        rows[6] = {**rows[7], "key": "again"}
        rows[8] = {**rows[9], "key": "conflict", "load": "49.0"}
        write_csv(folder / "base.csv", base)
        write_csv(folder / "benchmark.csv", benchmark)
        strict = TASK + "[reading]\nmax_rejected_share = 0.02\n"
        yield folder, evaluated(folder, strict, rows)


def test_a_real_gain_is_accepted_and_bad_targets_never_reach_a_model(gain: Any) -> None:
    _, result = gain
    counts = result.output_for_node("contributed_data").contributions[0].counts
    assert (counts.rejected, counts.leaked_exact, counts.duplicates_within) == (5, 1, 1)
    assert counts.conflicts == 2
    report = result.output_for_node("delta_report")
    assert report.primary == "mae"
    assert report.delta_of("mae").delta < -0.01
    assert all(c.holds for c in report.clauses), [c.sentence for c in report.clauses]
    attestation = result.output_for_node("attestation")
    assert attestation.decision.verdict == "accepted"
    assert 0 < attestation.decision.payable_bps < attestation.decision.measured_bps
    assert all(e.passed for e in result.get_asset_check_evaluations())
    manifest = result.output_for_node("contributed_data").contributions[0].manifest
    parts = {part.name: part for part in manifest.quality.parts}
    assert parts["label_noise"].reason == "the target is a number, and only labels are looked at"
    assert 0 <= parts["label_balance"].value <= 1


def test_the_core_says_the_scale_and_no_labels(gain: Any) -> None:
    _, result = gain
    core = result.output_for_node("attestation").core
    assert core["benchmark"]["labels"] == []
    assert core["benchmark"]["target_scale"] == {"minimum": "0", "maximum": "50"}
    assert core["joint_counts"] == [[]]
    assert core["metrics"]["mae"]["method"] == "betting"
    assert core["metrics"]["mae"]["interval"] is None  # it is of resamples
    assert core["model_configuration"]["target_scale"]["maximum"] == "50"


def test_both_verifiers_follow_the_bundle(gain: Any) -> None:
    _, result = gain
    bundle = result.output_for_node("attestation").bundle_path
    steps = {step.name: step for step in verify(bundle).steps}
    assert steps["rows"].verdict == "holds"
    assert steps["numbers"].verdict == "holds"
    assert steps["plan"].verdict == "holds"
    said = second_verifier(bundle)
    assert "is accepted; rows are opened." in said
    assert "Not checked: metrics but accuracy (none of predicted numbers)" in said


def test_the_bundle_is_computed_again_from_its_data(gain: Any, tmp_path: Path) -> None:
    folder, result = gain
    (tmp_path / "contributions").mkdir()
    for name in ("task.toml", "base.csv", "benchmark.csv"):
        shutil.copy(folder / name, tmp_path)
    shutil.copy(folder / "contribution.csv", tmp_path / "contributions")
    bundle = read_bundle(result.output_for_node("attestation").bundle_path)
    step = recompute(bundle, str(tmp_path), lambda asset, state: None)
    assert (step.verdict, step.sentence) == ("holds", "Equal.")
    task = (tmp_path / "task.toml").read_text(encoding="utf-8")
    (tmp_path / "task.toml").write_text(task.replace("maximum = 50", "maximum = 60"))
    with pytest.raises(UsageError, match="is not the task that was evaluated"):
        recompute(bundle, str(tmp_path), lambda asset, state: None)


def test_the_pages_tell_of_numbers_and_not_of_classes(gain: Any) -> None:
    _, result = gain
    attestation = result.output_for_node("attestation")
    page = Path(attestation.report_path).read_text(encoding="utf-8")
    report = result.output_for_node("delta_report")
    assert "Rows nearer and rows farther" in page
    assert f"{report.nearer_rows:,} nearer" in page
    assert "Predicted and true numbers" in page
    assert "Confusion" not in page
    output = json.loads(Path(attestation.delta_output_path).read_text(encoding="utf-8"))
    told = output["statistics"]
    assert told["target"] == {"column": "load", "minimum": "0", "maximum": "50"}
    assert told["in_target_units"]["mae"]["new_value"] == pytest.approx(
        50 * report.delta_of("mae").candidate.value
    )
    assert len(told["deciles"]["candidate"]) == 10
    assert output["delta_computation"]["improved_metrics"] == ["mae", "rmse", "r2"]
    (contributors,) = attestation.contributor_page_paths
    own = Path(contributors).read_text(encoding="utf-8")
    assert "mae" not in own  # provisional: no number is told


def test_without_rows_nothing_is_said_to_follow(gain: Any, tmp_path: Path) -> None:
    _, result = gain
    shutil.copytree(result.output_for_node("attestation").bundle_path, tmp_path / "closed")
    shutil.rmtree(tmp_path / "closed" / "audit")
    steps = {step.name: step for step in verify(str(tmp_path / "closed")).steps}
    assert steps["numbers"].verdict == "not opened"
    assert steps["numbers"].sentence == "Without rows no number can be counted again."
    assert "rows are not opened." in second_verifier(str(tmp_path / "closed"))


def second_verifier(bundle: str) -> str:
    script = ROOT / "examples" / "verify-in-node" / "verify.mjs"
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    done = subprocess.run(
        ["node", str(script), bundle], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stderr  # intact, but nobody signed it
    return done.stdout


HEAD = """
task_schema = 1
id = "diabetes"
seed = 3
[data]
base = "base.csv"
benchmark = "benchmark.csv"
"""
DIABETES = """
[[columns]]
name = "patient"
type = "integer"
role = "group"
[[columns]]
name = "progression"
type = "integer"
role = "target"
minimum = 0
maximum = 400
[model]
estimator = "random_forest_regressor"
seeds = 2
[model.parameters]
n_estimators = 8
[decision]
min_benchmark_rows = 100
"""


def test_noise_is_refused_with_seeds_and_groups_on_real_patients(tmp_path: Path) -> None:
    """442 patients; the contribution's progressions were shuffled, so they teach nothing."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    rows = [
        {
            "patient": str(index),
            **{name: repr(float(cell)) for name, cell in zip(data.feature_names, x, strict=True)},
            "progression": str(int(y)),
        }
        for index, (x, y) in enumerate(zip(data.data, data.target, strict=True))
    ]
    columns = "".join(f'[[columns]]\nname = "{n}"\ntype = "number"\n' for n in data.feature_names)
    write_csv(tmp_path / "base.csv", rows[:140])
    write_csv(tmp_path / "benchmark.csv", rows[140:290])
    shuffled = np.random.default_rng(0).permutation([row["progression"] for row in rows[290:]])
    poisoned = [r | {"progression": y} for r, y in zip(rows[290:], shuffled, strict=True)]
    result = evaluated(tmp_path, HEAD + columns + DIABETES, poisoned)
    report = result.output_for_node("delta_report")
    assert report.delta_of("mae").method == "seed_mean_cluster_t_and_betting"
    assert report.null_run.seeds == 2
    assert report.released.deltas["mae"] != report.delta_of("mae").delta
    attestation = result.output_for_node("attestation")
    assert attestation.decision.verdict == "rejected"
    assert attestation.core["benchmark"]["clusters"] == attestation.core["benchmark"]["rows"]
    assert attestation.core["joint_counts"] == [[], []]
    assert {s.name: s for s in verify(attestation.bundle_path).steps}["numbers"].verdict == "holds"


def test_a_dry_run_rehearses_a_regression(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_text(TASK, encoding="utf-8")
    given = resources(tmp_path, mode="mock", task=str(tmp_path / "task.toml"), mock_rows=300)
    result = dg.materialize_to_memory([*ALL_ASSETS, *ALL_CHECKS], resources=given)
    report = result.output_for_node("delta_report")
    assert report.delta_of("mae").delta is not None
    assert result.output_for_node("attestation").decision.dry_run
    counts = result.output_for_node("contributed_data").contributions[0].counts
    assert counts.rejected and counts.leaked and counts.deduplicated
    assert all(e.passed for e in result.get_asset_check_evaluations())
