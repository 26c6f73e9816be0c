"""The few packages of requirements-verify.txt are enough to verify: nothing else is importable."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from hokusai_assets_tests.conftest import Evaluated

ROOT = Path(__file__).parents[1]
NAMED = [
    line
    for line in (ROOT / "requirements-verify.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def needed() -> set[str]:
    """The named packages and what they need themselves, as pip would install them."""
    found: set[str] = set()
    waiting = list(NAMED)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def environment(folder: Path) -> Path:
    """A folder with the files of these packages and of this one, and of no other."""
    for name in needed():
        for file in importlib.metadata.files(name) or []:
            top = file.parts[0]
            target = folder / top
            if top != ".." and not target.exists():
                target.symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / top)
    (folder / "hokusai_assets").symlink_to(ROOT / "hokusai_assets")
    return folder


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.append({str(folder)!r})\n{script}",
        ],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        timeout=120,
        check=False,
    )


def test_they_are_enough(evaluated: Evaluated, tmp_path: Path) -> None:
    place = evaluated["attestation"].bundle_path
    folder = environment(tmp_path)
    told = run(folder, "import dagster")
    assert "No module named 'dagster'" in told.stderr
    done = run(
        folder,
        f"sys.argv = ['hokusai', 'verify', {place!r}, '--json']\n"
        "from hokusai_assets.cli.app import main\nmain()",
    )
    assert done.returncode == 3, done.stderr
    verdicts = {step["name"]: step["verdict"] for step in json.loads(done.stdout)["steps"]}
    assert verdicts["numbers"] == verdicts["plan"] == "holds"
    recomputed = run(
        folder,
        f"sys.argv = ['hokusai', 'verify', {place!r}, '--recompute', '.']\n"
        "from hokusai_assets.cli.app import main\nmain()",
    )
    assert recomputed.returncode == 2
    assert "needs the whole installation" in recomputed.stderr


def test_each_is_pinned_and_none_is_heavy() -> None:
    pinned = (ROOT / "hokusai_assets" / "constraints.txt").read_text().lower()
    for name in NAMED:
        assert f"\n{name}==" in f"\n{pinned}", name
    heavy = {"dagster", "mlflow", "pandas", "duckdb", "pyarrow", "scikit-learn", "eth-account"}
    assert not heavy & needed()
