"""Baselines: a stored file is copied and described as it is, and only the committed one counts."""

import hashlib

import fsspec
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from hokusai_assets.digests import digest_json
from hokusai_assets.errors import MissingFileError, ModelError, ModelMismatchError
from hokusai_assets.modeling.baselines import STORED_NAME, load_baseline, obtain_baseline
from hokusai_assets.modeling.predicting import predict
from hokusai_assets.modeling.storage import load_models

COLUMNS = [
    {"name": "size", "type": "number"},
    {"name": "price", "type": "number"},
    {"name": "row", "type": "text", "role": "id"},
    {"name": "label", "type": "category", "role": "target"},
]


@pytest.fixture
def task(make_task):
    return make_task(columns=COLUMNS)


@pytest.fixture
def store(tmp_path):
    """Fit an estimator on `names` and `labels`, and store it as a stranger would."""

    def make(estimator=None, *, names=("size", "price"), labels=("bad", "good"), name="m.skops"):
        rng = np.random.default_rng(0)
        index = np.arange(40) % len(labels)
        cells = rng.normal(size=(40, len(names))) + index[:, None]
        fitted = (estimator or LogisticRegression()).fit(
            pd.DataFrame(cells, columns=list(names)), np.array(labels)[index]
        )
        path = tmp_path / name
        path.write_bytes(skops.io.dumps(fitted))
        return path

    return make


def test_a_stored_file_is_copied_byte_for_byte_and_described(task, store, tmp_path):
    path = store()
    data = path.read_bytes()
    found = load_baseline(task, path, tmp_path / "new" / "out")
    assert [p.name for p in (tmp_path / "new" / "out").iterdir()] == [STORED_NAME]
    assert (tmp_path / "new" / "out" / STORED_NAME).read_bytes() == data
    assert path.read_bytes() == data
    (file,) = found.files
    assert (file.name, file.size_bytes, file.seed) == (STORED_NAME, len(data), None)
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert (found.role, found.origin, found.model_id) == ("baseline", "stored", task.model_id)
    assert (found.training_root, found.training_rows) == (None, None)
    assert (found.labels, found.features) == (("bad", "good"), ("size", "price"))
    assert found.configuration == {"stored_sha256": file.sha256, "model_type": found.model_type}
    assert found.configuration_digest == digest_json(found.configuration)


@pytest.mark.parametrize(
    ("estimator", "kind", "has_scores"),
    [
        (LogisticRegression(), "LogisticRegression", True),
        (make_pipeline(StandardScaler(), LogisticRegression()), "LogisticRegression", True),
        (LinearSVC(), "LinearSVC", False),
        (make_pipeline(StandardScaler(), LinearSVC()), "LinearSVC", False),
    ],
    ids=["plain", "pipeline", "no scores", "pipeline without scores"],
)
def test_its_type_and_scores_are_those_of_the_last_step(
    task, store, tmp_path, estimator, kind, has_scores
):
    found = load_baseline(task, store(estimator), tmp_path / "out")
    assert (found.model_type, found.has_scores) == (kind, has_scores)
    (loaded,) = load_models(task, found)
    assert hasattr(loaded, "predict_proba") == has_scores


def test_a_file_may_lie_at_a_url(task, store, tmp_path):
    data = store().read_bytes()
    url = "memory://test_baselines/model.skops"
    with fsspec.open(url, "wb") as stream:
        stream.write(data)
    found = load_baseline(task, url, tmp_path / "out")
    assert (tmp_path / "out" / STORED_NAME).read_bytes() == data
    assert found.files[0].sha256 == hashlib.sha256(data).hexdigest()
    with pytest.raises(MissingFileError, match="no model file memory://test_baselines/other"):
        load_baseline(task, "memory://test_baselines/other", tmp_path / "out")


def test_a_folder_is_no_model_file(task, tmp_path):
    with pytest.raises(MissingFileError, match="There is no model file"):
        load_baseline(task, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_columns_in_another_order_are_no_mismatch_and_predict_the_same(
    task, store, make_rows, make_dataset, tmp_path
):
    rng = np.random.default_rng(1)
    cells = pd.DataFrame(rng.normal(size=(60, 2)) * [5, 1], columns=["size", "price"])
    labels = np.where(cells["price"] > 0, "good", "bad")
    scores = []
    for order in (["size", "price"], ["price", "size"]):
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(cells[order], labels)
        path = tmp_path / f"{order[0]}.skops"
        path.write_bytes(skops.io.dumps(model))
        stored = load_baseline(task, path, tmp_path / order[0])
        assert stored.features == tuple(order)
        rows = make_rows(30)
        rows["size"][2], rows["price"][3] = 0, 0.0
        bench = make_dataset(task, rows, f"bench-{order[0]}")
        scores.append(predict(task, stored, bench).scores)
    assert np.abs(scores[0] - scores[1]).max() <= 1
    assert len(np.unique(scores[0])) > 10


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        (
            {"labels": ("bad", "fine", "odd")},
            "it predicts the classes 'fine', 'odd', which the task does not have (its labels: "
            "'bad', 'good')",
        ),
        ({"names": ("price",)}, "it was not trained on 'size'"),
        ({"names": ("size", "price", "zip", "age")}, "it needs 'age', 'zip', no feature"),
        # The id and the target are columns of the task, but no features.
        ({"names": ("size", "price", "row", "label")}, "it needs 'label', 'row', no feature"),
    ],
    ids=["classes", "missing", "extra", "roles"],
)
def test_one_difference_is_named_alone_and_nothing_is_copied(task, store, tmp_path, changes, part):
    path = store(**changes)
    with pytest.raises(ModelMismatchError) as caught:
        load_baseline(task, path, tmp_path / "out")
    message = str(caught.value)
    assert message.startswith(f"The model {path} does not fit the task: {part}")
    assert message.endswith("Name the task's own model, or change the task file.")
    assert ";" not in message
    assert not (tmp_path / "out").exists()


def test_labels_of_another_type_are_other_labels(make_task, store, tmp_path):
    columns = [*COLUMNS[:3], {"name": "label", "type": "integer", "role": "target"}]
    task = make_task(labels=(0, 1), columns=columns)
    with pytest.raises(ModelMismatchError, match=r"classes '0', '1', .* labels: 0, 1\)"):
        load_baseline(task, store(labels=("0", "1")), tmp_path / "out")
    found = load_baseline(task, store(labels=(0, 1)), tmp_path / "out")
    assert found.labels == (0, 1)
    assert {type(label) for label in found.labels} == {int}


def test_classes_are_kept_in_the_models_order_though_the_tasks_is_another(
    make_task, store, tmp_path
):
    task = make_task(labels=("good", "new", "bad"), columns=COLUMNS)
    assert load_baseline(task, store(), tmp_path / "out").labels == ("bad", "good")


def test_what_predicts_no_classes_is_refused(task, store, tmp_path):
    path = store(LinearRegression(), labels=(0.0, 1.0))
    with pytest.raises(ModelMismatchError) as caught:
        load_baseline(task, path, tmp_path / "out")
    assert str(caught.value) == (
        f"The model {path} does not fit the task: it is a regressor, and the task's target 'label' "
        "is one of the labels 'bad', 'good'. Name the task's own model, or change the task file."
    )
    assert not (tmp_path / "out").exists()


def test_what_predicts_several_targets_is_refused(task, store, tmp_path):
    several = MultiOutputClassifier(LogisticRegression())
    path = store(several, labels=(["bad", "sour"], ["good", "sweet"]))
    with pytest.raises(ModelError, match="no fitted classifier of one target"):
        load_baseline(task, path, tmp_path / "out")


@pytest.fixture
def base(task, make_rows, make_dataset):
    rows = make_rows(60)
    rows["size"][2], rows["price"][3] = 0, 0.0
    return make_dataset(task, rows)


def test_a_trained_baseline_has_a_file_a_seed_and_names_its_data(task, base, tmp_path):
    found = obtain_baseline(
        task, base, (5, 6), stored=None, committed="trained", folder=tmp_path / "out"
    )
    assert (found.role, found.origin) == ("baseline", "trained")
    assert (found.training_root, found.training_rows) == (base.content_root, 60)
    assert [file.seed for file in found.files] == [5, 6]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f.name for f in found.files}


def test_a_stored_baseline_is_one_file_whatever_the_seeds_and_needs_no_base_data(
    task, base, store, tmp_path
):
    path = store()
    committed = {"file_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    gone = base.model_copy(update={"folder": str(tmp_path / "gone")})
    found = obtain_baseline(
        task, gone, (5, 6, 7), stored=path, committed=committed, folder=tmp_path / "out"
    )
    assert found == load_baseline(task, str(path), tmp_path / "out")
    assert len(found.files) == 1


def test_another_file_than_the_committed_one_is_refused_though_it_fits(task, base, store, tmp_path):
    first = store(name="first.skops")
    second = store(LogisticRegression(C=0.5), name="second.skops")
    committed = {"file_sha256": hashlib.sha256(first.read_bytes()).hexdigest()}
    for stored, promise in ((second, committed), (first, "trained"), (None, committed)):
        with pytest.raises(ModelError) as caught:
            obtain_baseline(
                task, base, (1,), stored=stored, committed=promise, folder=tmp_path / "out"
            )
        assert str(caught.value) == (
            "The baseline is not the one that the evaluation plan committed to: materialize "
            "evaluation_plan again, which counts as another attempt."
        )
