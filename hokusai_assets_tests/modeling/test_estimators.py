"""What the task may name, and what is refused with which words."""

import sys
import types

import pytest

from hokusai_assets.errors import TaskError
from hokusai_assets.modeling import estimators


def model_of(pipeline):
    return pipeline.named_steps["model"]


def test_parameters_reach_the_estimator_and_the_program_sets_its_own(make_task):
    task = make_task(model={"estimator": "hist_gradient_boosting", "parameters": {"max_iter": 7}})
    model = model_of(estimators.build(task, 11))
    assert (model.max_iter, model.random_state, model.early_stopping) == (7, 11, False)
    forest = model_of(estimators.build(make_task(model={"estimator": "random_forest"}), 2**32 - 1))
    assert (forest.n_jobs, forest.random_state) == (1, 2**32 - 1)


def test_text_parameters_and_label_weights_are_translated_from_toml(make_task):
    columns = [
        {"name": "text", "type": "text"},
        {"name": "label", "type": "integer", "role": "target"},
    ]
    task = make_task(
        labels=(0, 1),
        columns=columns,
        model={
            "text": {"ngram_range": [1, 2], "min_df": 2},
            "parameters": {"class_weight": {"0": 1.0, "1": 3.0}},
        },
    )
    pipeline = estimators.build(task, 0)
    ((_, vectorizer, column),) = pipeline.named_steps["features"].transformers
    assert (vectorizer.ngram_range, vectorizer.min_df, column) == ((1, 2), 2, "text")
    assert model_of(pipeline).class_weight == {0: 1.0, 1: 3.0}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"estimator": "logistic_regresion"}, "did you mean 'logistic_regression'"),
        ({"parameters": {"maxiter": 3}}, "did you mean 'max_iter'"),
        ({"text": {"ngram_rang": [1, 2]}}, "did you mean 'ngram_range'"),
        ({"parameters": {"random_state": 3}}, "set by the program"),
        ({"estimator": "mlp", "parameters": {"early_stopping": True}}, "set by the program"),
        ({"parameters": {"class_weight": {"great": 2.0}}}, "names no label 'great'"),
        ({"estimator": "no_such_module:make"}, "no_such_module cannot be imported"),
        ({"estimator": "json:make"}, "has no 'make'"),
        ({"estimator": "operator:is_"}, "must return an object"),
    ],
)
def test_what_is_unknown_is_refused_by_name(make_task, model, message):
    task = make_task(model={"seeds": 3} | model)
    with pytest.raises(TaskError, match=message):
        estimators.build(task, 0)
    # The plan asks for the number of seeds, and must not count an attempt for a wrong task.
    with pytest.raises(TaskError, match=message):
        estimators.number_of_seeds(task)


@pytest.mark.parametrize(
    ("model", "seeds"),
    [
        ({}, 1),
        ({"parameters": {"solver": "saga"}}, 5),
        ({"estimator": "naive_bayes"}, 1),
        ({"estimator": "hist_gradient_boosting"}, 1),
        ({"estimator": "hist_gradient_boosting", "parameters": {"max_features": 0.5}}, 5),
        ({"estimator": "linear_svm"}, 1),
        ({"estimator": "linear_svm", "parameters": {"dual": True}}, 5),
        ({"estimator": "random_forest"}, 5),
        ({"estimator": "mlp", "seeds": 3}, 3),
        ({"estimator": "sklearn_like:make"}, 5),
    ],
)
def test_number_of_trainings(make_task, monkeypatch, model, seeds):
    module = types.ModuleType("sklearn_like")
    module.make = lambda task, seed: estimators.build(make_task(), seed)
    monkeypatch.setitem(sys.modules, "sklearn_like", module)
    assert estimators.number_of_seeds(make_task(model=model)) == seeds


def test_a_factory_is_called_with_task_and_seed(make_task, monkeypatch):
    from sklearn.dummy import DummyClassifier

    module = types.ModuleType("someones_models")
    module.make = lambda task, seed: DummyClassifier(
        constant=task.data.labels[1], random_state=seed
    )
    monkeypatch.setitem(sys.modules, "someones_models", module)
    built = estimators.build(make_task(model={"estimator": "someones_models:make"}), 5)
    assert (built.constant, built.random_state) == ("good", 5)


def test_configuration_changes_with_what_is_trained_and_with_nothing_else(make_task):
    body, digest = estimators.configuration(make_task(model={"parameters": {"C": 4.0}}))
    assert body["parameters"] == {"C": "4", "max_iter": 1000}
    assert list(body["features"]) == ["fresh", "kind", "price", "size", "text", "when"]
    spelled_out = make_task(title="x", model={"parameters": {"C": 4.0, "max_iter": 1000}})
    assert estimators.configuration(spelled_out)[1] == digest
    other = make_task(model={"parameters": {"C": 4.5}})
    assert estimators.configuration(other)[1] != digest
