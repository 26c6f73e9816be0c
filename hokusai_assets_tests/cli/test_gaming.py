"""Gains that are bought and not earned, on the real reviews of the example: the guards say no."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hokusai_assets.cli.app import app

EXAMPLE = Path("examples/fine_foods")
WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
Rows = list[dict[str, str]]

pytestmark = pytest.mark.slow


def reviews(name: str) -> Rows:
    with (EXAMPLE / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "home"))

    def run(task: Path, contribution: Path) -> dict[str, Any]:
        out = tmp_path / "out"
        words = ["evaluate", "--task", str(task), "--contributed-data", str(contribution)]
        words += ["--contributor-id", "mallory", "--wallet-address", WALLET]
        done = CliRunner().invoke(app, [*words, "--output-dir", str(out)])
        assert done.exit_code == 0, done.output
        (path,) = out.glob("delta_output_*.json")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    return run


def delta(found: dict[str, Any], metric: str) -> float:
    return float(found["delta_computation"]["metric_deltas"][metric]["absolute_delta"])


def guards(found: dict[str, Any]) -> dict[str, Any]:
    (clause,) = [c for c in found["decision"]["clauses"] if c["name"] == "guards"]
    return dict(clause)


def test_flipped_labels_of_one_class_that_leave_accuracy_alone_are_stopped(tmp_path, evaluate):
    rng = random.Random(3)
    rows = reviews("contribution")
    for row in rows:
        if row["score"] == "other" and rng.random() < 0.4:
            row["score"] = "great"
    found = evaluate(EXAMPLE / "task.toml", write(tmp_path / "poisoned.csv", rows))
    assert delta(found, "accuracy") > 0.005  # nothing to see there
    assert delta(found, "f1_score") > 0.01
    assert found["decision"]["verdict"] == "rejected"
    assert not guards(found)["holds"]
    assert "recall:other may have lost" in guards(found)["sentence"]


def test_f1_bought_by_half_copies_of_rare_positives_is_stopped(tmp_path, evaluate):
    known = reviews("base") + reviews("contribution")
    great = [row for row in known if row["score"] == "great"]
    other = [row for row in known if row["score"] == "other"][:120]
    scored = reviews("benchmark")
    rare = [row for row in scored if row["score"] == "other"][:210]
    write(tmp_path / "base.csv", great[:1080] + other)
    write(tmp_path / "benchmark.csv", [r for r in scored if r["score"] == "great"] + rare)
    text = (EXAMPLE / "task.toml").read_text(encoding="utf-8")
    text = text.replace('labels = ["other", "great"]', 'labels = ["great", "other"]')
    text = text.replace('class_weight = "balanced"', "# as a naive operator would have it:")
    (tmp_path / "task.toml").write_text(text, encoding="utf-8")
    rng = random.Random(5)
    copies = []
    for copy in range(4):
        for index, row in enumerate(other):
            words = row["review"].split()
            kept = sorted(rng.sample(range(len(words)), max(3, len(words) // 2)))
            review = " ".join(words[place] for place in kept)
            copies.append({**row, "review_id": f"c{copy}-{index}", "review": review})
    found = evaluate(tmp_path / "task.toml", write(tmp_path / "copies.csv", copies))
    assert delta(found, "f1_score") > 0.08
    assert delta(found, "auroc") < -0.03
    assert found["decision"]["verdict"] == "rejected"
    assert "auroc got worse" in guards(found)["sentence"]
