"""From stored rows to integers: trained, stored, loaded, predicted."""

import numpy as np
import pytest

from hokusai_assets.errors import ModelError
from hokusai_assets.modeling.baselines import load_baseline, obtain_baseline
from hokusai_assets.modeling.estimators import ESTIMATORS
from hokusai_assets.modeling.predicting import predict
from hokusai_assets.modeling.storage import load_models
from hokusai_assets.modeling.training import train
from hokusai_assets.records import ModelFile

FAST = {
    "random_forest": {"n_estimators": 5},
    "extra_trees": {"n_estimators": 5},
    "hist_gradient_boosting": {"max_iter": 5, "min_samples_leaf": 5},
    # The default step is so short that a loose tolerance would stop it before it learnt anything.
    "mlp": {"max_iter": 300, "tol": 0.01, "learning_rate_init": 0.01},
}


@pytest.mark.parametrize(
    "name", sorted(name for name, one in ESTIMATORS.items() if one.kind == "classification")
)
def test_every_estimator_trains_on_every_column_type_and_predicts(
    name, make_task, make_rows, make_dataset, tmp_path
):
    task = make_task(model={"estimator": name, "parameters": FAST.get(name, {})})
    data = make_dataset(task, make_rows(120))
    bench = make_dataset(task, make_rows(60, seed=1), "bench")
    model = train(task, data, (3,), "candidate", tmp_path / "model")
    assert model.features == ("fresh", "kind", "price", "size", "text", "when")
    assert (model.training_root, model.training_rows) == ("ab" * 32, 120)
    found = predict(task, model, bench)
    truth = np.array([["bad", "good"].index(v) for v in make_rows(60, seed=1)["label"]])
    assert (found.labels[0] == truth).mean() > 0.7
    assert model.has_scores == (name != "linear_svm")
    if model.has_scores:
        assert found.scores.shape == (1, 60, 1)
        by_score = (found.scores[0, :, 0] > 500_000).astype(int)
        assert (by_score == found.labels[0]).all()
    else:
        assert found.scores is None


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(
    make_task, make_rows, make_dataset, tmp_path
):
    task = make_task(model={"estimator": "random_forest", "parameters": {"n_estimators": 5}})
    data = make_dataset(task, make_rows(120))
    model = train(task, data, (1, 2), "candidate", tmp_path / "a")
    again = train(task, data, (1, 1), "candidate", tmp_path / "b")
    first, second = predict(task, model, data), predict(task, again, data)
    assert (first.scores[0] == second.scores[0]).all()
    assert (second.scores[0] == second.scores[1]).all()
    assert (first.scores[0] != first.scores[1]).any()
    assert [file.seed for file in model.files] == [1, 2]


def test_only_features_reach_the_model(make_task, make_rows, make_dataset, tmp_path):
    task = make_task()
    rows = make_rows(120)
    model = train(task, make_dataset(task, rows), (0,), "candidate", tmp_path / "a")
    (estimator,) = load_models(task, model)
    assert list(estimator.feature_names_in_) == list(model.features)
    assert estimator.classes_.tolist() == ["bad", "good"]


def test_columns_follow_the_tasks_labels_even_if_the_model_misses_a_class(
    make_task, make_rows, make_dataset, tmp_path
):
    labels = ("z", "new", "a")
    task = make_task(labels=labels)
    data = make_dataset(task, make_rows(120, labels=("z", "a")))
    bench = make_dataset(task, make_rows(50, labels=labels, seed=2), "bench")
    model = train(task, data, (0,), "baseline", tmp_path / "a")
    found = predict(task, model, bench)
    assert found.scores.shape == (1, 50, 3)
    assert (found.scores[0, :, 1] == 0).all()
    assert np.abs(found.scores[0].sum(axis=1) - 10**6).max() <= 1
    assert (found.scores[0].argmax(axis=1) == found.labels[0]).all()


@pytest.mark.parametrize("kept", ["none", "one class"])
def test_nothing_to_learn_from_is_an_error(kept, make_task, make_rows, make_dataset, tmp_path):
    task, rows = make_task(), make_rows(40)
    if kept == "none":
        rows = {name: [] for name in rows}
    else:
        rows["label"] = ["good"] * 40
    with pytest.raises(ModelError, match="no row" if kept == "none" else "one class only"):
        train(task, make_dataset(task, rows), (0,), "candidate", tmp_path / "a")


def test_a_refused_parameter_value_is_named(make_task, make_rows, make_dataset, tmp_path):
    task = make_task(model={"parameters": {"C": -1.0}})
    data = make_dataset(task, make_rows(40))
    with pytest.raises(ModelError, match="The 'C' parameter of LogisticRegression"):
        train(task, data, (0,), "baseline", tmp_path / "a")


class Strange:
    """A fitted classifier whose scores are what a test wants them to be."""

    def __init__(self, scores, labels=("bad", "good"), predicted="good"):
        self.scores, self.classes_, self.predicted = scores, np.array(labels), predicted

    def predict(self, frame):
        return np.array([self.predicted] * len(frame))

    def predict_proba(self, frame):
        return np.tile(self.scores, (len(frame), 1))


@pytest.mark.parametrize(
    ("strange", "message"),
    [
        (Strange([np.nan, 0.5]), "not finite, on 40 rows"),
        (Strange([-0.2, 1.2]), "outside 0 to 1, on 40 rows"),
        (Strange([0.1, 0.2, 0.7]), "one column a class"),
        (Strange([0.5, 0.5], predicted="secret cell"), "classes that the task does not have"),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(
    strange, message, make_task, make_rows, make_dataset, tmp_path, monkeypatch
):
    task = make_task()
    data = make_dataset(task, make_rows(40))
    model = train(task, data, (0,), "candidate", tmp_path / "a")
    monkeypatch.setattr("hokusai_assets.modeling.predicting.load_models", lambda *_: [strange])
    with pytest.raises(ModelError, match=message) as caught:
        predict(task, model, data)
    assert "secret cell" not in str(caught.value)


def test_scores_round_half_to_even(make_task, make_rows, make_dataset, tmp_path, monkeypatch):
    task = make_task()
    data = make_dataset(task, make_rows(40))
    model = train(task, data, (0,), "candidate", tmp_path / "a")
    halves = Strange([1 - 2.5e-6, 2.5e-6])
    monkeypatch.setattr("hokusai_assets.modeling.predicting.load_models", lambda *_: [halves])
    assert set(predict(task, model, data).scores.ravel().tolist()) == {2}


def test_a_stored_baseline_predicts_what_it_predicted(make_task, make_rows, make_dataset, tmp_path):
    task = make_task()
    data = make_dataset(task, make_rows(120))
    trained = train(task, data, (0,), "baseline", tmp_path / "a")
    path = tmp_path / "a" / trained.files[0].name
    stored = load_baseline(task, path, tmp_path / "b")
    assert (tmp_path / "b" / stored.files[0].name).read_bytes() == path.read_bytes()
    assert stored.files[0].sha256 == trained.files[0].sha256
    assert (stored.origin, stored.training_root, stored.has_scores) == ("stored", None, True)
    assert (predict(task, stored, data).scores == predict(task, trained, data).scores).all()


def test_the_baseline_must_be_the_one_the_plan_committed_to(
    make_task, make_rows, make_dataset, tmp_path
):
    task = make_task()
    data = make_dataset(task, make_rows(60))
    made = obtain_baseline(
        task, data, (0,), stored=None, committed="trained", folder=tmp_path / "a"
    )
    path, sha256 = tmp_path / "a" / made.files[0].name, made.files[0].sha256
    kept = obtain_baseline(
        task, data, (0,), stored=path, committed={"file_sha256": sha256}, folder=tmp_path / "b"
    )
    assert kept.origin == "stored"
    for stored, committed in (
        (path, "trained"),
        (path, {"file_sha256": "0" * 64}),
        (None, {"file_sha256": sha256}),
    ):
        with pytest.raises(ModelError, match="committed to"):
            obtain_baseline(
                task, data, (0,), stored=stored, committed=committed, folder=tmp_path / "c"
            )


def test_a_model_file_that_was_changed_is_refused(make_task, make_rows, make_dataset, tmp_path):
    task = make_task()
    data = make_dataset(task, make_rows(60))
    model = train(task, data, (0,), "candidate", tmp_path / "a")
    file = model.files[0]
    other = ModelFile(name=file.name, sha256="0" * 64, size_bytes=file.size_bytes, seed=0)
    with pytest.raises(ModelError, match="not the one that was recorded"):
        predict(task, model.model_copy(update={"files": (other,)}), data)
