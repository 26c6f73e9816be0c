"""The task file: every mistake is named, and the digest covers the meaning and nothing else."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from hokusai_assets.errors import TaskError
from hokusai_assets.task import DEFAULT_SEED, Task, load_task, parse_task, task_json_schema

ROOT = Path(__file__).parents[1]
RAW = {
    "task_schema": 1,
    "id": "reviews",
    "data": {"base": "b.csv", "benchmark": "m.csv", "labels": ["bad", "good"]},
    "columns": [
        {"name": "key", "type": "text", "role": "id"},
        {"name": "text", "type": "text"},
        {"name": "price", "type": "number", "minimum": 0},
        {"name": "shop", "type": "category", "role": "group"},
        {"name": "noise", "type": "text", "role": "ignore"},
        {"name": "label", "type": "category", "role": "target"},
    ],
}


def changed(**sections):
    raw = copy.deepcopy(RAW)
    for name, value in sections.items():
        if isinstance(value, dict) and isinstance(raw.get(name), dict):
            raw[name].update(value)
        else:
            raw[name] = value
    return raw


def with_column(which, /, **changes):
    raw = copy.deepcopy(RAW)
    for column in raw["columns"]:
        if column["name"] == which:
            column.update(changes)
    return raw


def test_roles_and_defaults():
    task = parse_task(RAW)
    assert [c.name for c in task.features] == ["price", "text"]
    assert (task.target.name, task.id_column.name, task.group_column.name) == (
        "label",
        "key",
        "shop",
    )
    assert [c.name for c in task.content_columns] == ["label", "price", "shop", "text"]
    assert [c.name for c in task.kept_columns] == ["key", "label", "price", "shop", "text"]
    assert (task.model_id, task.lineage) == ("reviews", "reviews")
    assert task.weights == dict.fromkeys(task.metrics.included, 0.2)
    assert task.decision.min_benchmark_rows == 2000 and task.merge.strategy == "append"
    bare = parse_task(changed(columns=RAW["columns"][1:2] + RAW["columns"][-1:]))
    assert bare.id_column is None and bare.group_column is None


def test_weights_are_normalised():
    metrics = {"included": ["accuracy", "auroc"], "weights": {"accuracy": 3, "auroc": 1}}
    assert parse_task(changed(metrics=metrics)).weights == {"accuracy": 0.75, "auroc": 0.25}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (changed(idd="x"), "unknown key 'idd'; did you mean 'id'"),
        (changed(metrics={"primry": "x"}), "unknown key 'metrics.primry'; did you mean 'primary'"),
        (changed(merge={"zzz": 1}), "unknown key 'merge.zzz'; known: strategy"),
        (with_column("text", tpye="x"), r"unknown key 'columns\[1\].tpye'; did you mean 'type'"),
        (changed(task_schema=2), "task_schema"),
        (changed(id="../x"), "id: "),
        (with_column("text", type="string"), "columns.1.type"),
        (with_column("text", name="price"), "column 'price' is defined more than once"),
        (with_column("text", name="_source"), "start with an underscore"),
        (with_column("noise", role="id"), "2 columns have the role id"),
        (with_column("label", role="feature"), "0 columns have the role target"),
        (with_column("text", minimum=1), "'text' has bounds but is of type text"),
        (with_column("price", allowed=["1"]), "'price' lists allowed texts"),
        (with_column("label", nullable=True), "target and cannot be nullable"),
        (with_column("label", type="boolean"), "it must be category, text or integer"),
        (with_column("label", type="integer"), "must all be of the target's type"),
        (changed(data={"labels": ["bad"]}), "data.labels"),
        (changed(data={"labels": ["bad", "bad"]}), "holds a label twice"),
        (changed(metrics={"included": ["auroc"]}), "'accuracy' is not in metrics.included"),
        (changed(metrics={"included": ["accuracy", "accuracy"]}), "names a metric twice"),
        (changed(metrics={"primary": "precision"}), "cannot be precision"),
        (changed(metrics={"primary": "f1_score"}), "cannot be f1_score"),
        (
            changed(
                metrics={"primary": "recall"},
                data={"base": "b", "benchmark": "c", "labels": ["a", "b", "c"]},
            ),
            "cannot be recall with more than two labels",
        ),
        (
            changed(metrics={"primary": "log_loss", "included": ["log_loss"]}),
            "cannot be log_loss: its test has not been simulated",
        ),
        (
            changed(metrics={"primary": "balanced_accuracy", "included": ["balanced_accuracy"]}),
            "cannot be balanced_accuracy: its test errs too often",
        ),
        (changed(metrics={"weights": {"accuracy": 1}}), "must name exactly"),
        (changed(merge={"strategy": "update"}), "merge.key must name the id column"),
        (changed(merge={"strategy": "update", "key": "text"}), "merge.key must name the id"),
        (changed(guards={"margins": {"recall:gud": 2}}), "did you mean 'recall:good'"),
        (changed(guards={"margins": {"auroc": 0}}), "above 0 and at most 100"),
        (changed(privacy={"action": "hide"}), "privacy.action"),
        (changed(seed=-1), "seed"),
        (changed(mint={"modelid": "7"}), "unknown key 'mint.modelid'; did you mean 'model_id'"),
        (changed(mint={"model_id": 7}), "mint.model_id"),
        (changed(mint={"model_id": "07"}), "mint.model_id"),
        (changed(mint={"model_id": "0"}), "mint.model_id"),
        (changed(mint={"model_id": "0x7"}), "mint.model_id"),
        (changed(mint={"spec_id": "a\nb"}), "mint.spec_id"),
        (changed(mint={"score_basis": "both"}), "mint.score_basis"),
        (changed(mint={"max_cost_usd_micro": "7800"}), "mint.max_cost_usd_micro"),
        (changed(mint={"actual_cost_usd_micro": True}), "mint.actual_cost_usd_micro"),
        (changed(mint={"actual_cost_usd_micro": -1}), "mint.actual_cost_usd_micro"),
        (changed(mint={"chain_id": 0}), "mint.chain_id"),
        (changed(mint={"reveal_live_scores": 1}), "mint.reveal_live_scores"),
        (changed(mint={"verifying_contract": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"}), "EIP"),
        (changed(mint={"verifying_contract": "0x" + "0" * 40}), "zero address"),
    ],
)
def test_mistakes_are_named(raw, message):
    with pytest.raises(TaskError, match=message) as caught:
        parse_task(raw, "task.toml")
    assert "task.toml" in str(caught.value) and caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("auroc", "up to 88 times as often as a level of 3e-5 allows"),
        ("balanced_accuracy", "up to 102 times"),
        ("log_loss", "has not been simulated"),
    ],
)
def test_a_metric_whose_test_errs_cannot_be_primary_and_its_number_is_said(metric, said):
    included = {"included": ["accuracy", metric], "primary": metric}
    with pytest.raises(
        TaskError, match=f"cannot be {metric}: .*{said}.* beside accuracy or recall"
    ):
        parse_task(changed(metrics=included))
    beside = parse_task(changed(metrics=included | {"primary": "accuracy"}))
    assert metric in beside.metrics.included


def test_all_mistakes_are_listed_at_once():
    raw = changed(metrics={"primary": "precision"}, guards={"margins": {"auroc": 0}})
    with pytest.raises(TaskError) as caught:
        parse_task(raw)
    assert "cannot be precision" in str(caught.value) and "above 0" in str(caught.value)
    with pytest.raises(TaskError, match="wrong in 2 places"):
        parse_task(changed(one=1, two=2))


DIGEST = parse_task(RAW).digest


@pytest.mark.parametrize(
    "raw",
    [
        changed(title="shown to people"),
        changed(data={"base": "elsewhere.parquet", "benchmark": "s3://b/m.json"}),
        changed(columns=RAW["columns"][::-1]),
        changed(seed=DEFAULT_SEED),
        changed(model={"id": "reviews"}, benchmark={"lineage": "reviews"}),
        changed(decision={"min_delta_bps": 100}),
        changed(metrics={"weights": dict.fromkeys(parse_task(RAW).metrics.included, 7)}),
        changed(merge={}),
        changed(mint={}),
        changed(mint={"model_id": "7", "score_basis": "measured", "actual_cost_usd_micro": 9}),
        changed(mint={"reveal_live_scores": True}),
        with_column("price", minimum=0.0),
        with_column("text", description="words", required=True),
    ],
)
def test_what_means_the_same_has_the_same_digest(raw):
    assert parse_task(raw).digest == DIGEST


@pytest.mark.parametrize(
    "raw",
    [
        changed(id="other"),
        changed(seed=7),
        changed(data={"labels": ["good", "bad"]}),
        with_column("price", minimum=0.5),
        with_column("text", nullable=True),
        with_column("noise", role="feature"),
        changed(model={"estimator": "random_forest"}),
        changed(model={"parameters": {"C": 4.0}}),
        changed(decision={"min_delta_bps": 101}),
        changed(privacy={"detectors": {"email": "mask"}}),
        changed(merge={"strategy": "replace"}),
    ],
)
def test_what_means_something_else_has_another_digest(raw):
    assert parse_task(raw).digest != DIGEST


def test_the_seed_stays_or_is_filled_in():
    assert parse_task(changed(seed=7)).seeded(9).seed == 7
    assert parse_task(RAW).seeded(9).seed == 9
    assert parse_task(RAW).seeded(DEFAULT_SEED).digest == DIGEST


def test_typed_numbers_written_differently_mean_the_same():
    one, other = (
        parse_task(changed(decision={"max_leaked_share": share}, guards={"margins": {"auroc": m}}))
        for share, m in ((0, 2), (0.0, 2.0))
    )
    assert one.digest == other.digest


TOML = """
task_schema = 1
id = "reviews"
[data]
base = "b.csv"
benchmark = "/data/m.csv"
labels = ["bad", "good"]
[[columns]]
name = "text"
type = "text"
[[columns]]
name = "label"
type = "category"
role = "target"
"""


def test_a_file_is_loaded_with_paths_relative_to_it(tmp_path):
    (tmp_path / "task.toml").write_text(TOML, encoding="utf-8")
    loaded = load_task(tmp_path / "task.toml", default_seed=5)
    assert loaded.base == str(tmp_path / "b.csv")
    assert loaded.benchmark == "/data/m.csv"
    assert loaded.task.seed == 5
    (tmp_path / "task.toml").write_text(TOML.replace('"b.csv"', '"s3://bucket/b.csv"'))
    assert load_task(tmp_path / "task.toml").base == "s3://bucket/b.csv"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"id = ", "not valid TOML"), (b"id = '\xff'", "cannot be read"), (b"x = 1", "unknown key")],
)
def test_broken_files_are_task_errors(tmp_path, content, message):
    path = tmp_path / "task.toml"
    path.write_bytes(content)
    with pytest.raises(TaskError, match=message):
        load_task(path)
    with pytest.raises(TaskError, match="There is no task file"):
        load_task(tmp_path / "none.toml")


def test_the_json_schema_accepts_what_the_code_accepts():
    schema = task_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    example = load_task(ROOT / "examples" / "fine_foods" / "task.toml").task
    for raw in (RAW, json.loads(example.model_dump_json(exclude_none=True))):
        assert list(validator.iter_errors(raw)) == []
    assert list(validator.iter_errors(changed(idd="x")))
    assert set(schema["properties"]) == set(Task.model_fields)


def test_the_digest_of_this_task_is_what_it_was_before_tasks_could_mint():
    assert DIGEST == "fa4f62befc63b48d64421702b4f90d66528e8632929e841c0a38579fd8e99db0"


def test_what_is_minted_is_typed():
    contract = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
    mint = parse_task(changed(mint={"model_id": "7", "verifying_contract": contract})).mint
    assert mint.verifying_contract == "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    assert (mint.model_id, mint.score_basis, mint.reveal_live_scores) == ("7", None, False)
