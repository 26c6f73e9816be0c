"""`hokusai mint-request` as people use it, with a ledger that the test holds."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hokusai_assets.attestation.mint import ledger as mint_ledger
from hokusai_assets.attestation.mint.checking import check_mint_files
from hokusai_assets.attestation.signing.signing import read_public_folder
from hokusai_assets.attestation.signing.statements import public_files
from hokusai_assets.cli.app import app
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import LedgerError
from hokusai_assets.task import load_task
from hokusai_assets_tests.attestation.mint.conftest import CONTRACT, FakeLedger
from hokusai_assets_tests.attestation.public_folder import RUN_ID, write_bundle
from hokusai_assets_tests.conftest import TASK

KEY = "c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4"
SIGNER = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
DEADLINE = str(int(time.time()) + 10**6)
STATED = {
    "--model-id": "7",
    "--spec-id": "reviews-benchmark-v1",
    "--score-basis": "measured",
    "--max-cost": "5000000",
    "--actual-cost": "1250000",
    "--chain-id": "8453",
    "--verifying-contract": CONTRACT,
}
MINT = f"""
[mint]
model_id = "7"
spec_id = "reviews-benchmark-v1"
score_basis = "lower_bound"
max_cost_usd_micro = 5000000
chain_id = 8453
verifying_contract = "{CONTRACT}"
"""


class Prepared:
    """A bundle, and the ledger that accepted it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
        self.bundle = write_bundle(folder, **changes)
        self.ledger = FakeLedger(public_files(read_public_folder(str(self.bundle))))
        monkeypatch.setattr(mint_ledger, "open_mint_ledger", self.open)

    def open(self, url: str) -> FakeLedger:
        assert url == "sqlite:///ledger.db"
        return self.ledger

    def run(
        self, *words: object, stated: dict[str, str] | None = None, deadline: str = DEADLINE
    ) -> Result:
        options = [word for pair in (STATED if stated is None else stated).items() for word in pair]
        fixed = [str(self.bundle), "--ledger", "sqlite:///ledger.db", "--deadline", deadline]
        return CliRunner().invoke(
            app, ["mint-request", *fixed, *options, *map(str, words)], env={"ETHEREUM": KEY}
        )

    def files(self) -> list[Path]:
        return sorted((self.bundle / "public" / "mint").glob("*"))


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    return Prepared(tmp_path / "bundle", monkeypatch)


def test_a_request_is_written_signed_and_follows(prepared: Prepared, tmp_path: Path) -> None:
    key = tmp_path / "ethereum.key"
    key.write_text(KEY)
    key.chmod(0o600)
    done = prepared.run("--sign", key)
    assert done.exit_code == 0, done.output
    assert SIGNER in done.stdout
    assert done.stderr == ""
    (path,) = prepared.files()
    assert str(path) in done.stdout
    content = {f"mint/{path.name}": path.read_bytes()}
    files = public_files(read_public_folder(str(prepared.bundle)))
    (verdict,) = check_mint_files(content, files, RUN_ID)
    assert verdict.problems == ()
    assert [s.signer for s in verdict.signatures] == [SIGNER]
    assert KEY not in done.output + path.read_text()


def test_a_key_may_come_from_the_environment(prepared: Prepared) -> None:
    assert "Signers  none" in prepared.run().stdout
    done = prepared.run("--key-env", "ETHEREUM")
    assert SIGNER in done.stdout
    assert len(prepared.files()) == 2
    assert len(prepared.ledger.minted) == 1


def evaluated_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Prepared:
    path = tmp_path / "task.toml"
    path.write_text(text)
    digest = load_task(path).task.digest
    return Prepared(tmp_path / "bundle", monkeypatch, core={"task_digest": digest})


def test_the_task_states_and_options_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = evaluated_task(tmp_path, monkeypatch, TASK + MINT)
    words = ("--task", tmp_path / "task.toml", "--actual-cost", 3, "--spec-id", "other")
    done = prepared.run(*words, stated={})
    assert done.exit_code == 0, done.output
    (path,) = prepared.files()
    body = json.loads(path.read_bytes())
    assert (body["score_basis"], body["spec_id"]) == ("lower_bound", "other")
    payload = body["typed_data"]["message"]["payload"]
    assert (payload["maxCostUsdMicro"], payload["actualCostUsdMicro"]) == ("5000000", "3")
    assert payload["pipelineRunId"] == RUN_ID
    assert payload["deadline"] == DEADLINE


def test_the_task_must_be_the_one_that_was_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = evaluated_task(tmp_path, monkeypatch, TASK + MINT)
    (tmp_path / "task.toml").write_text(TASK.replace("seed = 7", "seed = 8") + MINT)
    done = prepared.run("--task", tmp_path / "task.toml")
    assert done.exit_code == 2
    assert "not the one that was evaluated" in done.stderr


@pytest.mark.parametrize("reveal", [True, False])
def test_live_scores_are_revealed_by_the_task_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reveal: bool
) -> None:
    path = tmp_path / "task.toml"
    path.write_text(TASK + MINT + f"reveal_live_scores = {str(reveal).lower()}\n")
    prepared = Prepared(
        tmp_path / "bundle",
        monkeypatch,
        core={"task_digest": load_task(path).task.digest},
        plan={"rule": {"retire": "never"}},
    )
    assert prepared.run().exit_code == 3
    done = prepared.run("--task", path)
    assert done.exit_code == (0 if reveal else 3), done.output
    opened = prepared.run("--task", path, "--rows-opened")
    assert opened.exit_code == 3
    assert "its rows were opened" in opened.stderr


def test_what_is_not_stated_is_listed(prepared: Prepared) -> None:
    done = prepared.run(stated={"--model-id": "7"})
    assert done.exit_code == 2
    for name in ("spec_id", "score_basis", "max_cost_usd_micro", "verifying_contract"):
        assert name in done.stderr
    assert "model_id," not in done.stderr
    for option in ("--ledger", "--deadline"):
        words = ["mint-request", str(prepared.bundle), "--ledger", "x", "--deadline", DEADLINE]
        place = words.index(option)
        missing = CliRunner().invoke(app, words[:place] + words[place + 2 :])
        assert missing.exit_code == 2


def test_a_deadline_must_be_to_come(prepared: Prepared) -> None:
    done = prepared.run(deadline="1500000000")
    assert done.exit_code == 2
    assert "The deadline has passed" in done.stderr
    assert prepared.run(deadline="1893456000000").exit_code == 3


def test_every_reason_stands_on_its_own_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = Prepared(
        tmp_path / "bundle",
        monkeypatch,
        core={"benchmark": {"rows": 0}},
        decision={"provisional": True},
    )
    done = prepared.run(stated=STATED | {"--model-id": "0"})
    assert done.exit_code == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 4
    assert prepared.files() == []
    assert prepared.ledger.minted == {}


def test_warnings_are_said_and_written_all_the_same(prepared: Prepared) -> None:
    done = prepared.run(stated=STATED | {"--actual-cost": "9000000"})
    assert done.exit_code == 0
    assert "warning: The actual cost is over" in done.stderr
    assert len(prepared.files()) == 1


def test_other_failures_have_their_exit_codes(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepared.run("--sign", "none.key").exit_code == 2
    (prepared.bundle / "run.json").write_text("[]")
    assert prepared.run().exit_code == 2
    (prepared.bundle / "run.json").write_bytes(canonical_json({"run_id": "../x"}))
    assert prepared.run().exit_code == 3
    (prepared.bundle / "run.json").write_bytes(canonical_json({"run_id": RUN_ID}))

    def away(core_digest: str, request_sha256: str) -> Any:
        raise LedgerError("no room in the ledger")

    monkeypatch.setattr(prepared.ledger, "record_mint", away)
    assert prepared.run().exit_code == 3
    path = prepared.bundle / "public" / "decision.json"
    path.write_bytes(path.read_bytes().replace(b"accepted", b"accepteD"))
    assert prepared.run().exit_code == 3
    assert prepared.files() == []


def test_without_a_ledger_nothing_is_minted(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    options = [word for pair in STATED.items() for word in pair]
    words = ["mint-request", str(bundle), "--ledger", "none", "--deadline", DEADLINE, *options]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert not (bundle / "public" / "mint").exists()
