"""`hokusai ledger` as operators and auditors use it."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.cli.app import app
from hokusai_assets_tests.attestation.ledger.conftest import Evaluation, sha
from hokusai_assets_tests.conftest import ROOT, SmallTask


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["ledger", *words])


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A ledger with an acceptance, a mint request and a pending plan on the next benchmark."""
    found = str(tmp_path / "ledger.sqlite")
    ledger = SqlLedger(found, "create")
    first, second = Evaluation("a").on(ledger), Evaluation("b").on(ledger)
    first.commit(ledger)
    second.commit(ledger)
    first.decide(ledger)
    ledger.record_mint(first.core_digest, sha("request"))
    Evaluation("c").after(first, "benchmark-2").on(ledger).commit(ledger)
    return found


def test_show_tells_lineages_and_entries_in_eighty_columns(path: str) -> None:
    done = run("show", "--ledger", path)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["reviews", "3", "1", "3", sha("benchmark-2")[:12], "2"]
    told = [" ".join(line.split()[:5]) for line in lines[4:]]
    assert [line.split()[1] for line in told] == [
        "plan", "plan", "decision", "retire", "mint", "plan"
    ]  # fmt: skip
    assert "accepted: core" in done.stdout
    assert run("show", "--ledger", path, "--last", "1").stdout.count("by plan ") == 1


def test_show_as_json_holds_whole_hashes_and_no_scores(path: str) -> None:
    told = json.loads(run("show", "--ledger", path, "--json").stdout)
    entries = list(SqlLedger(path).entries())
    assert [e["hash"] for e in told["entries"]] == [e.hash for e in entries]
    assert [e["previous"] for e in told["entries"]] == [e.previous for e in entries]
    assert set(told["entries"][0]) == {"sequence", "kind", "what", "hash", "previous"}
    (lineage,) = told["lineages"]
    assert lineage["paid_roots"] == sorted([sha("a"), sha("benchmark-1")])
    assert lineage["next_attempt"] == 3


@pytest.mark.parametrize("lineage", ["[/]", "[bold]x", "\x1b[2Jx", "\u202ex"])
def test_a_lineages_name_is_text(tmp_path: Path, lineage: str) -> None:
    """A task names it freely: no markup, which could be a traceback, and nothing to obey."""
    path = str(tmp_path / "ledger.sqlite")
    ledger = SqlLedger(path, "create")
    Evaluation("a", lineage=lineage).on(ledger).commit(ledger)
    done = run("show", "--ledger", path)
    assert done.exit_code == 0, done.exception
    assert ascii(lineage)[1:-1] in done.stdout
    assert not {"\x1b", "\u202e"} & set(done.stdout)


def test_a_long_lineage_is_folded(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.sqlite")
    ledger = SqlLedger(path, "create")
    Evaluation("a", lineage="very-" * 40).on(ledger).commit(ledger)
    done = run("show", "--ledger", path)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_check_of_a_whole_ledger(path: str) -> None:
    done = run("check", "--ledger", path)
    assert (done.exit_code, done.stdout) == (
        0,
        "Whole: 6 entries. Order not proven: no checkpoint was given.\n",
    )
    newest = run("checkpoint", "--ledger", path).stdout.split()
    assert newest[0] == "6"
    done = run("check", "--ledger", path, "--checkpoint", newest[1])
    assert (done.exit_code, done.stdout) == (0, "Whole: 6 entries, the checkpoint among them.\n")
    told = json.loads(run("checkpoint", "--ledger", path, "--json").stdout)
    assert told == {"sequence": 6, "hash": newest[1]}


def test_check_of_a_broken_ledger_lists_every_break(path: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE ledger_heads SET model_id = 'mine'")
        database.execute("UPDATE ledger_plans SET attempt = 9 WHERE sequence = 1")
    done = run("check", "--ledger", path)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "BROKEN: 3 breaks in 6 entries."
    told = json.loads(run("check", "--ledger", path, "--json").stdout)
    assert not told["whole"]
    assert len(told["problems"]) == 3
    lost = run("check", "--ledger", path, "--checkpoint", sha("lost"), "--json")
    assert lost.exit_code == 1
    assert "entries are gone" in lost.stdout


@pytest.mark.parametrize("command", ["show", "check", "checkpoint"])
def test_what_is_no_ledger_is_a_usage_error_and_is_not_made(tmp_path: Path, command: str) -> None:
    done = run(command, "--ledger", str(tmp_path / "nowhere"))
    assert done.exit_code == 2
    assert done.stderr.startswith("hokusai: There is no ledger")
    assert not (tmp_path / "nowhere").exists()
    assert run(command).exit_code == 2


def test_an_empty_ledger(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.sqlite")
    SqlLedger(path, "create")
    assert run("show", "--ledger", path).stdout == "The ledger is empty.\n"
    assert run("check", "--ledger", path).exit_code == 0
    done = run("checkpoint", "--ledger", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is empty" in done.stderr


_ENDLESS = """
ALTER TABLE ledger_entries RENAME TO kept;
CREATE VIEW ledger_entries AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT n.i AS sequence, hash, previous, kind, content FROM n, kept WHERE kept.sequence = 1;
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_ENDLESS, "has no table ledger_entries"),
        ("DROP TABLE ledger_mints", "has no table ledger_mints"),
        ("UPDATE ledger_entries SET sequence = 'x' WHERE sequence = 3", "another type"),
        ("UPDATE ledger_lineages SET plans = 'x'", "another type"),
    ],
)
def test_a_ledger_made_by_somebody_else_is_no_traceback(path: str, change: str, said: str) -> None:
    with sqlite3.connect(path) as database:
        database.executescript(change)
    done = run("show", "--ledger", path)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert said in done.stderr


def test_damage_has_no_traceback(path: str, tmp_path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE ledger_entries SET content = '{' WHERE sequence = 2")
    for command in ("show", "check"):
        done = run(command, "--ledger", path)
        assert done.exit_code == 1
        assert "Entry 2 of the ledger is not canonical JSON" in done.output
    with sqlite3.connect(path) as database:
        content = '{"body":{},"kind":"plan","previous":null,"sequence":2}'
        database.execute("UPDATE ledger_entries SET content = ? WHERE sequence = 2", [content])
    assert "attempt ? by plan ?" in run("show", "--ledger", path).stdout
    assert run("check", "--ledger", path).exit_code == 1
    whole = Path(path).read_bytes()
    torn = tmp_path / "torn.sqlite"
    torn.write_bytes(whole[: len(whole) // 2])
    for command in ("show", "check"):
        done = run(command, "--ledger", str(torn))
        assert done.exit_code in (1, 2)
        assert "Traceback" not in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("command", ["show", "check", "checkpoint"])
def test_help_says_examples_and_exit_codes(command: str) -> None:
    said = " ".join(run(command, "--help").output.split())
    assert f"hokusai ledger {command} --ledger" in said
    assert "Exit codes: 0" in said


@pytest.mark.slow
def test_evaluate_with_a_ledger(small: SmallTask, tmp_path: Path) -> None:
    words = ["evaluate", "--task", str(small.task), "--output-dir", str(tmp_path / "out")]
    words += ["--contributed-data", str(small.contribution), "--contributor-id", "alice"]
    words += ["--wallet-address", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "--json"]
    path = str(tmp_path / "ledger.sqlite")
    store = tmp_path / "rows"
    done = CliRunner().invoke(app, [*words, "--ledger", path, "--paid-store", str(store)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["provisional"] is False
    assert run("check", "--ledger", path).exit_code == 0
    assert len(list(store.glob("*/*/rows.json"))) == 1
    refused = CliRunner().invoke(app, [*words, "--paid-store", str(store)])
    assert refused.exit_code == 2
    assert "its backend is none" in refused.output


@pytest.mark.slow
def test_the_commands_of_the_page_run(small: SmallTask) -> None:
    page = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    small.contribution.rename(small.folder / "new.csv")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=small.folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-2] == "Whole: 2 entries. Order not proven: no checkpoint was given."
    assert re.fullmatch(r"2 [0-9a-f]{64}", lines[-1])
