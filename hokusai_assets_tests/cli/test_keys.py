"""`hokusai keys` as people use it."""

import stat
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hokusai_assets.attestation.signing.keys import read_private_key, read_public_key
from hokusai_assets.cli.app import app


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words])


def test_a_pair_is_made_shown_and_not_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    done = run("new", "--output-dir", str(folder))
    assert done.exit_code == 0, done.output
    private, public = folder / "signing_key.pem", folder / "signing_key.pub.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    keyid = read_public_key(public).keyid
    assert keyid in done.stdout
    assert str(private) in done.stdout
    shown = run("show", str(public))
    assert shown.exit_code == 0
    assert shown.stdout == f"Key id {keyid}\n{public.read_text()}"
    again = run("new", "--output-dir", str(folder))
    assert again.exit_code == 1
    assert "never overwritten" in again.stderr
    assert read_private_key(private).keyid == keyid
    for result in (done, shown, again):
        for line in private.read_text().splitlines()[1:-1]:
            assert line not in result.output


def test_without_words_the_keys_go_home(tmp_path: Path) -> None:
    assert run("new").exit_code == 0
    assert (tmp_path / "home" / "keys" / "signing_key.pem").exists()  # HOKUSAI_HOME of the tests


@pytest.mark.parametrize(
    ("name", "said"), [("none.pem", "There is no key file"), ("private", "holds a private key")]
)
def test_what_cannot_be_shown_is_one_sentence(tmp_path: Path, name: str, said: str) -> None:
    run("new", "--output-dir", str(tmp_path))
    (tmp_path / "signing_key.pem").rename(tmp_path / "private")
    done = run("show", str(tmp_path / name))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("hokusai: ")
    assert said in done.stderr


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("new", "--output-dir", str(tmp_path / "file" / "keys"))
    assert done.exit_code == 2
    assert "choose another" in done.stderr


@pytest.mark.parametrize("command", ["new", "show"])
def test_help_has_examples_and_exit_codes(command: str) -> None:
    done = run(command, "--help")
    assert "Examples:" in done.output
    assert "Exit codes: 0" in " ".join(done.output.split())
