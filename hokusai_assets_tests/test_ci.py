"""What CI runs says when the second verifier was not: a skipped test is easily overlooked."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hokusai_assets_tests.conftest import ROOT


def run(folder: Path, *programs: str, make: str = "exit 0", **environment: str) -> tuple[int, str]:
    """The script where only these programs are there, with a `make` that does as told."""
    folder.mkdir(exist_ok=True)
    for name in ("bash", "dirname", *programs):
        (folder / name).symlink_to(str(shutil.which(name) or "/bin/true"))
    (folder / "make").write_text(f'#!/usr/bin/env bash\necho "made $1"\n{make}\n')
    (folder / "make").chmod(0o755)
    done = subprocess.run(
        [str(folder / "bash"), str(ROOT / ".ci" / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": str(folder), **environment},
        check=False,
    )
    return done.returncode, done.stdout


def test_with_node_nothing_is_said(tmp_path: Path) -> None:
    for environment in ({}, {"CI_REQUIRE_NODE": "1"}):
        folder = tmp_path / str(len(environment))
        assert run(folder, "node", **environment) == (0, "made check\nmade test\n")


@pytest.mark.parametrize(("make", "exit_code"), [("exit 0", 0), ("exit 2", 2)])
def test_without_node_the_last_line_says_what_was_not_run(
    tmp_path: Path, make: str, exit_code: int
) -> None:
    code, said = run(tmp_path / "bin", make=make)
    assert code == exit_code
    assert said.splitlines()[0] == "made check"
    assert said.splitlines()[-1].startswith("NOT RUN: the second verifier")


def test_a_missing_node_can_be_made_a_failure(tmp_path: Path) -> None:
    code, said = run(tmp_path / "bin", CI_REQUIRE_NODE="1")
    assert code == 1
    assert said.startswith("NOT RUN: the second verifier")
    assert "made" not in said
