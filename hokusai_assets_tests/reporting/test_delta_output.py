"""delta_output: schema 1.0, every field, true to the records it is made from."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hokusai_assets.records import DeltaReport, MetricDelta, MetricValue
from hokusai_assets.reporting.delta_output import (
    build_delta_output,
    delta_output_bytes,
    delta_output_name,
    schema_violations,
)
from hokusai_assets_tests.conftest import ROOT, Evaluated

SCHEMA = json.loads((ROOT / "docs" / "schemas" / "delta_output.schema.json").read_text())

# Schema 1.0 as documented: what stands here keeps its name for good.
REQUIRED = {
    "": {
        "schema_version",
        "delta_computation",
        "baseline_model",
        "new_model",
        "contributor_attribution",
        "evaluation_metadata",
        "pipeline_metadata",
    },
    "delta_computation": {
        "delta_one_score",
        "metric_deltas",
        "computation_method",
        "metrics_included",
        "improved_metrics",
        "degraded_metrics",
    },
    "baseline_model": {"model_id", "model_type", "metrics", "mlflow_run_id"},
    "new_model": {"model_id", "model_type", "metrics", "mlflow_run_id", "training_metadata"},
    "contributor_attribution": {
        "contributor_id",
        "wallet_address",
        "data_hash",
        "contributor_weights",
        "contributed_samples",
        "total_samples",
        "data_manifest",
    },
    "evaluation_metadata": {"benchmark_dataset", "evaluation_timestamp", "pipeline_run_id"},
    "pipeline_metadata": {"run_id", "timestamp", "config", "dry_run"},
}
MANIFEST = {
    "source_path",
    "size_bytes",
    "modified",
    "format",
    "encoding",
    "data_hash",
    "row_count",
    "column_count",
    "schema",
    "null_counts",
    "unique_counts",
    "unique_counts_exact",
    "column_statistics",
    "engines",
    "compression",
    "sha256",
    "files",
    "notes",
    "quality",
    "cleaning",
}


def written(evaluated: Evaluated) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        Path(evaluated["attestation"].delta_output_path).read_text(encoding="utf-8")
    )
    return body


def build(evaluated: Evaluated, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "run_id": "r",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "dry_run": False,
        "config": {},
        "benchmark": {},
        "contributed": evaluated["contributed_data"],
        "merged": evaluated["merged_dataset"],
        "baseline": evaluated["baseline_model"],
        "candidate": evaluated["new_model"],
        "report": evaluated["delta_report"],
        "decision": evaluated["attestation"].decision,
        "mlflow_run_id": None,
    }
    return build_delta_output(**(arguments | changes))


def test_the_file_matches_the_published_schema(evaluated: Evaluated) -> None:
    jsonschema.validate(written(evaluated), SCHEMA)


def test_every_documented_field_is_there(evaluated: Evaluated) -> None:
    body = written(evaluated)
    for section, names in REQUIRED.items():
        assert names <= set(body[section] if section else body), section
    assert set(body["contributor_attribution"]["data_manifest"]) == MANIFEST
    assert body["schema_version"] == "1.0"
    assert body["delta_computation"]["computation_method"] == "weighted_average_delta"


def test_the_schema_demands_every_documented_field(evaluated: Evaluated) -> None:
    body = written(evaluated)
    for section, names in REQUIRED.items():
        for name in names:
            broken = copy.deepcopy(body)
            del (broken[section] if section else broken)[name]
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(broken, SCHEMA)


def test_metric_deltas_are_differences(evaluated: Evaluated) -> None:
    body = written(evaluated)
    deltas = body["delta_computation"]["metric_deltas"]
    assert set(deltas) == {"accuracy", "precision", "recall", "f1_score", "auroc"}
    for name, delta in deltas.items():
        assert delta["baseline_value"] == body["baseline_model"]["metrics"][name]
        assert delta["new_value"] == body["new_model"]["metrics"][name]
        assert delta["absolute_delta"] == pytest.approx(
            delta["new_value"] - delta["baseline_value"], abs=1e-12
        )
        assert delta["relative_delta"] == pytest.approx(
            delta["absolute_delta"] / delta["baseline_value"]
        )
        assert delta["improvement"] is (delta["absolute_delta"] > 0)
    score = sum(d["absolute_delta"] for d in deltas.values()) / len(deltas)
    assert body["delta_computation"]["delta_one_score"] == pytest.approx(score, abs=1e-12)
    improved = body["delta_computation"]["improved_metrics"]
    degraded = body["delta_computation"]["degraded_metrics"]
    assert set(improved) == {n for n, d in deltas.items() if d["absolute_delta"] > 0}
    assert set(degraded) == {n for n, d in deltas.items() if d["absolute_delta"] < 0}


def test_two_contributors_are_listed_and_the_first_stands_above(evaluated: Evaluated) -> None:
    attribution = written(evaluated)["contributor_attribution"]
    assert [c["contributor_id"] for c in attribution["contributors"]] == ["alice", "bob"]
    for name in REQUIRED["contributor_attribution"]:
        assert attribution[name] == attribution["contributors"][0][name]
    for contributor in attribution["contributors"]:
        assert contributor["weights_method"] == "row_share"
        assert contributor["contributor_weights"] == (
            contributor["contributed_samples"] / contributor["total_samples"]
        )
    alice, bob = attribution["contributors"]
    assert alice["total_samples"] == bob["total_samples"] == 120 + 199 + 100
    assert (alice["contributed_samples"], bob["contributed_samples"]) == (199, 100)
    assert alice["data_hash"] != alice["data_manifest"]["data_hash"]  # one duplicate was removed


def test_the_manifest_counts_and_says_no_value(evaluated: Evaluated) -> None:
    manifest = written(evaluated)["contributor_attribution"]["data_manifest"]
    cleaning = manifest["cleaning"]
    assert (manifest["row_count"], manifest["column_count"]) == (199, 4)
    assert (cleaning["read"], cleaning["deduplicated"], cleaning["kept"]) == (200, 1, 199)
    assert [(p["detector"], p["cells"]) for p in cleaning["pii"]] == [("phone", 1)]
    assert "555" not in json.dumps(manifest)
    assert manifest["schema"]["weight"] == "number"
    assert 0 <= manifest["quality"]["score"] <= 1


def test_one_contributor_has_no_list(evaluated: Evaluated) -> None:
    contributed = evaluated["contributed_data"]
    report: DeltaReport = evaluated["delta_report"]
    body = build(
        evaluated,
        contributed=contributed.model_copy(update={"contributions": contributed.contributions[:1]}),
        report=report.model_copy(update={"shares": report.shares[:1]}),
    )
    assert body["contributor_attribution"]["contributors"] is None


def test_an_undefined_metric_is_left_out_and_named(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    nothing = MetricValue(metric="auroc", value=None, millionths=None, undefined="no scores")
    deltas = tuple(
        d
        if d.metric != "auroc"
        else d.model_copy(
            update={
                "baseline": nothing,
                "delta": None,
                "delta_millionths": None,
                "undefined": "the baseline gives no scores",
            }
        )
        for d in report.deltas
    )
    body = build(evaluated, report=report.model_copy(update={"deltas": deltas}))
    assert schema_violations(body) == []
    assert "auroc" not in body["delta_computation"]["metric_deltas"]
    assert "auroc" not in body["baseline_model"]["metrics"]
    assert "auroc" in body["new_model"]["metrics"]
    assert body["statistics"]["undefined_metrics"] == {"auroc": "the baseline gives no scores"}


def test_a_baseline_of_zero_has_no_relative_delta(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    zero = MetricValue(metric="recall", value=0.0, millionths=0)
    deltas = tuple(
        d if d.metric != "recall" else d.model_copy(update={"baseline": zero, "delta": 0.5})
        for d in report.deltas
    )
    body = build(evaluated, report=report.model_copy(update={"deltas": deltas}))
    recall = body["delta_computation"]["metric_deltas"]["recall"]
    assert recall["relative_delta"] is None
    assert recall["improvement"] is True
    assert schema_violations(body) == []


def test_a_loss_improves_by_falling(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    changes = {"accuracy": -0.125, "recall": 0.25, "auroc": 0.0}

    def loss(d: MetricDelta) -> MetricDelta:
        return d.model_copy(update={"delta": changes[d.metric], "higher_is_better": False})

    deltas = tuple(loss(d) for d in report.deltas if d.metric in changes)
    body = build(evaluated, report=report.model_copy(update={"deltas": deltas}))
    found = body["delta_computation"]
    assert {n: d["improvement"] for n, d in found["metric_deltas"].items()} == {
        "accuracy": True,
        "recall": False,
        "auroc": False,
    }
    assert found["metric_deltas"]["accuracy"]["absolute_delta"] == -0.125
    assert (found["improved_metrics"], found["degraded_metrics"]) == (["accuracy"], ["recall"])
    said = {n: d["higher_is_better"] for n, d in body["statistics"]["deltas"].items()}
    assert said == dict.fromkeys(changes, False)
    assert schema_violations(body) == []
    plain = written(evaluated)["statistics"]["deltas"]
    assert all(d["higher_is_better"] for d in plain.values())


def test_a_negative_baseline_keeps_the_sign_of_the_change(evaluated: Evaluated) -> None:
    report: DeltaReport = evaluated["delta_report"]
    below = MetricValue(metric="matthews_correlation", value=-0.25, millionths=-250_000)
    delta = report.deltas[0].model_copy(
        update={"metric": "matthews_correlation", "baseline": below, "delta": 0.5}
    )
    body = build(evaluated, report=report.model_copy(update={"deltas": (delta,)}))
    part = body["delta_computation"]["metric_deltas"]["matthews_correlation"]
    assert part["relative_delta"] == 2.0


def test_violations_name_the_place_and_no_value(evaluated: Evaluated) -> None:
    body = build(evaluated)
    body["delta_computation"]["metric_deltas"]["accuracy"]["improvement"] = "secret cell"
    body["pipeline_metadata"]["extra"] = 1
    found = schema_violations(body)
    assert len(found) == 2
    assert any("delta_computation.metric_deltas.accuracy.improvement" in f for f in found)
    assert "secret" not in "".join(found)


def test_a_dry_run_says_so_twice(evaluated: Evaluated) -> None:
    body = build(evaluated, dry_run=True)
    assert body["dry_run"] is True
    assert body["pipeline_metadata"]["dry_run"] is True


def test_bytes_are_json_without_nan(evaluated: Evaluated) -> None:
    body = build(evaluated)
    assert json.loads(delta_output_bytes(body)) == body
    body["delta_computation"]["delta_one_score"] = float("nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        delta_output_bytes(body)
    assert delta_output_name("r") == "delta_output_r.json"


def test_no_path_and_no_key_stand_in_the_file(evaluated: Evaluated) -> None:
    content = Path(evaluated["attestation"].delta_output_path).read_text()
    assert str(evaluated.outputs.parent) not in content
    assert "first.csv" in content  # the file's name alone
