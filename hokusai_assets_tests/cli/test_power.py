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
