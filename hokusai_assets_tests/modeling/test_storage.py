"""Model files from strangers: what is refused, and with which words."""

import io
import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from hokusai_assets.errors import (
    MissingFileError,
    ModelError,
    ModelMismatchError,
    UntrustedModelError,
)
from hokusai_assets.modeling import storage
from hokusai_assets.modeling.baselines import load_baseline
from hokusai_assets.modeling.training import train


def fitted(names=("fresh", "kind", "price", "size", "text", "when"), labels=("bad", "good")):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, len(names))), columns=names)
    return LogisticRegression().fit(frame, list(labels) * (20 // len(labels)))


def write(tmp_path, data, name="m.skops"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_stored_models_are_deflated(tmp_path):
    storage.save_model(fitted(), tmp_path, "m.skops", 1)
    with zipfile.ZipFile(tmp_path / "m.skops") as archive:
        assert {m.compress_type for m in archive.infolist()} == {zipfile.ZIP_DEFLATED}


def test_a_missing_file_is_a_usage_error(make_task, tmp_path):
    with pytest.raises(MissingFileError, match=r"no model file .*nowhere\.skops"):
        load_baseline(make_task(), tmp_path / "nowhere.skops", tmp_path / "out")


@pytest.mark.parametrize(
    "data",
    [pickle.dumps({"a": 1}), b"", b"not an archive", skops.io.dumps(fitted())[:-40]],
    ids=["pickle", "empty", "text", "truncated"],
)
def test_what_is_no_archive_is_refused(data, make_task, tmp_path):
    with pytest.raises(ModelError, match="no skops archive"):
        load_baseline(make_task(), write(tmp_path, data), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive(readme_txt="hello"), "not one of skops"),
        (archive(schema_json="{"), "damaged"),
        (archive(schema_json="{}"), "damaged"),
        (archive(schema_json=json.dumps({"protocol": 2, "__class__": "x"})), "damaged"),
        (archive(schema_json="[" * 100_000), "damaged"),
    ],
)
def test_archives_that_hold_no_model_are_refused(data, message, make_task, tmp_path):
    with pytest.raises(ModelError, match=message):
        load_baseline(make_task(), write(tmp_path, data), tmp_path / "out")


def test_an_archive_that_unpacks_past_the_limit_is_refused(make_task, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "MAX_UNPACKED_BYTES", 1_000_000)
    bomb = archive(schema_json="{}", zeros_bin=b"\0" * 1_000_001)
    with pytest.raises(ModelError, match="unpacks to 1,000,003 bytes"):
        load_baseline(make_task(), write(tmp_path, bomb), tmp_path / "out")
    monkeypatch.setattr(storage, "MAX_ARCHIVE_BYTES", 100)
    with pytest.raises(ModelError, match="larger than 100 bytes"):
        load_baseline(make_task(), write(tmp_path, bomb), tmp_path / "out")


def test_untrusted_types_are_listed_and_the_task_may_trust_them(
    make_task, make_rows, make_dataset, tmp_path
):
    code = skops.io.dumps(FunctionTransformer(func=json.dumps))
    with pytest.raises(UntrustedModelError, match=r"json\.dumps"):
        load_baseline(make_task(), write(tmp_path, code), tmp_path / "out")
    # Trees of this program's own training load; from a stranger they must be named.
    model = {"estimator": "random_forest", "parameters": {"n_estimators": 2}}
    task = make_task(model=model)
    forest = train(task, make_dataset(task, make_rows(40)), (0,), "baseline", tmp_path / "a")
    assert len(storage.load_models(task, forest)) == 1
    path = tmp_path / "a" / forest.files[0].name
    with pytest.raises(UntrustedModelError, match=r"sklearn\.tree\._tree\.Tree\."):
        load_baseline(task, path, tmp_path / "b")
    trusting = make_task(model={**model, "trusted_types": ["sklearn.tree._tree.Tree"]})
    assert load_baseline(trusting, path, tmp_path / "b").model_type == "RandomForestClassifier"


def test_every_difference_from_the_task_is_named(make_task, tmp_path):
    model = fitted(names=("kind", "price", "size", "text", "when", "zip"), labels=("bad", "fine"))
    path = write(tmp_path, skops.io.dumps(model))
    with pytest.raises(ModelMismatchError) as caught:
        load_baseline(make_task(), path, tmp_path / "out")
    for part in ("classes 'fine'", "'bad', 'good'", "not trained on 'fresh'", "needs 'zip'"):
        assert part in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_class_that_the_model_does_not_know_is_no_mismatch(make_task, tmp_path):
    path = write(tmp_path, skops.io.dumps(fitted()))
    model = load_baseline(make_task(labels=("bad", "good", "new")), path, tmp_path / "out")
    assert model.labels == ("bad", "good")


def test_what_is_no_classifier_with_named_columns_is_refused(make_task, tmp_path):
    unnamed = LogisticRegression().fit([[0.0], [1.0]], ["bad", "good"])
    with pytest.raises(ModelError, match="feature_names_in_"):
        load_baseline(make_task(), write(tmp_path, skops.io.dumps(unnamed)), tmp_path / "out")
    with pytest.raises(ModelError, match="no fitted classifier"):
        load_baseline(
            make_task(), write(tmp_path, skops.io.dumps(LogisticRegression())), tmp_path / "out"
        )
