"""`hokusai verify`: lines for people, JSON for programs, exit codes for scripts."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hokusai_assets.attestation.bundle import CORE, LEAVES
from hokusai_assets.attestation.signing.keys import new_key_pair, read_private_key
from hokusai_assets.attestation.signing.signing import sign_bundle
from hokusai_assets.cli.app import app
from hokusai_assets_tests.conftest import ROOT, Evaluated

HEAVY = ("dagster", "mlflow", "pandas", "polars", "duckdb", "pyarrow", "scipy.stats", "sklearn")


@pytest.fixture
def place(evaluated: Evaluated, tmp_path: Path) -> Path:
    return shutil.copytree(evaluated["attestation"].bundle_path, tmp_path / "bundle")


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["verify", *words])


def test_each_step_is_a_line_with_its_verdict(place: Path) -> None:
    result = run(str(place))
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    starts = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert starts[:11] == [
        *("files", "form", "signatures", "rows", "numbers", "decision", "plan"),
        *("ledger", "order", "replay", "mint"),
    ]
    assert lines[-1].startswith("Intact, but it binds nobody")


def test_json_holds_the_same(place: Path) -> None:
    told = json.loads(run(str(place), "--json").stdout)
    assert told["exit_code"] == 3
    assert told["core_digest"] == re.search(r"[0-9a-f]{64}", run(str(place)).stdout)[0]  # type: ignore[index]
    assert told["steps"][0]["name"] == "files"
    assert {step["verdict"] for step in told["steps"]} >= {"holds", "unsigned"}


def test_one_byte_changed_is_exit_one_and_named(place: Path) -> None:
    content = (place / CORE).read_bytes()
    (place / CORE).write_bytes(content.replace(b"alice", b"alicf"))
    result = run(str(place))
    assert result.exit_code == 1
    assert "public/core.json" in result.stdout.splitlines()[0]
    assert "Not valid" in result.stdout


def test_keys_and_policies(place: Path, tmp_path: Path) -> None:
    alice, bob = (new_key_pair(str(tmp_path / name)) for name in ("alice", "bob"))
    sign_bundle(str(place), read_private_key(alice.private_path))
    steps = json.loads(run(str(place), "--key", alice.public_path, "--json").stdout)["steps"]
    assert steps[2]["verdict"] == "holds"
    both = ("--key", alice.public_path, "--key", bob.public_path)
    steps = json.loads(run(str(place), *both, "--json").stdout)["steps"]
    assert steps[2]["verdict"] == "unsigned"  # every key that is named must have signed
    policy = tmp_path / "policy.toml"
    keys = "".join(
        f'[[keys]]\nname = "{name}"\npublic_key = """{Path(pair.public_path).read_text()}"""\n'
        for name, pair in (("alice", alice), ("bob", bob))
    )
    policy.write_text("threshold = 1\n" + keys)
    steps = json.loads(run(str(place), "--policy", str(policy), "--json").stdout)["steps"]
    assert steps[2]["verdict"] == "holds"


@pytest.mark.parametrize(
    "words",
    [
        ("--key", "none.pem"),
        ("--policy", "none.toml"),
        ("--checkpoint", "ab" * 32),
        ("--ledger", "none.sqlite"),
        ("--open", "99999999"),
        ("--open", "none.json"),
    ],
)
def test_a_wrong_command_is_exit_two_and_one_sentence(place: Path, words: tuple[str, ...]) -> None:
    result = run(str(place), *words)
    assert result.exit_code == 2
    assert result.stderr.startswith("hokusai: ")
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr


def test_one_row_is_proven_without_the_others(place: Path, tmp_path: Path) -> None:
    opened = run(str(place), "--open", "17")
    assert opened.exit_code == 0
    shown = tmp_path / "row-17.json"
    shown.write_text(opened.stdout)
    shutil.rmtree(place / "audit")
    checked = run(str(place), "--open", str(shown))
    assert checked.exit_code == 0
    assert "Row 17 of" in checked.stdout
    assert run(str(place), "--open", "17").exit_code == 2  # the rows are not opened here
    told = json.loads(opened.stdout)
    for change in ({"index": 16}, {"leaf": told["leaf"].replace(",1,", ",0,", 1)}, {"proof": []}):
        shown.write_text(json.dumps(told | change, separators=(",", ":"), sort_keys=True))
        result = run(str(place), "--open", str(shown))
        assert (result.exit_code, "Traceback" in result.stderr) == (1, False), change


def test_it_loads_nothing_heavy(place: Path) -> None:
    script = (
        "import sys\n"
        "from hokusai_assets.cli.app import app\n"
        "try:\n"
        f"    app(['verify', {str(place)!r}])\n"
        "except SystemExit as end:\n"
        "    code = end.code\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == "3 []"
    assert LEAVES not in done.stderr
