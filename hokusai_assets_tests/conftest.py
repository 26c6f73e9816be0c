"""Fixtures that many tests share: a clean environment and one small task with files."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OTHER_WALLET = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"

TASK = """
task_schema = 1
id = "small"
seed = 7

[data]
base = "base.csv"
benchmark = "benchmark.csv"
labels = ["bad", "good"]

[[columns]]
name = "key"
type = "text"
role = "id"

[[columns]]
name = "note"
type = "text"
nullable = true
max_null_share = 0.5

[[columns]]
name = "weight"
type = "number"
minimum = 0
maximum = 100

[[columns]]
name = "label"
type = "category"
role = "target"

[model.parameters]
max_iter = 500

[decision]
min_benchmark_rows = 300
"""

_GOOD = "lovely fresh tasty crisp sweet bright kind warm rich fine".split()
_BAD = "stale bitter broken dull sour cold thin burnt bland sad".split()
_ANY = "box bag tea cup day shop price order week friend table plate".split()


def make_rows(count: int, seed: int, prefix: str) -> list[dict[str, str]]:
    """Rows of the small task: words say the label most of the time, the weight a little."""
    rng = random.Random(seed)
    rows = []
    for index in range(count):
        good = rng.random() < 0.55
        own, other = (_GOOD, _BAD) if good else (_BAD, _GOOD)
        words = [rng.choice(own if rng.random() < 0.6 else other) for _ in range(4)]
        words += [rng.choice(_ANY) for _ in range(6)] + [f"w{rng.randrange(400)}"]
        rng.shuffle(words)
        rows.append(
            {
                "key": f"{prefix}{index}",
                "note": " ".join(words),
                "weight": f"{rng.uniform(20, 60) + (8 if good else 0):.3f}",
                "label": "good" if good else "bad",
            }
        )
    return rows


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as CSV."""
    import csv

    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass(frozen=True)
class SmallTask:
    """A folder with a task and its files."""

    folder: Path

    @property
    def task(self) -> Path:
        return self.folder / "task.toml"

    @property
    def contribution(self) -> Path:
        return self.folder / "contribution.csv"

    def inputs(self, **changes: Any) -> dict[str, Any]:
        """Configuration of the inputs resource."""
        return {
            "mode": "files",
            "task": str(self.task),
            "contributions": [
                {
                    "path": str(self.contribution),
                    "contributor_id": "alice",
                    "wallet_address": WALLET,
                }
            ],
            **changes,
        }


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the developer's machine reaches a test; nothing is stored in the tree."""
    from hokusai_assets.settings import VARIABLES

    sys.setrecursionlimit(1000)  # a library for Ethereum raises it wherever it is imported
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "home"))
    dagster_home = tmp_path / "home" / "dagster"
    dagster_home.mkdir(parents=True)
    shutil.copy(ROOT / "hokusai_assets" / "defs" / "dagster.yaml", dagster_home)
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))


@pytest.fixture(autouse=True)
def one_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would go to a second process is done in the test's own, which has its libraries.

    Starting one a test would import them each time. Whole processes start theirs all the same,
    and so do the tests that are about it.
    """
    from hokusai_assets import second_process

    if "second_process" not in request.node.keywords:
        monkeypatch.setattr(second_process, "start", lambda meanwhile=(): None)


@pytest.fixture
def small(tmp_path: Path) -> SmallTask:
    """A task with 120 base, 400 benchmark and 300 contributed rows."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "task.toml").write_text(TASK)
    write_csv(folder / "base.csv", make_rows(120, 1, "b"))
    write_csv(folder / "benchmark.csv", make_rows(400, 2, "t"))
    write_csv(folder / "contribution.csv", make_rows(300, 3, "c"))
    return SmallTask(folder)


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of the environment as a whole process, from the project's root."""

    def run(*words: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> Any:
        program = Path(sys.executable).parent / words[0]
        return subprocess.run(
            [str(program), *words[1:]],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            timeout=300,
            check=False,
        )

    return run


@dataclass(frozen=True)
class Evaluated:
    """The records of one evaluation of the small task, with two contributors."""

    outputs: Path
    records: dict[str, Any]

    def __getitem__(self, asset: str) -> Any:
        return self.records[asset]


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """One evaluation, made once: for tests that look at its records and change copies of them."""
    import dagster as dg

    from hokusai_assets.defs.build import ALL_ASSETS
    from hokusai_assets.defs.resources.inputs import ContributionConfig, InputsResource
    from hokusai_assets.defs.resources.ledger import LedgerResource
    from hokusai_assets.defs.resources.outputs import OutputsResource
    from hokusai_assets.defs.resources.signer import SignerResource
    from hokusai_assets.defs.resources.tracking import TrackingResource

    root = tmp_path_factory.mktemp("evaluated")
    (root / "task.toml").write_text(TASK)
    write_csv(root / "base.csv", make_rows(120, 1, "b"))
    write_csv(root / "benchmark.csv", make_rows(400, 2, "t"))
    first = make_rows(200, 3, "c")
    first[4]["note"] += " call +1 202-555-0143"
    first[5] = dict(first[6])
    write_csv(root / "first.csv", first)
    write_csv(root / "second.csv", make_rows(100, 4, "d"))
    inputs = InputsResource(
        mode="files",
        task=str(root / "task.toml"),
        contributions=[
            ContributionConfig(
                path=str(root / "first.csv"), contributor_id="alice", wallet_address=WALLET
            ),
            ContributionConfig(
                path=str(root / "second.csv"), contributor_id="bob", wallet_address=OTHER_WALLET
            ),
        ],
    )
    outputs = OutputsResource(output_dir=str(root / "out"), storage_url=str(root / "store"))
    result = dg.materialize_to_memory(
        ALL_ASSETS,
        resources={
            "inputs": inputs,
            "outputs": outputs,
            "tracking": TrackingResource(backend="none", inputs=inputs, outputs=outputs),
            "ledger": LedgerResource(),
            "signer": SignerResource(inputs=inputs),
        },
    )
    names = [asset.key.path[-1] for asset in ALL_ASSETS]
    return Evaluated(root / "out", {name: result.output_for_node(name) for name in names})
