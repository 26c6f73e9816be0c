"""Peak memory and time of cleaning large contributions, near rows included, of all its processes.

Time is linear if a row costs the same at each size; of a machine that others use, CPU time tells
more than the clock, start-up included.

Resident memory as the kernel counts it, pages shared between processes counted in each; sampled, so
that a peak of less than a tenth of a second may be missed. `python -m benchmarks.memory 5000000`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cleaning import CHILD, ROOT
from benchmarks.generate import write_files

SIZES = (1_000_000, 5_000_000)
LIMIT_MIB = 1536


def resident_mib(root: int) -> float:
    """Resident memory of a process and all its descendants."""
    parents: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            pages[int(entry.name)] = int((entry / "statm").read_text().split()[1])
        except OSError:
            continue  # it ended meanwhile
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        total += pages.get(process, 0)
        waiting += parents.get(process, [])
    return total * os.sysconf("SC_PAGE_SIZE") / 2**20


def measured(rows: int) -> tuple[float, float, float, dict[str, object]]:
    """Seconds, seconds of CPU, peak MiB and what was told of cleaning `rows` generated rows."""
    with tempfile.TemporaryDirectory(prefix="hokusai-bench-") as name:
        folder = Path(name)
        write_files(folder, rows)
        script = folder / "step.py"
        script.write_text(CHILD)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(
            [sys.executable, str(script), "near", name],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "TMPDIR": name},
        ) as process:
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, resident_mib(process.pid))
                time.sleep(0.05)
            assert process.stdout is not None
            told = json.loads(process.stdout.read())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return told["seconds"], cpu, peak, told["told"]


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print time and peak memory by size."""
    print(f"{'rows':>12} {'seconds':>8} {'us/row':>7} {'CPU us/row':>11} {'peak MiB':>9}  at most")
    for rows in sizes:
        seconds, cpu, peak, told = measured(rows)
        print(
            f"{rows:12,} {seconds:8.1f} {seconds / rows * 1e6:7.2f} {cpu / rows * 1e6:11.2f} "
            f"{peak:9.0f}  {LIMIT_MIB:7}"
        )
        print(f"{'':>12} {told}")


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
