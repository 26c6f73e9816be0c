"""The core: everything the inputs determine, nothing that they do not."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.canonical import read_record
from hokusai_assets.attestation.core import build_core, core_digest, nullifier
from hokusai_assets.attestation.deciding import gain_of
from hokusai_assets.attestation.measured import delta_one_section
from hokusai_assets.attestation.rows.leaves import RowsRoot
from hokusai_assets.digests import canonical_json, digest_json
from hokusai_assets.records import ContributedDataset, DeltaOne, EvaluationPlan
from hokusai_assets.task import load_task
from hokusai_assets_tests.conftest import OTHER_WALLET, WALLET, Evaluated


def document(evaluated: Evaluated) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(Path(evaluated["attestation"].attestation_path).read_text())
    return body


def rows_root(core: dict[str, Any]) -> RowsRoot:
    return RowsRoot(**{k: v for k, v in core["rows"].items() if k != "leaf_version"})


def build(evaluated: Evaluated, **changes: Any) -> dict[str, Any]:
    task = load_task(evaluated.outputs.parent / "task.toml").task
    arguments: dict[str, Any] = {
        "dry_run": False,
        "configuration": evaluated["attestation"].core["run_configuration"],
        "benchmark": evaluated["benchmark_dataset"],
        "contributed": evaluated["contributed_data"],
        "plan": evaluated["evaluation_plan"],
        "baseline": evaluated["baseline_model"],
        "candidate": evaluated["new_model"],
        "metrics": evaluated["benchmark_metrics"],
        "report": evaluated["delta_report"],
        "rows": rows_root(evaluated["attestation"].core),
    }
    return build_core(changes.pop("task", task), **(arguments | changes))


def test_the_written_core_is_built_from_the_records(evaluated: Evaluated) -> None:
    body = document(evaluated)
    assert body["core"] == build(evaluated)
    assert body["core_digest"] == core_digest(body["core"]) == digest_json(body["core"])
    assert body["proof_data"]["commitment"] == body["core_digest"]


def test_no_time_run_id_or_path_is_in_the_core(evaluated: Evaluated) -> None:
    attestation = evaluated["attestation"]
    text = canonical_json(attestation.core).decode()
    assert attestation.run_id not in text
    assert str(evaluated.outputs.parent) not in text
    assert "first.csv" not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_every_joint_count_and_metric_is_an_integer(evaluated: Evaluated) -> None:
    core = evaluated["attestation"].core
    total = sum(cell[3] for cell in core["joint_counts"][0])
    assert total == core["benchmark"]["rows"]
    right = {
        "baseline": sum(c for t, b, _, c in core["joint_counts"][0] if b == t),
        "candidate": sum(c for t, _, n, c in core["joint_counts"][0] if n == t),
    }
    accuracy = core["metrics"]["accuracy"]
    for model, count in right.items():
        assert accuracy[f"{model}_millionths"] == round(1_000_000 * count / total)
    assert core["delta_one"]["weights_millionths"] == dict.fromkeys(core["metrics"], 200_000)
    assert core["benchmark"]["rows_left_in_training"] == 0


def test_contributors_stand_in_order_with_their_wallets(evaluated: Evaluated) -> None:
    core = evaluated["attestation"].core
    assert [(c["contributor_id"], c["wallet_address"]) for c in core["contributors"]] == [
        ("alice", WALLET),
        ("bob", OTHER_WALLET),
    ]
    assert [c["content_root"] for c in core["contributors"]] == [
        c["received"] for c in core["content_roots"]["contributions"]
    ]
    assert core["nullifiers"] == [
        nullifier("small", "small", c["content_root"]) for c in core["contributors"]
    ]


def test_the_plan_gave_the_seeds(evaluated: Evaluated) -> None:
    plan: EvaluationPlan = evaluated["evaluation_plan"]
    core = evaluated["attestation"].core
    assert core["plan_digest"] == digest_json(plan.body)
    assert core["seeds"] == list(plan.seeds)
    assert [f.seed for f in evaluated["new_model"].files] == list(plan.seeds)
    assert plan.body["content_roots"] == core["content_roots"]
    assert plan.body["baseline"] == "trained"
    assert plan.rows_left_in_training == 0


def swapped(contributed: ContributedDataset, **changes: Any) -> ContributedDataset:
    first, *others = contributed.contributions
    return contributed.model_copy(
        update={"contributions": (first.model_copy(update=changes), *others)}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"wallet_address": OTHER_WALLET},
        {"contributor_id": "mallory"},
        {"content_root_received": "00" * 32},
    ],
)
def test_another_contributor_is_another_core(evaluated: Evaluated, change: Any) -> None:
    changed = build(evaluated, contributed=swapped(evaluated["contributed_data"], **change))
    assert core_digest(changed) != evaluated["attestation"].core_digest


def test_a_dry_run_is_another_core(evaluated: Evaluated) -> None:
    assert core_digest(build(evaluated, dry_run=True)) != evaluated["attestation"].core_digest


def test_trained_model_files_do_not_matter_and_stored_ones_do(evaluated: Evaluated) -> None:
    """Two equal trainings give different bytes; a stored baseline is an input."""
    baseline = evaluated["baseline_model"]
    file = baseline.files[0].model_copy(update={"sha256": "00" * 32})
    other = baseline.model_copy(update={"files": (file,)})
    assert build(evaluated, baseline=other) == build(evaluated)
    stored = other.model_copy(update={"origin": "stored"})
    assert build(evaluated, baseline=stored)["baseline"] == {
        "origin": "stored",
        "file_sha256": "00" * 32,
    }


def test_the_document_claims_no_signature(evaluated: Evaluated) -> None:
    body = document(evaluated)
    assert body["signed"] is False
    assert body["decision"]["provisional"] is True
    assert set(body["proof_data"]["public_inputs"]) <= set(body["core"])
    assert {"schema_version", "attestation_version", "run_id", "timestamp"} <= set(body)
    assert set(body["models"]) == {"baseline", "improved"}
    assert body["models"]["improved"]["model_hash"] == evaluated["new_model"].files[0].sha256
    assert body["contributor"]["data_hash"] == body["core"]["contributors"][0]["content_root"]


def test_fractions_stand_as_decimal_text(evaluated: Evaluated) -> None:
    body = document(evaluated)
    for name, text in body["evaluation"]["delta_results"].items():
        assert re.fullmatch(r"-?\d\.\d{6}", text), name
        millionths = body["core"]["metrics"][name]["delta_millionths"]
        assert round(float(text) * 1_000_000) == millionths
    assert (
        round(float(body["evaluation"]["delta_score"]) * 1_000_000)
        == (body["core"]["delta_one"]["millionths"])
    )


@pytest.mark.parametrize(
    ("milli", "degrees"), [(None, None), (4_000, 4), (39_512, 39.512), (700, 1)]
)
def test_the_payable_gain_rests_on_the_degrees_of_its_error(
    evaluated: Evaluated, milli: int | None, degrees: float | None
) -> None:
    core = copy.deepcopy(evaluated["attestation"].core)
    core["delta_one"]["degrees_of_freedom_milli"] = milli
    gain = gain_of(core, evaluated["evaluation_plan"].body["rule"])
    assert gain is not None
    assert gain.degrees_of_freedom == degrees
    # Five metrics are averaged: there is no other error if nothing had changed.
    assert gain.null_error == gain.standard_error > 0


def test_of_accuracy_alone_the_null_error_follows_from_the_joint_counts() -> None:
    table = [[0, 0, 0, 1500], [0, 1, 0, 285], [1, 1, 0, 187], [1, 1, 1, 1000], [1, 0, 0, 28]]
    found = DeltaOne(
        value=0.03,
        millionths=30_000,
        standard_error_nano=7_000_000,
        p_value_pico=1,
        weights_millionths={"accuracy": 1_000_000},
        metrics_included=("accuracy",),
        metrics_missing={},
        computation_method="",
    )

    def null_error(**changes: Any) -> int:
        arguments = {"primary": "accuracy", "joint": [table], "clusters": None} | changes
        section = delta_one_section(changes.pop("found", found), **_without(arguments, "found"))
        return int(section["null_standard_error_nano"])

    assert null_error() == round(1e9 * (285 + 187) ** 0.5 / 3000) == 7_241_854
    for changes in (
        {"clusters": 40},
        {"joint": [table, table]},
        {"primary": "recall"},
        {"found": found.model_copy(update={"metrics_included": ("accuracy", "auroc")})},
    ):
        assert null_error(**changes) == 7_000_000


def _without(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in arguments.items() if key != name}


def test_only_closed_form_intervals_stand_in_the_core(evaluated: Evaluated) -> None:
    core, report = evaluated["attestation"].core, evaluated["delta_report"]
    methods = {d.metric: d.interval.method for d in report.deltas}
    held = {name: m["interval"] and m["interval"]["method"] for name, m in core["metrics"].items()}
    assert held["accuracy"] == methods["accuracy"]
    assert held["auroc"] == "influence_normal"
    assert "bootstrap" not in json.dumps(core)
    assert (
        {n for n, m in methods.items() if m == "bootstrap_percentile"}
        == {name for name, method in held.items() if method is None}
        != set()
    )


def test_names_of_columns_and_labels_may_be_any_text(evaluated: Evaluated) -> None:
    """Keys of the core are ASCII, so what a task names stands in values."""
    task = load_task(evaluated.outputs.parent / "task.toml").task
    columns = tuple(
        c.model_copy(update={"name": "Größe", "pii": "mask"}) if c.name == "note" else c
        for c in task.columns
    )
    candidate = evaluated["new_model"].model_copy(
        update={"configuration": {"class_weight": {"o\u0308": "2"}}}
    )
    core = build(evaluated, task=task.model_copy(update={"columns": columns}), candidate=candidate)
    assert core["pii"]["policy"]["columns"] == [["Größe", "mask"]]
    assert core["model_configuration"] == {"class_weight": [["ö", "2"]]}
    # Whoever has only the core must come to its digest, or an honest bundle would be refused.
    assert core["model_configuration_digest"] == digest_json(core["model_configuration"])
    assert read_record(canonical_json(core), "core.json") == core
