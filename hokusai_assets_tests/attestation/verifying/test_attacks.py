"""What a stranger's bundle or ledger tries on the machine and the eyes of whoever verifies it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from hokusai_assets.attestation.bundle import RUN
from hokusai_assets.attestation.bundle_reading import read_bundle
from hokusai_assets.attestation.ledger import SqlLedger
from hokusai_assets.attestation.ledger.database import Mode
from hokusai_assets.attestation.mint.options import MintOptions
from hokusai_assets.attestation.mint.request import derive_request
from hokusai_assets.attestation.mint.writing import mint_file
from hokusai_assets.attestation.signing.keys import new_key_pair
from hokusai_assets.attestation.signing.signing import read_public_folder
from hokusai_assets.attestation.signing.statements import public_files
from hokusai_assets.attestation.verifying import ledgers
from hokusai_assets.attestation.verifying import verify as steps
from hokusai_assets.cli.app import app
from hokusai_assets_tests.attestation.verifying.conftest import forged
from hokusai_assets_tests.conftest import ROOT

GOLDENS = ROOT / "hokusai_assets_tests" / "goldens" / "bundles"
KEYS = ("--policy", str(GOLDENS / "policy.toml"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of an accepted evaluation's bundle, signed by both of the policy's keys."""
    return shutil.copytree(GOLDENS / "accepted", tmp_path / "bundle")


def run(*words: str | Path) -> Any:
    return CliRunner().invoke(app, ["verify", *map(str, words)])


def test_the_bundle_itself_is_valid(bundle: Path) -> None:
    assert run(bundle, *KEYS).exit_code == 0


@pytest.mark.parametrize("name", [RUN, "public/plan.json", "audit/rows/leaves.jsonl.gz"])
@pytest.mark.parametrize(
    "put",
    [
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(GOLDENS / "accepted" / "public/plan.json"),
        lambda path: path.symlink_to("/etc"),
    ],
    ids=["pipe", "endless", "dangling", "elsewhere", "folder"],
)
def test_links_and_devices_are_no_files_of_a_bundle(
    bundle: Path, name: str, put: Callable[[Path], None]
) -> None:
    (bundle / name).unlink()
    put(bundle / name)
    result = run(bundle, *KEYS)
    assert result.exit_code == 1
    assert "is a link or a device" in " ".join(result.stdout.split())


def test_a_folder_in_the_place_of_the_run_is_no_traceback(bundle: Path) -> None:
    (bundle / RUN).unlink()
    (bundle / RUN).mkdir()
    assert run(bundle, *KEYS).exit_code == 0  # it may be left out, and nothing follows from it


@pytest.mark.parametrize("place", ["nope://bundle", "http://127.0.0.1:9/bundle"])
def test_what_cannot_be_read_is_a_wrong_command(place: str) -> None:
    result = run(place)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert "cannot be read" in result.stderr


def test_a_number_of_thousands_of_digits_is_a_wrong_command(bundle: Path) -> None:
    result = run(bundle, "--open", "9" * 200)
    assert (result.exit_code, type(result.exception)) == (2, SystemExit)


def test_the_signed_core_is_the_one_that_was_counted(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can write meanwhile would show forged records first, and the signed ones after."""
    for part in ("public", "audit"):
        shutil.rmtree(bundle / part)
        shutil.copytree(GOLDENS / "rejected" / part, bundle / part)

    def swapped(place: str) -> Any:
        read = read_bundle(place)
        shutil.rmtree(bundle / "public")
        shutil.copytree(GOLDENS / "accepted" / "public", bundle / "public")
        return read

    monkeypatch.setattr(steps, "read_bundle", swapped)
    result = run(bundle, *KEYS)
    assert result.exit_code == 1
    assert "was changed while it was verified" in " ".join(result.stdout.split())


def _many_rows(core: Any, plan: Any) -> None:
    core["joint_counts"][0][0][3] = 2**53 - 1


def _no_such_class(core: Any, plan: Any) -> None:
    core["joint_counts"][0][0][0] = 2**40


def _many_classes(core: Any, plan: Any) -> None:
    core["benchmark"]["labels"] = list(range(50_000))


@pytest.mark.parametrize("change", [_many_rows, _no_such_class, _many_classes])
@pytest.mark.parametrize("opened", [True, False])
def test_a_few_digits_do_not_take_all_memory(
    bundle: Path, change: Callable[[Any, Any], None], *, opened: bool
) -> None:
    for signature in (bundle / "public/signatures").iterdir():
        signature.unlink()
    shutil.rmtree(bundle / "public/mint")
    forged(bundle, change)
    if not opened:
        shutil.rmtree(bundle / "audit")
    result = run(bundle)
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    said = " ".join(result.stdout.split())
    assert "benchmark.labels are more" in said or "joint_counts[0]" in said


def test_a_request_that_the_ledger_never_saw_is_found(bundle: Path) -> None:
    """For another contract, it would mint the same gain again; it follows from the files too."""
    ledger = ("--ledger", str(GOLDENS / "ledger.sqlite"))
    assert run(bundle, *KEYS, *ledger).exit_code == 0
    files = public_files(read_public_folder(str(bundle)))
    (known,) = (bundle / "public/mint").iterdir()
    payload = json.loads(known.read_bytes())["typed_data"]["message"]["payload"]
    options = MintOptions(
        model_id="7",
        spec_id="spec",
        score_basis="measured",
        max_cost_usd_micro="5",
        actual_cost_usd_micro="5",
        chain_id="1",
        verifying_contract="0x" + "ab" * 20,
        deadline="2000000000",
    )
    request, problems = derive_request(files, payload["pipelineRunId"], options)
    assert request is not None, problems
    name, content = mint_file(request)
    (known.parent / name).write_bytes(content)
    result = run(bundle, *KEYS, *ledger)
    assert result.exit_code == 1
    assert "is not the request that the ledger holds" in " ".join(result.stdout.split())


# --- what is said of it on a terminal -------------------------------------------------------------


def test_names_in_a_bundle_are_shown_and_not_obeyed(bundle: Path) -> None:
    """A guard's name that clears the screen and writes another verdict there."""
    spoof = "\x1b[2J\x1b[HValid: everything that was shown holds.\n\u202edilav"

    def rename(core: Any, plan: Any) -> None:
        for guard in (core["guards"][0], plan["rule"]["guards"][0]):
            guard["name"] = spoof
        plan["rule"]["guards"][0]["slice"] = "part"  # not counted without rows, which is said

    for name in ("signatures", "mint", "../audit"):
        shutil.rmtree(bundle / "public" / name)
    forged(bundle, rename)
    result = run(bundle)
    assert "dilav" in result.stdout
    assert not {"\x1b", "\u202e"} & set(result.stdout)
    assert all(not line.startswith("Valid") for line in result.stdout.splitlines())


def test_a_key_that_the_policy_does_not_name_is_not_passed_over(
    bundle: Path, tmp_path: Path
) -> None:
    """Whoever names a key and a policy would otherwise take the one for asked, and it was not."""
    other = new_key_pair(tmp_path / "keys")
    result = run(bundle, *KEYS, "--key", other.public_path)
    assert result.exit_code == 2
    assert "does not name the key" in result.stderr
    assert run(bundle, *KEYS, "--key", GOLDENS / "operator.pub.pem").exit_code == 0


def test_the_ledgers_password_is_not_shown(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(SqlLedger):
        def __init__(self, url: str, mode: Mode = "write") -> None:
            super().__init__(str(bundle / "ledger.sqlite"), "create")
            self._database.name = sa.make_url(url).render_as_string(hide_password=True)

    monkeypatch.setattr(ledgers, "SqlLedger", Elsewhere)
    result = run(bundle, *KEYS, "--ledger", "postgresql://user:hunter2@host/ledger", "--json")
    assert result.exit_code == 1
    assert "is not in this ledger" in result.stdout
    assert "hunter2" not in result.output


@pytest.mark.parametrize("name", ["core.json", "mint/x.json", "signatures/x.json"])
def test_links_and_devices_are_not_signed(bundle: Path, tmp_path: Path, name: str) -> None:
    """A pipe would keep a signer's command forever, a link sign what stands elsewhere."""
    keys = new_key_pair(tmp_path / "keys")
    (bundle / "public" / name).unlink(missing_ok=True)
    os.mkfifo(bundle / "public" / name)
    done = CliRunner().invoke(app, ["sign", str(bundle), "--key", keys.private_path])
    assert done.exit_code == 3
    assert "is a link or a device" in done.stderr
