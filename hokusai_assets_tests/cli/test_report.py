"""`hokusai report`: the same pages again, from files that agree."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hokusai_assets.cli.app import app
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.conftest import Evaluated


@pytest.fixture
def folder(evaluated: Evaluated, tmp_path: Path) -> Path:
    """A copy of an evaluation's output folder."""
    return Path(shutil.copytree(evaluated.outputs, tmp_path / "outputs"))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", *words])


def pages(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.html")}


def test_pages_are_made_again_byte_for_byte(folder: Path) -> None:
    written = pages(folder)
    assert len(written) == 3
    for name in written:
        (folder / name).unlink()
    result = run(str(folder))
    assert result.exit_code == 0, result.output
    assert pages(folder) == written
    assert set(result.stdout.split()) == {str(folder / name) for name in written}


def test_pages_that_are_there_are_left(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    result = run(str(folder))
    assert result.exit_code == 0
    assert result.stdout.count("(there already, and the same)") == 3
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_another_page_is_not_overwritten(folder: Path) -> None:
    (report,) = folder.glob("report_*.html")
    report.write_text("mine")
    result = run(str(folder))
    assert result.exit_code == 2
    assert "not overwritten" in result.stderr
    assert report.read_text() == "mine"


def test_files_that_were_changed_make_no_page(folder: Path) -> None:
    (output,) = folder.glob("delta_output_*.json")
    output.write_text(output.read_text().replace('"improvement": true', '"improvement": false', 1))
    for page in folder.glob("*.html"):
        page.unlink()
    result = run(str(folder))
    assert result.exit_code == 1
    assert "disagree" in result.stderr
    assert pages(folder) == {}


def test_the_newest_run_is_taken_and_another_can_be_named(
    folder: Path, evaluated: Evaluated
) -> None:
    run_id = evaluated["attestation"].run_id
    newer = json.loads((folder / f"attestation_{run_id}.json").read_bytes())
    newer |= {"run_id": "newer", "timestamp": "2999-01-01T00:00:00+00:00"}
    (folder / "attestation_newer.json").write_bytes(canonical_json(newer))
    result = run(str(folder))
    assert result.exit_code == 2
    assert "delta_output_newer.json" in result.stderr
    assert run(str(folder), "--run-id", run_id).exit_code == 0


@pytest.mark.parametrize("words", [(), ("--run-id", "nowhere"), ("--run-id", "../x")])
def test_what_is_missing_is_named(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = run(str(tmp_path), *words)
    assert result.exit_code == 2
    assert result.stderr.startswith("hokusai: There is no ")
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_cut_off_is_named(folder: Path) -> None:
    (attestation,) = folder.glob("attestation_*.json")
    attestation.write_bytes(attestation.read_bytes()[:100])
    for words in ((), ("--run-id", attestation.stem.removeprefix("attestation_"))):
        result = run(str(folder), *words)
        assert result.exit_code == 1
        assert attestation.name in result.stderr


def test_markdown_is_printed_and_nothing_written(folder: Path) -> None:
    for page in folder.glob("*.html"):
        page.unlink()
    result = run(str(folder), "--markdown")
    assert result.exit_code == 0
    assert result.stdout.startswith("### ")
    assert "| accuracy |" not in result.stdout
    assert "| accuracy |" in run(str(folder), "--markdown", "--numbers").stdout
    assert pages(folder) == {}


def test_numbers_alone_are_refused(folder: Path) -> None:
    result = run(str(folder), "--numbers")
    assert result.exit_code == 2
    assert "--markdown" in result.stderr
