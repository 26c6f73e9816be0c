"""Documentation is true: its commands run, its output is real, its lists are complete."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import typer

from hokusai_assets.cli.app import app
from hokusai_assets.settings import VARIABLES
from hokusai_assets_tests.conftest import Evaluated

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*/*.md")])


def blocks(language: str) -> list[str]:
    """The code blocks of one language in the README, indentation of lists removed."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def run_in_copy(script: str, tmp_path: Path) -> str:
    """Run a shell script where only the examples are, as after the README's `cd`."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def variable_parts_masked(text: str) -> str:
    """What differs between two equal runs, or between versions, replaced by its kind."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "RUN", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    return re.sub(r"MLflow run [0-9a-f]{32}", "MLflow run ID", text)


def evaluate_commands() -> list[str]:
    return [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith(("hokusai ", "dagster job"))
    ]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where the demo was run, once, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    (command,) = [line for line in evaluate_commands() if "--contributor-id alice" in line]
    return folder, run_in_copy(command, folder)


@pytest.mark.slow
def test_a_reader_checks_the_demo_as_the_readme_says(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for line in "".join(blocks("bash")).splitlines():
        (code, said) = (re.findall(r"  # (\d)[:,] (.*)$", line) or [("0", "")])[0]
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == int(code), (line, done.stdout, done.stderr)
        if "was changed" in said:
            assert said.split()[0] in done.stdout.splitlines()[0]
        if said.startswith("equal"):
            assert re.search(r"^recompute +holds +Equal\.", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_the_demos_output_is_real(demo: tuple[Path, str]) -> None:
    _, printed = demo
    (shown,) = blocks("text")
    assert variable_parts_masked(printed) == variable_parts_masked(shown)
    lines = printed.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80


def test_what_is_said_of_the_demo_is_what_it_printed() -> None:
    (shown,) = blocks("text")
    (said,) = re.findall(r"^500 base reviews.*?\n\n", README, re.DOTALL | re.MULTILINE)
    for words in (
        r"([\d,]+) rows read",
        r"([\d,]+) base \+",
        r"([\d,]+) rows: ",
        r"(\d+) fixed",
        r"(\d+) broken",
    ):
        (number,) = re.findall(words, shown)
        assert re.search(rf"\b{number}\b", said), words
    base, repeated, leaked = re.search(
        r"(\w+) of them stand in base and (\w+) repeat\s+others, (\w+) stand", said
    ).groups()  # type: ignore[union-attr]
    numbers = "zero one two three four five six seven eight nine ten".split()
    deduplicated = numbers.index(base.lower()) + numbers.index(repeated)
    assert f"{deduplicated} deduplicated, {numbers.index(leaked)} leaked" in shown


def test_make_demo_is_the_same_command() -> None:
    (demo,) = [line for line in evaluate_commands() if "--contributor-id alice" in line]
    # `make test` hands its flags down, with which make would print its folder last.
    outside = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL"}}
    recipe = subprocess.run(
        ["make", "-n", "demo"], cwd=ROOT, env=outside, capture_output=True, text=True, check=True
    ).stdout
    recipe = recipe.replace("\\\n", " ").replace(".venv/bin/", "")
    assert demo.split() == recipe.splitlines()[-1].split()


def test_an_attestation_is_checked_as_its_page_shows(evaluated: Evaluated, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "attestation.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "outputs").symlink_to(evaluated.outputs)
    printed = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed.splitlines() == [
        "core, plan, decision and files agree",
        "the bundle's records agree",
        "the rows say the same",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    # What the step for CI says too is run with it.
    [c for c in evaluate_commands() if "alice" not in c and c not in blocks("yaml")[0]],
)
def test_commands_of_the_readme_run(command: str, tmp_path: Path) -> None:
    run_in_copy(command, tmp_path)
    (result, *_) = (tmp_path / "outputs").glob("attestation_*.json")
    assert json.loads(result.read_text())["dry_run"] is ("evaluate_contribution" not in command)


@pytest.mark.slow
def test_the_ci_step_runs(tmp_path: Path) -> None:
    (step,) = blocks("yaml")
    script = step.split("run: |\n")[1]
    run_in_copy(re.sub(r"^ {4}", "", script, flags=re.MULTILINE), tmp_path)


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_variable_stands_in_the_table() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\| (.+) \|$", README, re.MULTILINE)
    assert {name: (default, meaning.replace("`", "")) for name, default, meaning in rows} == (
        VARIABLES
    )


def test_every_command_and_option_stands_in_the_readme() -> None:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"`hokusai {name}" in README
        for parameter in command.params:
            if parameter.param_type_name != "option":
                continue  # an argument has no name that anybody types
            for option in parameter.opts:
                assert f"`{option}`" in README, f"{name} {option}"


def test_schemas_are_those_of_the_records() -> None:
    path = ROOT / "docs" / "schemas" / "write_schemas.py"
    spec = importlib.util.spec_from_file_location("write_schemas", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, schema in module.schemas().items():
        assert (path.parent / name).read_text(encoding="utf-8") == module.as_text(schema), (
            f"{name} is out of date: run make schemas"
        )
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_examples_task_matches_the_schema() -> None:
    import tomllib

    schema = json.loads((ROOT / "docs" / "schemas" / "task.schema.json").read_text())
    task = tomllib.loads((ROOT / "examples" / "fine_foods" / "task.toml").read_text())
    jsonschema.validate(task, schema)


def test_constraints_name_no_index_and_pin_everything() -> None:
    lines = (ROOT / "hokusai_assets" / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^ ]*", line) for line in lines)


def test_decision_records_are_numbered_without_gaps() -> None:
    names = sorted(p.name for p in (ROOT / "docs" / "adr").glob("*.md"))
    assert [name[:4] for name in names] == [f"{n:04d}" for n in range(1, len(names) + 1)]
