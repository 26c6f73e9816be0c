"""`hokusai profile` on real files: the task it writes is good for validating what it saw."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hokusai_assets.cli.app import app
from hokusai_assets.task import load_task
from hokusai_assets_tests.conftest import ROOT, SmallTask, make_rows, write_csv

EXAMPLE = ROOT / "examples" / "fine_foods"
EMAIL = "carol.canary@example.com"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_examples_files_are_valid_by_the_task_that_is_drafted(tmp_path: Path) -> None:
    task = tmp_path / "task.toml"
    result = run("profile", EXAMPLE / "base.csv", "--output", task)
    assert result.exit_code == 0
    loaded = load_task(task).task
    assert loaded.id == "base"
    assert [(c.name, c.type, c.role) for c in loaded.columns] == [
        ("review_id", "text", "id"),
        ("product", "text", "ignore"),
        ("review", "text", "feature"),
        ("score", "category", "target"),
    ]
    assert loaded.data.labels == ("great", "other")
    for name in ("base", "benchmark", "contribution", "contribution_with_faults"):
        checked = run("validate", EXAMPLE / f"{name}.csv", "--task", task)
        assert checked.exit_code == 0, name


def test_the_columns_are_shown_without_their_cells(small: SmallTask, tmp_path: Path) -> None:
    rows = make_rows(300, 3, "c")
    rows[7]["note"] = f"canaryword {EMAIL}"
    path = write_csv(small.folder / "data.csv", rows)
    task = tmp_path / "new" / "task.toml"
    result = run("profile", path, "--output", task)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert max(len(line) for line in lines[:-1]) <= 80
    words = " ".join(result.stdout.split())
    assert "key text id 0 300" in words
    assert "note text feature 0 300" in words
    assert "email" in words
    assert "label category target 0 2" in words
    assert "From all 300 rows." in words
    text = task.read_text()
    for canary in ("canaryword", EMAIL, *(row["key"] for row in rows), "good box"):
        assert canary not in text
        assert canary not in result.output
    assert 'pii = "hash"   # email in 1 cell' in text
    # Labels stand in the file, which needs them, and not on the terminal, which is copied about.
    assert '"bad", "good"' in text
    assert "good" not in result.output


def test_the_target_can_be_named(small: SmallTask, tmp_path: Path) -> None:
    rows = [row | {"size": "SML"[i % 3]} for i, row in enumerate(make_rows(90, 3, "c"))]
    path = write_csv(small.folder / "data.csv", rows)
    task = tmp_path / "task.toml"
    assert run("profile", path, "--output", task, "--target", "size").exit_code == 0
    assert load_task(task).task.target.name == "size"


def test_the_default_is_task_toml_in_the_working_folder(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("profile", small.contribution).exit_code == 0
    assert load_task("task.toml").task.target.name == "label"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.csv"], "no file none.csv"),
        (["FILE", "--target", "colour"], "no column 'colour'"),
        (["FILE", "--target", "note"], "different values"),
        (["FILE", "--output", "FILE"], "not overwritten"),
        (["FILE", "--output", "TASK"], "not overwritten"),
    ],
)
def test_usage_ends_with_2_and_writes_nothing(
    small: SmallTask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in small.folder.iterdir()}
    names = {"FILE": small.contribution, "TASK": small.task}
    result = run("profile", *(names.get(word, word) for word in words))
    assert result.exit_code == 2
    assert result.stderr.startswith("hokusai: ")
    assert said in result.stderr
    assert result.stdout == ""
    assert {path: path.read_bytes() for path in small.folder.iterdir()} == before
    assert not Path("task.toml").exists()


def test_nothing_heavy_is_loaded(small: SmallTask, tmp_path: Path) -> None:
    words = ["profile", str(small.contribution), "--output", str(tmp_path / "t.toml")]
    program = f"""
import sys
from typer.testing import CliRunner
from hokusai_assets.cli.app import app
assert CliRunner().invoke(app, {words!r}).exit_code == 0
print([n for n in ("dagster", "sklearn", "mlflow", "scipy") if n in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"
