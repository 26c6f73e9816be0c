"""The command line itself: help, unknown commands, and what is checked before data are read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from hokusai_assets.cli import app as app_module
from hokusai_assets.cli.app import app
from hokusai_assets.cli.evaluate import STEPS
from hokusai_assets.errors import (
    ContributionError,
    HokusaiError,
    LedgerError,
    StorageError,
    TaskError,
)
from hokusai_assets_tests.conftest import OTHER_WALLET, WALLET, SmallTask

COMMANDS = (
    "evaluate",
    "mint-request",
    "power",
    "profile",
    "report",
    "sign",
    "verify",
    "track",
    "validate",
)
GROUPS = ("keys", "ledger")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def plain(result: Result) -> str:
    """The output in one line, as the terminal's width breaks it anywhere."""
    return " ".join(result.output.split())


def evaluate(small: SmallTask, tmp_path: Path, *words: str) -> Result:
    """`hokusai evaluate` with the task, an output folder and these words."""
    fixed = ("--task", str(small.task), "--output-dir", str(tmp_path / "out"))
    return run("evaluate", *fixed, *words)


def owners(*ids: str, wallets: tuple[str, ...] = ()) -> list[str]:
    words = [word for name in ids for word in ("--contributor-id", name)]
    return words + [word for wallet in wallets for word in ("--wallet-address", wallet)]


def files(small: SmallTask, count: int) -> list[str]:
    return ["--contributed-data", str(small.contribution)] * count


def assert_refused(result: Result, tmp_path: Path, said: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("hokusai: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_names_every_command(word: str) -> None:
    result = run(word)
    assert result.exit_code == 0
    assert {command.name for command in app.registered_commands} == set(COMMANDS)
    assert {group.name for group in app.registered_groups} == set(GROUPS)
    for command in (*COMMANDS, *GROUPS):
        assert command in result.output


def test_no_words_at_all_show_the_help() -> None:
    assert plain(run()) == plain(run("--help"))


@pytest.mark.parametrize("command", [*COMMANDS, *GROUPS])
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_the_help_of_a_command_says_examples_and_exit_codes(command: str, word: str) -> None:
    result = run(command, word)
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert f"hokusai {command}" in plain(result)
    assert "Exit codes: 0" in plain(result)


def test_a_whole_process_shows_its_help(command: Any) -> None:
    done = command("hokusai", "--help")
    assert done.returncode == 0
    assert "evaluate" in done.stdout
    assert "track" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "words", [["attest"], ["evaluate"], ["evaluate", "--task", "t.toml"], ["track", "--nothing"]]
)
def test_words_that_do_not_fit_end_with_2(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (HokusaiError("It failed."), 1),
        (StorageError("It is gone."), 1),
        (TaskError("It is wrong."), 2),
        (ContributionError("It is refused."), 3),
        (LedgerError("It was paid."), 4),
    ],
)
def test_an_error_on_purpose_is_one_sentence_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: HokusaiError,
    exit_code: int,
) -> None:
    failing = typer.Typer()

    @failing.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["hokusai"])
    failing.pretty_exceptions_enable = False
    monkeypatch.setattr(app_module, "app", failing)
    with pytest.raises(SystemExit) as ended:
        app_module.main()
    assert ended.value.code == exit_code
    written = capsys.readouterr()
    assert written.err == f"hokusai: {error}\n"
    assert written.out == ""


def test_the_steps_shown_are_the_assets_of_the_graph() -> None:
    from hokusai_assets.defs.build import ALL_ASSETS

    assert sorted(STEPS) == sorted(asset.key.path[-1] for asset in ALL_ASSETS)


def test_without_a_contributed_file_nothing_is_evaluated(small: SmallTask, tmp_path: Path) -> None:
    assert_refused(evaluate(small, tmp_path), tmp_path, "--contributed-data")


COUNTS: list[tuple[int, list[str], list[str]]] = [
    (1, [], []),
    (1, ["alice"], []),
    (1, [], [WALLET]),
    (1, ["alice", "bob"], [WALLET]),
    (2, ["alice"], [WALLET, OTHER_WALLET]),
    (2, ["alice", "bob"], [WALLET]),
]


@pytest.mark.parametrize(("count", "ids", "wallets"), COUNTS)
def test_every_file_needs_an_id_and_a_wallet(
    small: SmallTask, tmp_path: Path, count: int, ids: list[str], wallets: list[str]
) -> None:
    words = [*files(small, count), *owners(*ids, wallets=tuple(wallets))]
    result = evaluate(small, tmp_path, *words)
    assert_refused(result, tmp_path, "--contributor-id and --wallet-address")
    told = [int(number) for number in re.findall(r"\d+", result.stderr)]
    assert told == [count, len(ids), len(wallets)]


def test_a_rehearsal_with_an_id_needs_a_wallet_too(small: SmallTask, tmp_path: Path) -> None:
    words = ["--dry-run", *files(small, 1), *owners("alice")]
    assert_refused(evaluate(small, tmp_path, *words), tmp_path, "--wallet-address")


def test_every_id_and_wallet_is_checked_not_only_the_first(
    small: SmallTask, tmp_path: Path
) -> None:
    wrong_id = [*files(small, 2), *owners("alice", "b/c", wallets=(WALLET, OTHER_WALLET))]
    assert_refused(evaluate(small, tmp_path, *wrong_id), tmp_path, "contributor id")
    wrong = [*files(small, 2), *owners("alice", "bob", wallets=(WALLET, "0x12"))]
    assert_refused(evaluate(small, tmp_path, *wrong), tmp_path, "wallet address")


@pytest.mark.parametrize("name", ["contribution.csv", "base.csv", "benchmark.csv"])
def test_a_file_that_is_missing_is_named_before_anything_runs(
    small: SmallTask, tmp_path: Path, name: str
) -> None:
    (small.folder / name).unlink()
    words = [*files(small, 1), *owners("alice", wallets=(WALLET,))]
    assert_refused(evaluate(small, tmp_path, *words), tmp_path, name)
    assert not (tmp_path / "home" / "storage").exists()


def test_the_second_file_is_looked_for_too(small: SmallTask, tmp_path: Path) -> None:
    words = [*files(small, 1), "--contributed-data", "nowhere.csv"]
    words += owners("alice", "bob", wallets=(WALLET, OTHER_WALLET))
    assert_refused(evaluate(small, tmp_path, *words), tmp_path, "nowhere.csv")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--contributed-data"),
        (["--contributed-data", "nowhere.csv"], "--contributor-id"),
        (
            ["--contributed-data", "nowhere.csv", *owners("alice", wallets=(WALLET,))],
            "nowhere.csv",
        ),
    ],
)
def test_a_wrong_command_as_json_is_one_object(
    small: SmallTask, tmp_path: Path, words: list[str], said: str
) -> None:
    result = evaluate(small, tmp_path, "--json", *words)
    assert result.exit_code == 2
    body = json.loads(result.stdout)
    assert body.keys() == {"error", "exit_code"}
    assert body["exit_code"] == 2
    assert said in body["error"]
    assert result.stderr == ""
