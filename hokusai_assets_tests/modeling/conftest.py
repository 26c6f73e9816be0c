"""A small task with every column type, and datasets of it on disk."""

import datetime
import hashlib

import numpy as np
import pyarrow as pa
import pytest

from hokusai_assets.records import ColumnSchema, Dataset
from hokusai_assets.tables import arrow_type, write_table
from hokusai_assets.task import parse_task

COLUMNS = [
    {"name": "text", "type": "text", "nullable": True},
    {"name": "kind", "type": "category", "nullable": True},
    {"name": "size", "type": "integer", "nullable": True},
    {"name": "price", "type": "number", "nullable": True},
    {"name": "fresh", "type": "boolean", "nullable": True},
    {"name": "when", "type": "timestamp", "nullable": True},
    {"name": "row", "type": "text", "role": "id"},
    {"name": "label", "type": "category", "role": "target"},
]


@pytest.fixture
def make_task():
    def make(*, labels=("bad", "good"), columns=COLUMNS, **sections):
        raw = {
            "task_schema": 1,
            "id": "small",
            "seed": 7,
            "data": {"base": "base.csv", "benchmark": "bench.csv", "labels": list(labels)},
            "columns": columns,
            **sections,
        }
        return parse_task(raw)

    return make


@pytest.fixture
def make_rows():
    """Rows whose label follows from the text and the price, with every kind of cell empty once."""

    def make(n, labels=("bad", "good"), seed=0):
        rng = np.random.default_rng(seed)
        index = rng.integers(0, len(labels), n)
        day = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
        rows = {
            "text": [f"word{i} common filler{rng.integers(9)}" for i in index],
            "kind": [f"kind{rng.integers(3)}" for _ in index],
            "size": [int(v) for v in rng.integers(0, 100, n)],
            "price": [float(i + rng.normal()) for i in index],
            "fresh": [bool(v) for v in rng.integers(0, 2, n)],
            "when": [day + datetime.timedelta(days=int(v)) for v in rng.integers(0, 99, n)],
            "row": [f"id{i}" for i in range(n)],
            "label": [labels[i] for i in index],
        }
        for position, name in enumerate(["text", "kind", "size", "price", "fresh", "when"]):
            rows[name][position] = None
        return rows

    return make


@pytest.fixture
def make_dataset(tmp_path):
    def make(task, rows, name="data"):
        n = len(rows["label"])
        columns = {c.name: pa.array(rows[c.name], arrow_type(c.type)) for c in task.kept_columns}
        digests = [hashlib.sha256(str(i).encode()).digest() for i in range(n)]
        columns["_row_digest"] = pa.array(digests, pa.binary(32))
        columns["_feature_key"] = pa.array(digests, pa.binary(32))
        columns["_source"] = pa.array(["base"] * n)
        folder = tmp_path / name
        write_table(pa.table(columns), folder)
        return Dataset(
            folder=str(folder),
            content_root="ab" * 32,
            row_count=n,
            columns=tuple(ColumnSchema(name=c.name, type=c.type) for c in task.kept_columns),
        )

    return make
