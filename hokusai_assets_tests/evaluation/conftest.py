"""Benchmarks on disk, and predictions that fix and break a known number of rows."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest

from hokusai_assets.records import (
    BenchmarkDataset,
    CleaningCounts,
    DataManifest,
    SourceFile,
)
from hokusai_assets.scoring import Predictions
from hokusai_assets.tables import write_table
from hokusai_assets.task import parse_task


@pytest.fixture
def make_task():
    def make(labels=("bad", "good"), group=False, with_id=False, **sections):
        columns = [
            {"name": "text", "type": "text"},
            {"name": "label", "type": "category", "role": "target"},
        ]
        if group:
            columns.append(
                {"name": "author", "type": "category", "role": "group", "nullable": True}
            )
        if with_id:
            columns.append({"name": "row", "type": "text", "role": "id"})
        return parse_task(
            {
                "task_schema": 1,
                "id": "small",
                "seed": 7,
                "data": {"base": "b.csv", "benchmark": "c.csv", "labels": list(labels)},
                "columns": columns,
                **sections,
            }
        )

    return make


def digest(text):
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def make_benchmark(tmp_path):
    def make(task, truth, groups=None, name="bench"):
        labels = [task.data.labels[i] for i in truth]
        columns = {
            "text": pa.array([f"t{i}" for i in range(len(truth))]),
            "label": pa.array(labels),
            "_row_digest": pa.array([digest(f"t{i}") for i in range(len(truth))], pa.binary(32)),
        }
        if groups is not None:
            columns["author"] = pa.array(groups, pa.string())
        write_table(pa.table(columns), tmp_path / name)
        counts = {str(x): labels.count(x) for x in task.data.labels}
        source = SourceFile(name="c.csv", size_bytes=1, modified="", format="csv", encoding=None)
        manifest = DataManifest(
            source=source,
            data_hash="0" * 64,
            row_count=len(truth),
            column_count=2,
            columns=(),
            null_counts={},
            unique_counts={},
            dropped_columns=(),
            rejections=(),
            pii=(),
            pii_policy="",
            counts=CleaningCounts(read=len(truth), kept=len(truth)),
        )
        return BenchmarkDataset(
            folder=str(tmp_path / name),
            content_root="cd" * 32,
            row_count=len(truth),
            columns=(),
            manifest=manifest,
            content_root_received="ef" * 32,
            left_out_exact=0,
            left_out_normalised=0,
            near_base=0,
            sampled_from=len(truth),
            class_counts=counts,
        )

    return make


@pytest.fixture
def example():
    """3,000 rows of two classes, of which the candidate fixes 285 and breaks 187."""
    rng = np.random.default_rng(12)
    truth = (rng.random(3_000) < 0.6).astype(np.int64)
    right = rng.permutation(3_000)
    base, cand = truth.copy(), truth.copy()
    base[right[:285]] = 1 - base[right[:285]]
    cand[right[285:472]] = 1 - cand[right[285:472]]
    both = right[472:900]
    base[both], cand[both] = 1 - base[both], 1 - cand[both]

    def scores(labels):
        return (300_000 + 400_000 * labels + rng.integers(-250_000, 250_000, 3_000))[None, :, None]

    return truth, Predictions(base[None], scores(base)), Predictions(cand[None], scores(cand))
