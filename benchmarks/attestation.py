"""Leaves and root of a million rows, and what the bundle adds to an evaluation of 10,000.

`python -m benchmarks.attestation`. Memory is a process's whole, with the rows that it is given.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.statistics import scored_rows

ROOT = Path(__file__).parents[1]
MILLION, LIMIT_SECONDS, LIMIT_MB = 1_000_000, 15, 500
LIMIT_START, LIMIT_VERIFY = 0.5, 1
ROWS, LIMIT_SHARE, LIMIT_PUBLIC, LIMIT_LEAVES = 10_000, 0.1, 100_000, 1_000_000

RULE: dict[str, Any] = {"included": ["accuracy", "auroc"], "guards": []}

TASK = """
task_schema = 1
id = "bench"
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
[[columns]]
name = "label"
type = "category"
role = "target"
"""


def write_and_read(rows: int) -> None:
    """Print the seconds that leaves take to write and to read, the peak, and bytes a row."""
    from hokusai_assets.attestation.rows.leaves import leaf_lines, write_leaves
    from hokusai_assets.attestation.rows.reading import read_leaves
    from hokusai_assets.attestation.rows.references import leaf_secret

    digests = sorted(hashlib.sha256(b"%d" % i).digest() for i in range(rows))
    scored = dataclasses.replace(scored_rows(rows), row_digests=digests)
    secret = leaf_secret(b"a secret of thirty-two bytes....", "ab" * 32)
    ids = [f"row-{i}" for i in range(rows)]
    with tempfile.TemporaryFile() as stream:
        started = time.perf_counter()
        lines = leaf_lines(scored, RULE, secret, classes=2, ids=ids, groups=None)
        root = write_leaves(lines, stream, hides=True)
        taken, size = time.perf_counter() - started, stream.tell()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        stream.seek(0)
        started = time.perf_counter()
        assert read_leaves(stream, "leaves", classes=2, guarded=()).root == root.root
        reading = time.perf_counter() - started
    print(
        f"{rows:,} leaves and root: {taken:.1f} s (at most {LIMIT_SECONDS}), peak {peak:.0f} MB "
        f"(at most {LIMIT_MB}), {size / rows:.0f} bytes a row; read back in {reading:.1f} s"
    )


def _rows(count: int, seed: int) -> Iterator[dict[str, str]]:
    draw = random.Random(seed)
    for index in range(count):
        good = draw.random() < 0.55
        low, high = (0, 900) if good else (600, 1500)
        words = [f"w{draw.randrange(low, high)}" for _ in range(30)]
        yield {
            "key": f"{seed}-{index}",
            "note": " ".join(words),
            "label": "good" if good else "bad",
        }


def evaluated(rows: int, folder: Path) -> tuple[float, float, Path]:
    """Seconds of an evaluation with `rows` benchmark rows, those of its bundle, and the bundle."""
    from hokusai_assets.defs import results
    from hokusai_assets.defs.running import evaluate

    (folder / "task.toml").write_text(TASK)
    for name, count, seed in (("base", 2_000, 1), ("benchmark", rows, 2), ("added", 6_000, 3)):
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, ["key", "note", "label"])
            writer.writeheader()
            writer.writerows(_rows(count, seed))
    spent = []
    original = results.staged

    @contextmanager
    def timed(output_dir: str, run_id: str) -> Iterator[Any]:
        started = time.perf_counter()
        with original(output_dir, run_id) as stage:
            yield stage
        spent.append(time.perf_counter() - started)

    contribution = {
        "path": str(folder / "added.csv"),
        "contributor_id": "alice",
        "wallet_address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    }
    config = {
        "inputs": {
            "mode": "files",
            "task": str(folder / "task.toml"),
            "contributions": [contribution],
        },
        "outputs": {"output_dir": str(folder / "out"), "storage_url": str(folder / "store")},
        "tracking": {"backend": "none"},
    }
    results.staged = timed
    try:
        started = time.perf_counter()
        outcome = evaluate(config, dry_run=False, progress=lambda step, state: None)
        whole = time.perf_counter() - started
    finally:
        results.staged = original
    assert outcome.evaluation is not None, outcome.message
    return whole, spent[0], Path(outcome.evaluation.attestation.bundle_path)


def cpu_seconds(word: str) -> float:
    """Least CPU of three runs of `hokusai verify` with a word, in processes of their own."""
    command = [str(Path(sys.executable).parent / "hokusai"), "verify", word]
    taken = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(taken)


def main() -> None:
    """Print all, each with its limit."""
    child = [sys.executable, "-c", "from benchmarks.attestation import *; write_and_read(MILLION)"]
    sys.stdout.flush()
    subprocess.run(child, check=True, cwd=ROOT)  # alone, so that the peak is its own
    with tempfile.TemporaryDirectory(prefix="hokusai-bench-") as name:
        whole, spent, bundle = evaluated(ROWS, Path(name))
        public = sum(path.stat().st_size for path in (bundle / "public").iterdir())
        leaves = (bundle / "audit/rows/leaves.jsonl.gz").stat().st_size
        start, verifying = cpu_seconds("--help"), cpu_seconds(str(bundle))
    share = spent / (whole - spent)
    print(
        f"{ROWS:,} benchmark rows: the bundle takes {spent:.2f} s of {whole:.1f} s ({share:.1%} "
        f"more, at most {LIMIT_SHARE:.0%}), public/ {public:,} bytes (at most {LIMIT_PUBLIC:,}), "
        f"leaves {leaves:,} (at most {LIMIT_LEAVES:,})"
    )
    print(
        f"hokusai verify: starts in {start:.2f} s of CPU (at most {LIMIT_START}), {ROWS:,} rows "
        f"take {verifying - start:.2f} s more (at most {LIMIT_VERIFY})"
    )


if __name__ == "__main__":
    main()
