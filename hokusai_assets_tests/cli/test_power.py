"""`hokusai power` as people use it."""

import json

import pytest
from typer.testing import CliRunner

from hokusai_assets.cli.app import app

TASK = "examples/fine_foods/task.toml"


def run(*words):
    return CliRunner().invoke(app, ["power", *words])


def test_it_counts_the_benchmark_and_fits_the_terminal():
    done = run("--task", TASK)
    assert done.exit_code == 0, done.output
    assert "3,000 rows" in done.output and "1-30" in done.output
    assert max(map(len, done.output.splitlines())) <= 80


def test_json_holds_the_same_numbers_and_later_attempts_need_more():
    told = json.loads(run("--task", TASK, "--rows", "5000", "--delta-bps", "200", "--json").output)
    assert told["benchmark_rows"] == 5_000
    attempts = told["attempts"]
    assert [a["first_attempt"] for a in attempts] == [1, 31, 61, 91, 121]
    for key, order in (("detectable_bps", 1), ("rows_needed", 1), ("chance", -1)):
        values = [order * a[key] for a in attempts]
        assert values == sorted(values)


def test_a_gain_of_the_threshold_itself_is_said_to_be_half_a_chance():
    assert "half the time" in run("--task", TASK, "--rows", "9000", "--delta-bps", "100").output


REGRESSION = """
task_schema = 1
id = "numbers"
[data]
base = "b.csv"
benchmark = "m.csv"
[[columns]]
name = "size"
type = "number"
[[columns]]
name = "y"
type = "number"
role = "target"
minimum = 0
maximum = 10
"""


def test_a_regression_is_told_of_mae_and_of_the_spread_of_gains(tmp_path):
    (tmp_path / "task.toml").write_text(REGRESSION)
    given = ("--task", str(tmp_path / "task.toml"), "--rows", "2000")
    done = run(*given)
    assert done.exit_code == 0, done.output
    assert "a row's gain varies by 5 points" in done.output
    assert "100 bps of mae" in done.output
    told = json.loads(run(*given, "--spread", "10", "--json").output)
    assert (told["spread"], told["metric"]) == (0.1, "mae")
    assert 100 < told["attempts"][0]["detectable_bps"] < 200
    done = run(*given, "--discordance", "0.1")
    assert done.exit_code == 2 and "--discordance says nothing of a regression" in done.output
    done = run("--task", TASK, "--rows", "9000", "--spread", "2")
    assert done.exit_code == 2 and "--spread says nothing of a classification" in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--task", "nowhere.toml"], "There is no task file"),
        (["--task", TASK, "--rows", "10", "--delta-bps", "900"], "raise --discordance"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_two(words, sentence):
    done = run(*words)
    assert done.exit_code == 2
    assert sentence in done.output


def test_what_is_not_computed_is_told(tmp_path):
    # 8 divided by the gain in squared error is what r2 asks for, and mae's rows were told for it.
    groups = '[[columns]]\nname = "shop"\ntype = "category"\nrole = "group"\n'
    other = '[metrics]\nprimary = "r2"\n[model]\nseeds = 3\n'
    (tmp_path / "task.toml").write_text(REGRESSION + groups + other)
    given = ("--task", str(tmp_path / "task.toml"), "--rows", "2000")
    text = " ".join(run(*given).output.split())
    assert "its primary metric is r2, and its rows come in groups, and its models are" in text
    (tmp_path / "task.toml").write_text(REGRESSION)
    assert json.loads(run(*given, "--json").output)["unlike_the_task"] == []
    assert "The task is another" not in run(*given).output
