"""The pages for contributors and for Python are true: commands, their output, code and tables."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from hokusai_assets.cli.app import app
from hokusai_assets.contribution.validation import Validation

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "docs" / "contributing_data.md").read_text(encoding="utf-8")
PYTHON = (ROOT / "docs" / "python_api.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the examples and, as at a contributor's, a task without its data."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "task.toml").write_bytes((ROOT / "examples/fine_foods/task.toml").read_bytes())
    return tmp_path


def run(words: list[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def test_the_contributors_commands_print_what_the_page_shows(folder: Path) -> None:
    blocks = re.findall(
        r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```", CONTRIBUTING, re.DOTALL | re.MULTILINE
    )
    assert len(blocks) == CONTRIBUTING.count("```sh") == 2
    for script, shown in blocks:
        printed = run(["bash", "-c", script], folder)
        assert printed == shown
        assert max(map(len, printed.splitlines())) <= 80
    assert "exit code 3" in blocks[0][1]
    assert "exit code 0" in blocks[1][1]
    assert {p.name for p in folder.iterdir()} == {
        "examples",
        "task.toml",
        "cleaned.csv",
        "cleaned.csv.changes.json",
        "validation.html",
        "home",
    }


def test_the_python_page_runs_from_top_to_bottom(folder: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PYTHON, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    printed = run([sys.executable, "-c", "\n".join(blocks)], folder).splitlines()
    assert printed[0].startswith("Valid")
    assert re.fullmatch(r"[0-9a-f]{64}", printed[1])


def test_every_option_of_validate_stands_in_the_contributors_table() -> None:
    table = set(re.findall(r"^\| `(--[a-z]+)` \|", CONTRIBUTING, re.MULTILINE))
    command = typer.main.get_command(app).commands["validate"]  # type: ignore[attr-defined]
    options = {o for p in command.params if p.param_type_name == "option" for o in p.opts}
    assert table == options


def test_every_word_about_leakage_stands_on_the_page() -> None:
    words = Validation.model_fields["leakage"].annotation
    for word in words.__args__:  # type: ignore[union-attr]
        assert f"`{word}`" in CONTRIBUTING


def test_the_pages_are_one_page_long() -> None:
    for page in (CONTRIBUTING, PYTHON):
        assert len(page.splitlines()) <= 200
