"""Whole processes against the least that Dagster itself costs, in alternating runs."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
RUNS = 5


def _seconds(words: list[str], env: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, env=env, cwd=ROOT)
    return time.perf_counter() - started


def _alternating(commands: dict[str, list[str]], env: dict[str, str]) -> dict[str, float]:
    """Median seconds of commands that take turns, so that noise meets all alike."""
    for words in commands.values():
        _seconds(words, env)  # files into the page cache, byte code written
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, words in commands.items():
            taken[name].append(_seconds(words, env))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    """Print the ratios with the seconds behind them."""
    python = str(BIN / "python")
    with tempfile.TemporaryDirectory() as folder:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "DAGSTER_"))}
        env |= {"HOKUSAI_HOME": folder, "PYTHONPATH": str(ROOT)}
        execute = [str(BIN / "dagster"), "job", "execute"]
        output = Path(folder, "dry_run.yaml")
        output.write_text(f"resources: {{outputs: {{config: {{output_dir: {folder}/outputs}}}}}}\n")
        dry_run = ["-m", "hokusai_assets.definitions", "-j", "dry_run", "-c", str(output)]
        jobs = _alternating(
            {
                "trivial": [*execute, "-m", "benchmarks.trivial_graph", "-j", "trivial"],
                "imports_alone": [*execute, "-m", "benchmarks.imports_alone", "-j", "trivial"],
                "dry_run": [*execute, *dry_run],
            },
            env,
        )
        imports = _alternating(
            {
                "dagster": [python, "-c", "import dagster"],
                "definitions": [python, "-c", "import hokusai_assets.definitions"],
            },
            env,
        )
        example = ROOT / "examples" / "fine_foods"
        words = [str(BIN / "hokusai"), "evaluate", "--task", str(example / "task.toml")]
        words += ["--contributed-data", str(example / "contribution.csv")]
        words += ["--contributor-id", "alice", "--output-dir", f"{folder}/outputs"]
        words += ["--wallet-address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]
        demo = statistics.median(_seconds(words, env) for _ in range(3))
    print("what                                   seconds   of        ratio  aim")
    for what, name, floor, times, aim in (
        ("dry run, whole process", "dry_run", "trivial", jobs, "2.0"),
        ("its imports alone, in one process", "imports_alone", "trivial", jobs, ""),
        ("import hokusai_assets.definitions", "definitions", "dagster", imports, "2.0"),
    ):
        ratio = times[name] / times[floor]
        print(f"{what:<38} {times[name]:7.2f}   {floor:<9} {ratio:5.2f}  {aim}")
    print(f"{'demo, first store and tracking included':<38} {demo:6.2f}             20 s")
