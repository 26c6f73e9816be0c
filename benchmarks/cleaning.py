"""Cleaning a generated contribution, as multiples of a plain copy of it by DuckDB.

All in one run and taking turns, so that a busy machine slows all alike. Each step is a process of
its own, as an evaluation is; its imports are not counted, its worker processes are.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generate import write_files

ROOT = Path(__file__).parents[1]
ROWS = 1_000_000
RUNS = 5
PREDECESSOR_ROWS_PER_S = 142_000  # its integrator, recorded on the same kind of machine

# what, aim at most, aim
STEPS = {
    "copy": ("plain DuckDB copy, CSV to Parquet", "", ""),
    "read": ("CSV read, typed, rejects listed", "1.2", "0.9"),
    "exact": ("cleaned and stored, without near rows", "6", "4"),
    "near": ("the same with near rows", "8", "5"),
    "noise": ("the same with label noise estimated", "", ""),
}

CHILD = """
import json, os, resource, shutil, sys, time
from pathlib import Path

class NoNearRows:
    def __init__(self, *of): pass
    def to_be_signed(self, *of): return None
    def leave_out(self, *of): return "Not looked for."

def main():
    step, folder = sys.argv[1], Path(sys.argv[2])
    import duckdb
    from hokusai_assets.contribution import cleaning, schema
    from hokusai_assets.contribution.reading import open_reader
    from hokusai_assets.contribution.references import load_base, load_benchmark
    from hokusai_assets.records import ContributionSource
    from hokusai_assets.task import load_task
    task = load_task(folder / "task.toml").task
    path = str(folder / "contribution.csv")
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    if step in ("exact", "near", "noise"):
        base = load_base(str(folder / "base.csv"), task, key=b"k", folder=str(out / "base"))
        benchmark = load_benchmark(str(folder / "benchmark.csv"), task, base, key=b"k",
                                   sample=lambda table, _: table, folder=str(out / "benchmark"))
    elif step == "read":  # what is imported on first use is imported before the clock starts
        with open_reader(str(folder / "benchmark.csv"), task) as reader:
            [schema.type_part(part, task) for part in reader.parts()]
    else:
        duckdb.sql(f"SELECT count(*) FROM read_csv('{folder}/benchmark.csv')").fetchall()
    told = {}
    started = time.perf_counter()
    if step == "copy":
        duckdb.sql(f"COPY (SELECT * FROM read_csv('{path}', store_rejects=true)) "
                   f"TO '{out}/copy.parquet'")
    elif step == "read":
        with open_reader(path, task) as reader:
            rows = sum(schema.type_part(part, task).table.num_rows for part in reader.parts())
        told = {"rows": rows, "rejects": len(reader.rejections.rows)}
    else:
        if step == "exact":
            cleaning.has_texts = lambda task: False
            cleaning.NearRows = NoNearRows
        source = ContributionSource(path=path, contributor_id="bench",
                                    wallet_address="0x" + "0" * 40)
        # The label noise estimate is bounded by its sample, whatever the rows, and stands apart.
        found = cleaning.clean_contributions([source], task, base, benchmark, key=b"k",
                                             folder=out / "clean", learn=step == "noise")
        told = found.contributions[0].counts.model_dump(exclude_defaults=True)
    seconds = time.perf_counter() - started
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"seconds": seconds, "peak_mib": own.ru_maxrss >> 10, "told": told}))

if __name__ == "__main__":
    main()
"""


def measured(step: str, folder: Path) -> dict[str, object]:
    """One run of a step in a process of its own."""
    script = folder / "step.py"
    script.write_text(CHILD)
    words = [sys.executable, str(script), step, str(folder)]
    done = subprocess.run(
        words, check=True, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    result: dict[str, object] = json.loads(done.stdout)
    return result


def main(rows: int = ROWS, runs: int = RUNS) -> None:
    """Print the table of steps."""
    with tempfile.TemporaryDirectory(prefix="hokusai-bench-") as name:
        folder = Path(name)
        write_files(folder, rows)
        size = (folder / "contribution.csv").stat().st_size
        print(f"cleaning {rows:,} rows, {size / 1e6:.0f} MB of CSV, medians of {runs}")
        found: dict[str, list[dict[str, object]]] = {step: [] for step in STEPS}
        for _ in range(runs):
            for step, results in found.items():
                results.append(measured(step, folder))
    seconds = {
        step: statistics.median(float(str(r["seconds"])) for r in results)
        for step, results in found.items()
    }
    print(f"{'what':<40} {'seconds':>8} {'M rows/s':>9} {'of copy':>8}  at most  aim")
    for step, (what, most, aim) in STEPS.items():
        ratio = seconds[step] / seconds["copy"]
        speed = rows / seconds[step] / 1e6
        print(f"{what:<40} {seconds[step]:8.2f} {speed:9.2f} {ratio:8.1f}  {most:>7}  {aim:>3}")
    print(f"{'the predecessor (recorded)':<40} {'':>8} {PREDECESSOR_ROWS_PER_S / 1e6:9.2f}")
    print(f"counts: {found['near'][-1]['told']}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
