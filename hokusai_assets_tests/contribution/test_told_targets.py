"""Shaken targets: copies of a row are copies, also where the number to predict differs a little."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.references import load_base, load_benchmark
from hokusai_assets.contribution.told_targets import told_targets
from hokusai_assets.records import CleaningCounts, ContributionSource
from hokusai_assets.task import parse_task
from hokusai_assets_tests.contribution.conftest import WALLET, write_rows

NUMBERS = ({"name": "a", "type": "number"}, {"name": "b", "type": "number"})
WORDS = ({"name": "a", "type": "text"}, {"name": "b", "type": "number"})


def task_of(features: Any) -> Any:
    target = {"name": "y", "type": "number", "role": "target", "minimum": 0, "maximum": 200}
    data = {"base": "b.csv", "benchmark": "m.csv"}
    return parse_task(
        {"task_schema": 1, "id": "unit", "data": data, "columns": [*features, target]}
    )


def test_numbers_say_the_same_in_a_hundredth_of_the_range() -> None:
    told = told_targets(pa.table({"y": [0.0, 1.99, 2.0, 199.0, 200.0]}), task_of(NUMBERS))
    assert told.to_pylist() == [0, 0, 1, 99, 99]


def row(rng: random.Random, words: bool) -> dict[str, Any]:
    a: Any = round(rng.uniform(0, 100), 3)
    if words:
        a = " ".join(f"w{rng.randrange(500)}" for _ in range(12))
    return {"a": a, "b": round(rng.uniform(0, 100), 3), "y": round(rng.uniform(1, 199), 3)}


@pytest.mark.parametrize("words", [False, True])
def test_copies_with_shaken_targets_do_not_dilute_the_leaked_share(
    tmp_path: Path, words: bool
) -> None:
    """Five benchmark rows, twenty honest ones, and of one of these 2,000 shaken copies."""
    rng = random.Random(1)
    task = task_of(WORDS if words else NUMBERS)
    base, benchmark = [row(rng, words) for _ in range(60)], [row(rng, words) for _ in range(60)]
    honest = [row(rng, words) for _ in range(20)]
    copied = honest[0] | {"y": 101.0}
    shaken = [copied | {"y": 101.0 + rng.uniform(-0.9, 0.9)} for _ in range(2_000)]
    stolen = [one | {"y": 50.0} for one in benchmark[:5]]
    sent = write_rows(tmp_path / "sent.csv", [*stolen, *honest[1:], copied, *shaken])
    known = load_base(
        str(write_rows(tmp_path / "base.csv", base)), task, key=None, folder=str(tmp_path / "base")
    )
    scored = load_benchmark(
        str(write_rows(tmp_path / "benchmark.csv", benchmark)),
        task,
        known,
        key=None,
        sample=lambda table, _: table,
        folder=str(tmp_path / "benchmark"),
    )
    source = ContributionSource(path=str(sent), contributor_id="eve", wallet_address=WALLET)
    dataset = clean_contributions(
        [source], task, known, scored, key=None, folder=str(tmp_path / "clean")
    )
    counts: CleaningCounts = dataset.contributions[0].counts
    assert counts.leaked >= 5
    assert counts.kept <= 20
    assert counts.leaked / counts.distinct > 0.15
