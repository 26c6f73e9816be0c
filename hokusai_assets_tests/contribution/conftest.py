"""Fixtures of the cleaning tests: a task of every column type, and its rows in every format."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hokusai_assets.contribution.references import load_base, load_benchmark
from hokusai_assets.records import BaseDataset, BenchmarkDataset, ContributionSource
from hokusai_assets.task import Task, parse_task

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
FORMATS = ("csv", "json", "jsonl", "parquet")

Rows = Sequence[Mapping[str, Any]]


def build_task(columns: Sequence[Mapping[str, Any]] | None = None, **sections: Any) -> Task:
    """A task with an id, a text, a number and a label, or with other columns."""
    given = columns or (
        {"name": "key", "type": "text", "role": "id"},
        {"name": "note", "type": "text", "nullable": True},
        {"name": "weight", "type": "number"},
        {"name": "label", "type": "category", "role": "target"},
    )
    return parse_task(
        {
            "task_schema": 1,
            "id": "unit",
            "data": {"base": "b.csv", "benchmark": "m.csv", "labels": ["bad", "good"]},
            "columns": list(given),
            **sections,
        }
    )


def write_rows(path: Path, rows: Rows) -> Path:
    """Write rows as the format that the path's ending names; null is an empty CSV cell."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(names)
            for row in rows:
                cells = [row.get(name) for name in names]
                writer.writerow(["" if c is None else c for c in cells])
    elif path.suffix == ".json":
        path.write_text(json.dumps(list(rows)), encoding="utf-8")
    elif path.suffix == ".jsonl":
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text("".join(lines), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist([dict(r) for r in rows]), path)
    return path


def numbered(count: int, prefix: str = "r") -> list[dict[str, Any]]:
    """Rows that differ in everything."""
    return [
        {
            "key": f"{prefix}{i}",
            "note": f"{prefix} note {i}",
            "weight": i + 0.5,
            "label": "good" if i % 2 else "bad",
        }
        for i in range(count)
    ]


@pytest.fixture(scope="session")
def make_task() -> Callable[..., Task]:
    return build_task


@pytest.fixture(scope="session")
def write() -> Callable[[Path, Rows], Path]:
    return write_rows


@pytest.fixture(scope="session")
def rows() -> Callable[..., list[dict[str, Any]]]:
    return numbered


@pytest.fixture(scope="session")
def source() -> Callable[..., ContributionSource]:
    def make(path: Path, contributor: str = "alice") -> ContributionSource:
        return ContributionSource(path=str(path), contributor_id=contributor, wallet_address=WALLET)

    return make


@pytest.fixture
def reference(tmp_path: Path) -> Callable[..., tuple[BaseDataset, BenchmarkDataset]]:
    """Store base and benchmark rows as the assets do."""
    made = 0

    def make(
        task: Task,
        base: Rows,
        benchmark: Rows,
        key: bytes | None = b"key",
        sample: Callable[[Any, Task], Any] = lambda table, task: table,
    ) -> tuple[BaseDataset, BenchmarkDataset]:
        nonlocal made
        made += 1
        folder = tmp_path / f"reference{made}"
        folder.mkdir()
        stored = load_base(
            str(write_rows(folder / "b.csv", base)), task, key=key, folder=str(folder / "base")
        )
        return stored, load_benchmark(
            str(write_rows(folder / "m.csv", benchmark)),
            task,
            stored,
            key=key,
            sample=sample,
            folder=str(folder / "benchmark"),
        )

    return make
