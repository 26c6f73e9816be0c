"""The frame that a model sees: features only, every cell a value, nothing of who gave the row."""

import datetime
import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from hokusai_assets.modeling.frames import feature_frame, targets
from hokusai_assets.tables import arrow_type, read_table

UTC = datetime.UTC
CELLS = {
    "text": ["tea", "", None],
    "kind": [None, "box", "bag"],
    "size": [3, None, -7],
    "price": [None, 0.1, math.inf],
    "fresh": [True, False, None],
    "when": [datetime.datetime(1970, 1, 1, 0, 1, 0, 250_000, UTC), None, None],
    "row": ["a", "b", "c"],
    "label": ["bad", "good", "bad"],
}


@pytest.fixture
def make_table(make_task):
    def make(task=None, **changes):
        task = task or make_task()
        cells = {**CELLS, **changes}
        return pa.table(
            {c.name: pa.array(cells[c.name], arrow_type(c.type)) for c in task.kept_columns}
        )

    return make


@pytest.fixture
def frame(make_task, make_table):
    def make(**changes):
        return feature_frame(make_task(), make_table(**changes))

    return make


def test_only_features_come_through_and_each_under_its_name(make_task, make_table):
    task = make_task()
    own = {"_row_digest": ["x"] * 3, "_source": ["alice"] * 3, "_feature_key": ["y"] * 3}
    table = make_table()
    for name, cells in own.items():
        table = table.append_column(name, pa.array(cells))
    found = feature_frame(task, table)
    assert list(found.columns) == [column.name for column in task.features]
    assert set(found.columns) == {"text", "kind", "size", "price", "fresh", "when"}
    assert len(found) == 3


def test_groups_and_ids_never_reach_a_model(make_task):
    columns = [
        {"name": "author", "type": "category", "role": "group", "nullable": True},
        {"name": "row", "type": "text", "role": "id"},
        {"name": "size", "type": "integer"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    table = pa.table({"author": ["x", None], "row": ["a", "b"], "size": [1, 2], "label": ["", ""]})
    assert feature_frame(make_task(columns=columns), table).to_dict("list") == {"size": [1.0, 2.0]}


def test_columns_are_found_by_name_and_not_by_place(make_task, make_table):
    task, table = make_task(), make_table()
    turned = table.select(table.column_names[::-1])
    assert feature_frame(task, turned).equals(feature_frame(task, table))


@pytest.mark.parametrize("name", ["text", "kind"])
def test_empty_text_and_categories_are_the_empty_text(frame, name):
    cells = frame()[name]
    assert cells.dtype == object
    assert cells.tolist() == [cell or "" for cell in CELLS[name]]
    assert all(type(cell) is str for cell in cells)


def test_numbers_are_floats_and_nan_where_empty(frame):
    found = frame()
    for name in ("size", "price", "fresh", "when"):
        assert found[name].dtype == np.float64
        empty = [cell is None for cell in CELLS[name]]
        assert np.isnan(found[name]).tolist() == empty
    assert found["size"].tolist()[::2] == [3.0, -7.0]
    assert found["price"].tolist()[1:] == [0.1, math.inf]
    assert found["fresh"].tolist()[:2] == [1.0, 0.0]


def test_timestamps_are_seconds_since_1970_to_the_microsecond(frame):
    moments = [
        datetime.datetime(1970, 1, 1, tzinfo=UTC),
        datetime.datetime(1969, 12, 31, 23, 59, 58, 500_000, UTC),
        datetime.datetime(2099, 12, 31, 23, 59, 59, 999_999, UTC),
    ]
    found = frame(when=moments)["when"].tolist()
    assert found[:2] == [0.0, -1.5]
    back = moments[0] + datetime.timedelta(microseconds=round(Fraction(found[2]) * 10**6))
    assert back == moments[2]


def test_integers_past_2_to_the_53_are_rounded_and_not_refused(frame):
    large = 2**53 + 1
    assert frame(size=[large, -large, 2**63 - 1])["size"].tolist() == [2.0**53, -(2.0**53), 2.0**63]


def test_a_column_may_be_empty_throughout(frame):
    nothing = [None] * 3
    found = frame(text=nothing, size=nothing, fresh=nothing, when=nothing)
    assert found["text"].tolist() == ["", "", ""]
    assert found[["size", "fresh", "when"]].isna().all(axis=None)


def test_a_table_of_several_chunks_keeps_its_order(make_task, make_table):
    task, table = make_task(), make_table()
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)])
    assert chunked.column("text").num_chunks > 1
    assert feature_frame(task, chunked).equals(feature_frame(task, table))
    assert targets(task, chunked).tolist() == CELLS["label"]


def test_a_table_without_rows_has_every_column_and_no_row(make_task, make_table):
    empty = make_table(**{name: [] for name in CELLS})
    found = feature_frame(make_task(), empty)
    assert found.shape == (0, 6)
    assert [found[name].dtype.kind for name in ("text", "size", "when")] == ["O", "f", "f"]
    assert targets(make_task(), empty).shape == (0,)


def test_rows_from_disk_are_those_that_were_stored(make_task, make_rows, make_dataset):
    task, rows = make_task(), make_rows(30)
    table = read_table(make_dataset(task, rows).folder)
    found = feature_frame(task, table)
    assert found["text"].tolist() == ["", *rows["text"][1:]]
    for name in ("size", "price"):
        expected = [math.nan if cell is None else float(cell) for cell in rows[name]]
        np.testing.assert_array_equal(found[name], expected)
    assert found["when"].tolist()[0] == rows["when"][0].timestamp()
    assert targets(task, table).tolist() == rows["label"]


@pytest.mark.parametrize(
    ("labels", "type_", "cells"),
    [(("bad", "good"), "category", ["good", "bad"]), ((0, 1, 2), "integer", [2, 0, 2, 1])],
)
def test_targets_are_labels_as_the_task_writes_them(make_task, labels, type_, cells):
    columns = [
        {"name": "size", "type": "number"},
        {"name": "label", "type": type_, "role": "target"},
    ]
    task = make_task(labels=labels, columns=columns)
    table = pa.table({"size": [0.0] * len(cells), "label": pa.array(cells, arrow_type(type_))})
    found = targets(task, table)
    assert (found.dtype, found.tolist()) == (np.dtype(object), cells)
    assert {type(label) for label in found} == {type(labels[0])}
