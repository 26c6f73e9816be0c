"""A bundle computed again from data by another: equal, or what differs, or what is missing."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hokusai_assets.attestation.bundle_reading import read_bundle
from hokusai_assets.attestation.verifying.outcome import Step
from hokusai_assets.cli.app import app
from hokusai_assets.defs.recomputing import recompute
from hokusai_assets.errors import HokusaiError, UsageError
from hokusai_assets_tests.conftest import (
    OTHER_WALLET,
    TASK,
    WALLET,
    Evaluated,
    make_rows,
    write_csv,
)


@pytest.fixture
def data(evaluated: Evaluated, tmp_path: Path) -> Path:
    """What an auditor was given: task, base, benchmark and the two contributions in order."""
    source, folder = evaluated.outputs.parent, tmp_path / "data"
    (folder / "contributions").mkdir(parents=True)
    for name in ("task.toml", "base.csv", "benchmark.csv"):
        shutil.copy(source / name, folder)
    for index, name in enumerate(("first.csv", "second.csv")):
        shutil.copy(source / name, folder / "contributions" / f"{index}-{name}")
    return folder


def recomputed(evaluated: Evaluated, data: Path) -> Step:
    place = evaluated["attestation"].bundle_path
    return recompute(read_bundle(place), str(data), lambda asset, state: None)


def test_the_same_data_in_another_form_are_equal(evaluated: Evaluated, data: Path) -> None:
    first = data / "contributions" / "0-first.csv"
    lines = first.read_text().splitlines(keepends=True)
    first.unlink()
    with gzip.open(first.with_suffix(".csv.gz"), "wt") as stream:
        stream.writelines([lines[0], *reversed(lines[1:])])
    step = recomputed(evaluated, data)
    assert (step.name, step.verdict, step.sentence) == ("recompute", "holds", "Equal.")


def test_other_data_differ(evaluated: Evaluated, data: Path) -> None:
    write_csv(data / "contributions" / "1-second.csv", make_rows(101, 4, "d"))
    step = recomputed(evaluated, data)
    assert (step.name, step.verdict) == ("recompute", "differs")
    assert "core.content_roots.contributions[1]" in " ".join((step.sentence, *step.more))


def test_data_that_cannot_be_evaluated_differ(evaluated: Evaluated, data: Path) -> None:
    (data / "base.csv").write_text("id\n1\n")
    step = recomputed(evaluated, data)
    assert step.verdict == "differs"
    assert step.sentence.startswith("It cannot be computed again: ")


def test_what_is_missing_is_a_sentence(
    evaluated: Evaluated, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> str:
        with pytest.raises(HokusaiError) as raised:
            recomputed(evaluated, data)
        assert raised.value.exit_code == 2
        return str(raised.value)

    task = (data / "task.toml").read_text()
    (data / "task.toml").write_text(task.replace("min_benchmark_rows = ", "min_benchmark_rows = 1"))
    assert "is not the task that was evaluated" in said()
    (data / "task.toml").write_text(task)
    (data / "contributions" / "1-second.csv").unlink()
    assert "holds 1 contributions and the core names 2" in said()
    shutil.rmtree(data / "contributions")
    assert "There is no folder" in said()
    monkeypatch.setenv("HOKUSAI_SALT_SECRET", "ab" * 32)
    monkeypatch.setenv("HOKUSAI_PII_KEY", "canary")
    found = said()
    assert "HOKUSAI_SALT_SECRET must not be set" in found
    assert "HOKUSAI_PII_KEY must not be set" in found
    assert "canary" not in found


def test_a_dry_run_is_not_computed_again(evaluated: Evaluated, data: Path) -> None:
    bundle = read_bundle(evaluated["attestation"].bundle_path)
    bundle.core["dry_run"] = True
    with pytest.raises(UsageError, match="A dry run is not computed again"):
        recompute(bundle, str(data), lambda asset, state: None)


@pytest.mark.slow
def test_rows_paid_before_and_secrets(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    (data / "task.toml").write_text(TASK)
    env = {"HOKUSAI_SALT_SECRET": "ab" * 32, "HOKUSAI_PLAN_NONCE": "cd" * 16}

    def run(words: tuple[str, ...], env: dict[str, str] | None) -> Result:
        for name in ("HOKUSAI_SALT_SECRET", "HOKUSAI_PLAN_NONCE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, list(words))

    def evaluate(out: Path) -> Path:
        words = (
            *("evaluate", "--task", str(data / "task.toml"), "--ledger", str(ledger)),
            *("--contributed-data", str(data / "contributions" / "0-first.csv"), "--json"),
            *("--contributed-data", str(data / "contributions" / "1-second.csv")),
            *("--contributor-id", "alice", "--wallet-address", WALLET),
            *("--contributor-id", "bob", "--wallet-address", OTHER_WALLET),
            *("--output-dir", str(out)),
        )
        done = run(words, env)
        assert done.exit_code == 0, done.stderr
        (bundle,) = out.glob("bundle_*")
        return bundle

    def verified(bundle: Path, env: dict[str, str] | None) -> tuple[int, str, Any]:
        done = run(("verify", str(bundle), "--recompute", str(data), "--json"), env)
        told = json.loads(done.stdout)["steps"][-1] if done.stdout else None
        return done.exit_code, done.stderr, told

    evaluate(tmp_path / "first")
    # Another benchmark retires the first one, of which five rows are contributed now.
    write_csv(
        data / "contributions" / "1-second.csv", make_rows(100, 4, "d") + make_rows(5, 2, "t")
    )
    write_csv(data / "benchmark.csv", make_rows(400, 5, "u"))
    bundle = evaluate(tmp_path / "second")
    code, said, _ = verified(bundle, None)
    assert (code, "abab" in said) == (2, False)
    assert "HOKUSAI_SALT_SECRET must be the one with id" in said
    assert "HOKUSAI_PLAN_NONCE must be the one with id" in said
    code, said, step = verified(bundle, env)
    assert (code, step["verdict"]) == (3, "holds"), step
    assert step["sentence"] == "Equal. Taken as given: 5 rows that were paid for before."
    (data / "paid").mkdir()
    assert "does not hold the rows paid for before" in verified(bundle, env)[1]
    (data / "paid").rmdir()
    shutil.copytree(f"{ledger}.paid", data / "paid")
    roots = json.loads((bundle / "public/plan.json").read_bytes())["content_roots"]
    for stored in (data / "paid").glob(f"*/{roots['benchmark_received']}"):
        shutil.rmtree(stored)  # kept when the second plan was made, after it was cleaned
    code, said, step = verified(bundle, env)
    assert (code, step["sentence"]) == (3, "Equal.")
