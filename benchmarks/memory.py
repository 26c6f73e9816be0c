"""Peak memory and time of cleaning large contributions, near rows included, of all its processes.

Time is linear if a row costs the same at each size; of a machine that others use, CPU time tells
more than the clock, start-up included.

Resident memory as the kernel counts it, pages shared between processes counted in each; sampled, so
that a peak of less than a tenth of a second may be missed. `python -m benchmarks.memory 5000000`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cleaning import CHILD, ROOT
from benchmarks.generate import write_files

SIZES = (1_000_000, 5_000_000)
LIMIT_MIB = 1536


PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20
TICK = 1 / os.sysconf("SC_CLK_TCK")


def family(root: int) -> dict[int, tuple[float, float]]:
    """Of a process and all its descendants: resident MiB, and seconds of CPU so far."""
    children: dict[int, list[int]] = {}
    told: dict[int, tuple[float, float]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            pages = int((entry / "statm").read_text().split()[1])
        except OSError:
            continue  # it ended meanwhile
        cpu = (int(fields[11]) + int(fields[12])) * TICK
        told[int(entry.name)] = (pages * PAGE_MIB, cpu)
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = {}, [root]
    while waiting:
        process = waiting.pop()
        if process in told:
            found[process] = told[process]
        waiting += children.get(process, [])
    return found


def measured(rows: int) -> tuple[float, float, float, dict[str, object]]:
    """Seconds, seconds of CPU, peak MiB and what was told of cleaning `rows` generated rows."""
    with tempfile.TemporaryDirectory(prefix="hokusai-bench-") as name:
        folder = Path(name)
        write_files(folder, rows)
        script = folder / "step.py"
        script.write_text(CHILD)
        with subprocess.Popen(
            [sys.executable, str(script), "near", name],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "TMPDIR": name},
        ) as process:
            peak, cpu = 0.0, {}
            while process.poll() is None:
                now = family(process.pid)
                peak = max(peak, sum(resident for resident, _ in now.values()))
                # As last seen: workers are no children that could be waited for.
                cpu |= {number: seconds for number, (_, seconds) in now.items()}
                time.sleep(0.05)
            assert process.stdout is not None
            told = json.loads(process.stdout.read())
    return told["seconds"], sum(cpu.values()), peak, told["told"]


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
