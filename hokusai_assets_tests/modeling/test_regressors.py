"""Regressors: every one trains and is stored, and what is no number in its range is refused."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hokusai_assets.errors import ModelError, ModelMismatchError, TaskError
from hokusai_assets.modeling import predicting
from hokusai_assets.modeling.baselines import load_baseline
from hokusai_assets.modeling.estimators import ESTIMATORS, configuration, number_of_seeds
from hokusai_assets.modeling.predicting import predict
from hokusai_assets.modeling.training import train
from hokusai_assets.task import parse_task
from hokusai_assets_tests.modeling.conftest import COLUMNS as CLASS_COLUMNS

REGRESSORS = sorted(name for name, one in ESTIMATORS.items() if one.kind == "regression")
FAST = {
    "random_forest_regressor": {"n_estimators": 5},
    "hist_gradient_boosting_regressor": {"max_iter": 40, "min_samples_leaf": 5},
}
COLUMNS = [
    *CLASS_COLUMNS[:-1],
    {"name": "label", "type": "number", "role": "target", "minimum": -10, "maximum": 10},
]


def make_task(columns=COLUMNS, **sections):
    raw = {"task_schema": 1, "id": "small", "seed": 7, "columns": columns}
    return parse_task(raw | {"data": {"base": "b", "benchmark": "m"}} | sections)


@pytest.fixture
def rows(make_rows):
    def made(n, seed=0):
        found = make_rows(n, seed=seed)
        # 4 where the word says so and -4 elsewhere, and a little of the price
        found["label"] = [
            (4.0 if label == "good" else -4.0) + 0.5 * (price or 0.0)
            for label, price in zip(found["label"], found["price"], strict=True)
        ]
        return found

    return made


@pytest.mark.parametrize("name", REGRESSORS)
def test_every_regressor_trains_is_stored_and_predicts(name, rows, make_dataset, tmp_path):
    task = make_task(model={"estimator": name, "parameters": FAST.get(name, {})})
    data = make_dataset(task, rows(120))
    bench = make_dataset(task, rows(60, seed=1), "bench")
    model = train(task, data, (3,), "candidate", tmp_path / "model")
    assert (model.labels, model.has_scores) == ((), False)
    found = predict(task, model, bench)
    assert found.scores is None
    truth = (np.array(rows(60, seed=1)["label"]) + 10) / 20
    assert np.abs(found.labels[0] / 1e6 - truth).mean() < 0.06
    again = predict(task, train(task, data, (3,), "candidate", tmp_path / "again"), bench)
    assert np.array_equal(found.labels, again.labels)
    assert number_of_seeds(task) == (5 if name == "random_forest_regressor" else 1)
    assert configuration(task)[0]["target_scale"] == {"minimum": "-10", "maximum": "10"}


def test_estimators_of_the_other_kind_are_refused_with_those_that_fit():
    with pytest.raises(TaskError, match="is for a classification, and this task is a regression"):
        number_of_seeds(make_task(model={"estimator": "random_forest"}))
    with pytest.raises(TaskError, match="choose one of hist_gradient_boosting_regressor, random"):
        number_of_seeds(make_task(model={"estimator": "logistic_regression"}))
    labelled = [*COLUMNS[:-1], {"name": "label", "type": "category", "role": "target"}]
    data = {"base": "b", "benchmark": "m", "labels": ["bad", "good"]}
    with pytest.raises(TaskError, match="is for a regression, and this task is a classification"):
        number_of_seeds(make_task(labelled, data=data, model={"estimator": "ridge_regression"}))


def test_one_number_alone_teaches_nothing(rows, make_dataset, tmp_path):
    task = make_task()
    flat = rows(30) | {"label": [2.5] * 30}
    with pytest.raises(ModelError, match="hold rows of one number only"):
        train(task, make_dataset(task, flat), (3,), "candidate", tmp_path / "model")


class Says(RegressorMixin, BaseEstimator):
    """A regressor that predicts what it is told to."""

    def __init__(self, told=None):
        self.told = told

    def predict(self, frame):
        return self.told


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (np.array([np.nan, 1.0, np.inf]), "numbers that are not finite, on 2 rows"),
        (np.array([[1.0], [2.0], [3.0]]), r"predicts float64 of shape \(3, 1\), where one number"),
        (np.array(["a", "b", "c"]), "its estimator must be a regressor"),
        (np.array([True, False, True]), "predicts bool of shape"),
        (np.array([1.0, 2.0]), r"of shape \(2,\), where one number a row is due"),
    ],
)
def test_what_is_no_number_a_row_is_refused(
    told, message, rows, make_dataset, tmp_path, monkeypatch
):
    task = make_task()
    data = make_dataset(task, rows(30))
    bench = make_dataset(task, rows(10) | {k: v[:3] for k, v in rows(10).items()}, "bench")
    model = train(task, data, (3,), "candidate", tmp_path / "model")
    monkeypatch.setattr(predicting, "load_models", lambda *_: [Says(told)])
    with pytest.raises(ModelError, match=message):
        predict(task, model, bench)


def test_wild_predictions_count_as_the_ends_of_the_range(rows, make_dataset, tmp_path, monkeypatch):
    task = make_task()
    model = train(task, make_dataset(task, rows(30)), (3,), "candidate", tmp_path / "model")
    bench = make_dataset(task, {k: v[:4] for k, v in rows(10).items()}, "bench")
    wild = np.array([1e300, -1e300, 0.0, 10.00001])
    monkeypatch.setattr(predicting, "load_models", lambda *_: [Says(wild)])
    assert predict(task, model, bench).labels.tolist() == [[10**6, 0, 500_000, 10**6]]


NUMBERS = [
    {"name": "size", "type": "number"},
    {"name": "price", "type": "number"},
    {"name": "label", "type": "number", "role": "target", "minimum": 0, "maximum": 9},
]


def stored(tmp_path, estimator, target, names=("size", "price")):
    cells = np.random.default_rng(0).normal(size=(40, len(names)))
    fitted = estimator.fit(pd.DataFrame(cells, columns=list(names)), target)
    path = tmp_path / "stored.skops"
    path.write_bytes(skops.io.dumps(fitted))
    return path


@pytest.mark.parametrize(
    "estimator", [LinearRegression(), make_pipeline(StandardScaler(), LinearRegression())]
)
def test_a_stored_regressor_is_taken_as_it_is(estimator, make_dataset, tmp_path):
    task = make_task(NUMBERS)
    path = stored(tmp_path, estimator, np.arange(40) / 5)
    model = load_baseline(task, path, tmp_path / "out")
    assert (model.labels, model.model_type, model.has_scores) == ((), "LinearRegression", False)
    bench = make_dataset(task, {"size": [0.0, 1.0], "price": [0.0, 9e9], "label": [1.0, 2.0]})
    found = predict(task, model, bench).labels
    assert found.shape == (1, 2)
    assert found[0, 1] in {0, 10**6}


def test_a_stored_model_of_another_kind_or_of_other_columns_is_refused(tmp_path):
    task = make_task(NUMBERS)
    path = stored(tmp_path, LogisticRegression(), np.arange(40) % 2)
    with pytest.raises(ModelMismatchError) as caught:
        load_baseline(task, path, tmp_path / "out")
    assert "it is a classifier (of 0, 1), and the task's target 'label' is a number" in str(
        caught.value
    )
    path = stored(tmp_path, LinearRegression(), np.arange(40), names=("size", "colour"))
    with pytest.raises(ModelMismatchError, match="not trained on 'price'; it needs 'colour'"):
        load_baseline(task, path, tmp_path / "out")
    path = stored(tmp_path, StandardScaler(), np.arange(40))
    with pytest.raises(ModelError, match="is no fitted regressor of one target"):
        load_baseline(task, path, tmp_path / "out")
