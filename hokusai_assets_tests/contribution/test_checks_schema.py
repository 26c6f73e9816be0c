"""The pandera schema finds in stored data what typing would have refused, without cells."""

import datetime

import pyarrow as pa
import pytest

from hokusai_assets.contribution.checks_schema import (
    pandera_schema,
    stored_violations,
    violations,
)
from hokusai_assets.digests import content_root, row_digests
from hokusai_assets.records import Dataset
from hokusai_assets.tables import write_table

NOW = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
COLUMNS = [
    {"name": "note", "type": "text", "nullable": True, "max_null_share": 0.3},
    {"name": "weight", "type": "number", "minimum": 0, "maximum": 10},
    {"name": "count", "type": "integer", "required": False},
    {"name": "late", "type": "boolean", "nullable": True},
    {"name": "when", "type": "timestamp"},
    {"name": "size", "type": "category", "allowed": ["S", "M"]},
    {"name": "label", "type": "category", "role": "target"},
]
TYPES = {
    "note": pa.string(),
    "weight": pa.float64(),
    "count": pa.int64(),
    "late": pa.bool_(),
    "when": pa.timestamp("us", "UTC"),
    "size": pa.string(),
    "label": pa.string(),
}
GOOD = {
    "note": ["a", None, "c", "d"],
    "weight": [0.0, 2.5, 10.0, 4.0],
    "count": [1, None, 2**63 - 1, 4],
    "late": [True, None, False, True],
    "when": [NOW] * 4,
    "size": ["S", "M", "S", "S"],
    "label": ["bad", "good", "bad", "good"],
}


def table_of(types=None, **changes):
    kinds = TYPES | (types or {})
    return pa.table({name: pa.array(c, kinds[name]) for name, c in (GOOD | changes).items()})


@pytest.fixture
def broken(make_task):
    def run(table):
        found = violations(make_task(COLUMNS), table)
        return {(v.column, v.reason): (v.count, v.first_rows) for v in found}

    return run


def test_good_data_break_nothing(broken):
    assert broken(table_of()) == {}
    assert broken(table_of().append_column("_source", pa.array(["x"] * 4))) == {}


def test_every_violation_is_reported_at_once(broken):
    found = broken(
        table_of(
            note=["a", None, None, "c"],
            weight=[-1.0, None, 11.0, 2.0],
            when=[NOW, None, NOW, NOW],
            size=["S", "XXL secret", "S", "secret"],
            label=["bad", "worse", None, "good"],
        )
    )
    assert found == {
        ("note", "more than 30.00% of the cells are empty"): (1, ()),
        ("weight", "below 0"): (1, (1,)),
        ("weight", "above 10"): (1, (3,)),
        ("weight", "empty"): (1, (2,)),
        ("when", "empty"): (1, (2,)),
        ("size", "not one of the task's allowed texts"): (2, (2, 4)),
        ("label", "not one of the task's labels"): (1, (2,)),
        ("label", "empty"): (1, (3,)),
    }


@pytest.mark.filterwarnings("ignore:The behavior of DataFrame concat:FutureWarning")
def test_wrong_types_and_missing_columns_are_named(broken):
    found = broken(
        table_of(
            {"count": pa.string(), "when": pa.string(), "note": pa.int64(), "weight": pa.string()},
            count=["1", "2", "3", "4"],
            when=["x"] * 4,
            note=[1, 2, 3, 4],
            weight=["secret"] * 4,
        ).drop(["label"])
    )
    assert ("label", "the column is missing") in found
    assert ("count", "not of the type Int64") in found
    assert ("when", "not of the type datetime64[us, UTC]") in found
    assert ("weight", "not of the type float64") in found
    assert found["note", "is not text"] == (4, (1, 2, 3, 4))
    assert "secret" not in str(found)


def test_only_the_first_rows_are_listed(broken):
    columns = {name: list(cells) * 25 for name, cells in GOOD.items()}
    found = broken(table_of(**columns | {"label": ["worse"] * 100}))
    assert found == {("label", "not one of the task's labels"): (100, (1, 2, 3, 4, 5))}


def test_rows_are_numbered_as_in_the_file_where_that_is_stored(broken):
    table = table_of(label=["bad", "worse", "bad", "worse"])
    numbered = table.append_column("_row_number", pa.array([40, 30, 20, 10], pa.int64()))
    assert broken(numbered) == {("label", "not one of the task's labels"): (2, (10, 30))}


def test_a_dataset_is_read_and_reported_in_phrases(tmp_path, make_task):
    table = table_of(label=["bad", "secret", "bad", "bad"])
    write_table(table, tmp_path / "d")
    task = make_task(COLUMNS)
    cells = {c.name: table.column(c.name).to_pylist() for c in task.content_columns}
    root = content_root(row_digests(cells))
    dataset = Dataset(folder=str(tmp_path / "d"), content_root=root, row_count=4, columns=())
    label = "column 'label': not one of the task's labels (1 row: 2)"
    assert stored_violations(task, dataset) == [label]
    other = dataset.model_copy(update={"content_root": "00" * 32})
    assert stored_violations(task, other) == [
        label,
        "the stored rows are not those that are recorded (their content root)",
    ]
    fewer = dataset.model_copy(update={"row_count": 5})
    assert stored_violations(task, fewer) == [label, "4 rows are stored, 5 are recorded"]


def test_ids_that_must_differ_are_compared_over_all_parts(tmp_path, make_task):
    ids = {"name": "id", "type": "text", "role": "id", "unique": True}
    first = table_of().append_column("id", pa.array(["a", "b", "c", "secret"]))
    second = table_of().append_column("id", pa.array(["d", "secret", "b", "e"]))
    for place, table in enumerate((first, second)):
        write_table(table, tmp_path / "d", place)
    cells = {
        name: [*first.column(name).to_pylist(), *second.column(name).to_pylist()] for name in TYPES
    }
    dataset = Dataset(
        folder=str(tmp_path / "d"),
        content_root=content_root(row_digests(cells)),
        row_count=8,
        columns=(),
    )
    assert stored_violations(make_task([*COLUMNS, ids]), dataset) == [
        "column 'id': shares its id with another row (4 rows: 2, 4, 6, 7)"
    ]
    assert stored_violations(make_task([*COLUMNS, ids | {"unique": False}]), dataset) == []


def test_the_schema_is_a_pandera_schema_of_the_kept_columns(make_task):
    ignored = {"name": "noise", "type": "text", "role": "ignore"}
    schema = pandera_schema(make_task([*COLUMNS, ignored]))
    assert set(schema.columns) == set(TYPES)
    assert schema.columns["note"].nullable and not schema.columns["weight"].nullable
    assert schema.columns["count"].nullable  # optional, so it may be absent from a file
