"""Regression tasks: what makes one, its own defaults, and what it may not say."""

import copy

import jsonschema
import pytest

from hokusai_assets.errors import TaskError
from hokusai_assets.evaluation.rule import rule_parameters
from hokusai_assets.task import parse_task, task_json_schema

RAW = {
    "task_schema": 1,
    "id": "progress",
    "data": {"base": "b.csv", "benchmark": "m.csv"},
    "columns": [
        {"name": "bmi", "type": "number"},
        {"name": "y", "type": "number", "role": "target", "minimum": 25, "maximum": 346},
    ],
}


def changed(target=None, **sections):
    raw = copy.deepcopy(RAW)
    raw["columns"][1].update(target or {})
    for name, value in sections.items():
        raw[name] = {**raw.get(name, {}), **value} if isinstance(value, dict) else value
    return raw


def test_a_number_to_predict_makes_a_regression_with_its_own_defaults():
    task = parse_task(RAW)
    assert task.kind == "regression"
    assert task.metrics.primary == "mae"
    assert task.weights == {"mae": 0.5, "rmse": 0.5, "r2": 0.0}
    assert task.model.estimator == "ridge_regression"
    assert task.target_scale.body() == {"minimum": "25", "maximum": "346"}
    assert parse_task(changed({"type": "integer"})).kind == "regression"
    labelled = changed({"type": "integer"}, data={"labels": [25, 26]})
    assert parse_task(labelled).kind == "classification"
    assert parse_task(labelled).metrics.primary == "accuracy"
    with pytest.raises(ValueError, match="no scale"):
        _ = parse_task(labelled).target_scale
    jsonschema.Draft202012Validator(task_json_schema()).validate(RAW)


def test_what_is_silent_or_said_means_the_same_and_the_range_means_something():
    digest = parse_task(RAW).digest
    assert set(parse_task(RAW).meaning()) == {"task_schema", "id", "columns"}
    said = changed(
        metrics={"primary": "mae", "included": ["mae", "rmse", "r2"]},
        model={"estimator": "ridge_regression"},
    )
    assert parse_task(said).digest == digest
    weighted = changed(metrics={"weights": {"mae": 2, "rmse": 2, "r2": 0}})
    assert parse_task(weighted).digest == digest
    for other in (
        changed({"maximum": 347}),
        changed({"type": "integer"}),
        changed(metrics={"primary": "rmse"}),
        changed(metrics={"weights": {"mae": 1, "rmse": 1, "r2": 1}}),
        changed(model={"estimator": "random_forest_regressor"}),
    ):
        assert parse_task(other).digest != digest
    zero, negative = (parse_task(changed({"minimum": sign * 0.0})) for sign in (1, -1))
    assert zero.digest == negative.digest
    again = parse_task(parse_task(RAW).model_dump())
    assert again == parse_task(RAW)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (changed(data={"labels": ["a", "b"]}), "data.labels are given, but column 'y' is a number"),
        (changed({"minimum": None}), "'y' is a number to predict and needs minimum: errors"),
        (changed({"type": "integer", "minimum": None, "maximum": None}), "minimum and maximum"),
        (changed({"minimum": 400}), "its minimum must lie below its maximum"),
        (changed({"maximum": 25}), "its minimum must lie below its maximum"),
        (changed({"minimum": -1.7e308, "maximum": 1.7e308}), "both be finite"),
        (changed({"maximum": float("inf")}), "both be finite"),
        (changed({"maximum": float("nan")}), "both be finite"),
        (changed({"type": "category", "minimum": None, "maximum": None}), "must list the labels"),
        (changed({"nullable": True}), "target and cannot be nullable"),
        (
            changed(metrics={"included": ["mae", "accuracy"]}),
            "names 'accuracy', a metric of a target with labels; this task is a regression: mae",
        ),
        (changed(metrics={"primary": "accuracy"}), "'accuracy' is not in metrics.included"),
        (
            changed(metrics={"primary": "m:own", "included": ["mae", "m:own"]}),
            "cannot be m:own: its test has not been simulated .* include it beside one of mae",
        ),
        (changed(guards={"expected_discordance": 0.1}), "a regression has none: leave it out"),
        (changed(guards={"margins": {"auroc": 1}}), "names 'auroc', a metric of a target with"),
        (changed(guards={"margins": {"recall:a": 1}}), "guards.margins names 'recall:a'"),
        (changed(guards={"margins": {"slice:old": 1}}), "guards.margins names 'slice:old'"),
    ],
)
def test_mistakes_are_named(raw, message):
    with pytest.raises(TaskError, match=message):
        parse_task(raw)


def test_r2_alone_is_what_delta_one_measures():
    # It weighed nothing there too, and the plan ended in a division by zero; it is the only
    # regression that a contract can be asked to pay for.
    alone = parse_task(changed(metrics={"primary": "r2", "included": ["r2"]}))
    assert alone.weights == {"r2": 1.0}
    assert rule_parameters(alone, {}, number_of_seeds=1)["weights"] == {"r2": 1}
    beside = parse_task(changed(metrics={"primary": "r2", "included": ["r2", "m:own"]}))
    assert beside.weights == {"r2": 1.0, "m:own": 0.0}
    mixed = parse_task(changed(metrics={"primary": "r2", "included": ["r2", "rmse"]}))
    assert mixed.weights == {"r2": 0.0, "rmse": 1.0}


def test_one_mistake_is_told_once():
    with pytest.raises(TaskError) as told:
        parse_task(changed({"type": "category", "minimum": None, "maximum": None}))
    assert "must list the labels of column 'y'" in str(told.value)
    assert "metrics.primary" not in str(told.value)
    with pytest.raises(TaskError, match="names 'recall:a'; it may name a metric"):
        parse_task(changed(guards={"margins": {"recall:a": 1}}))


def test_a_classification_may_not_measure_numbers():
    raw = {
        **RAW,
        "data": {**RAW["data"], "labels": ["a", "b"]},
        "columns": [RAW["columns"][0], {"name": "y", "type": "category", "role": "target"}],
    }
    assert parse_task(raw).kind == "classification"
    with pytest.raises(TaskError, match="'mae', a metric of a target that is a number"):
        parse_task(raw | {"metrics": {"included": ["accuracy", "mae"]}})
    with pytest.raises(TaskError, match="'rmse', a metric of a target that is a number"):
        parse_task(raw | {"guards": {"margins": {"rmse": 1}}})
