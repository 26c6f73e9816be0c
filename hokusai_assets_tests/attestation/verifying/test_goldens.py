"""Bundles that an earlier version wrote still verify, with the verdicts that they had then.

They are never made anew to make a test pass: what was published cannot be recalled.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hokusai_assets.cli.app import app
from hokusai_assets_tests.conftest import ROOT

GOLDENS = ROOT / "hokusai_assets_tests" / "goldens" / "bundles"
EXPECTED: list[dict[str, Any]] = json.loads((GOLDENS / "expected.json").read_text())
BUNDLES = sorted(path.name for path in GOLDENS.iterdir() if path.is_dir())


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: " ".join(case["words"])[:40])
def test_a_golden_has_the_verdict_it_had(case: dict[str, Any], monkeypatch: Any) -> None:
    monkeypatch.chdir(GOLDENS)
    before = contents(GOLDENS)
    done = CliRunner().invoke(app, ["verify", *case["words"], "--json"])
    said = json.loads(done.stdout)
    assert {step["name"]: step["verdict"] for step in said["steps"]} == case["steps"]
    assert said["core_digest"] == case["core_digest"]
    assert done.exit_code == said["exit_code"] == case["exit_code"]
    assert contents(GOLDENS) == before  # verifying writes nothing, not even beside the ledger


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_goldens_show_every_kind_of_bundle() -> None:
    assert {case["words"][0] for case in EXPECTED} == set(BUNDLES)
    assert {case["exit_code"] for case in EXPECTED} == {0, 3}
    verdicts = {verdict for case in EXPECTED for verdict in case["steps"].values()}
    assert verdicts >= {"holds", "unsigned", "provisional", "dry run", "not opened", "not proven"}
    for name in BUNDLES:
        files = [path.stat().st_size for path in (GOLDENS / name).rglob("*") if path.is_file()]
        assert sum(files) < 150_000


@pytest.mark.parametrize("keys", [["operator"], ["operator", "auditor"]])
def test_another_bundles_signatures_do_not_pass(tmp_path: Path, keys: list[str]) -> None:
    """What a signer said of one bundle, put beside another, is a broken bundle."""
    bundle = shutil.copytree(GOLDENS / "rejected", tmp_path / "bundle")
    signatures = bundle / "public/signatures"
    shutil.copytree(GOLDENS / "accepted/public/signatures", signatures, dirs_exist_ok=True)
    words = [word for key in keys for word in ("--key", str(GOLDENS / f"{key}.pub.pem"))]
    done = CliRunner().invoke(app, ["verify", str(bundle), *words, "--json"])
    assert done.exit_code == 1
    (failed,) = [s for s in json.loads(done.stdout)["steps"] if s["verdict"] == "fails"]
    assert failed["name"] == "signatures"
    assert "those of another bundle" in failed["sentence"]


@pytest.mark.parametrize("swapped", ["core", "plan", "decision", "manifest"])
def test_records_of_two_bundles_do_not_mix(tmp_path: Path, swapped: str) -> None:
    bundle = shutil.copytree(GOLDENS / "rejected", tmp_path / "bundle")
    shutil.copy(GOLDENS / f"closed/public/{swapped}.json", bundle / "public")
    done = CliRunner().invoke(app, ["verify", str(bundle)])
    assert done.exit_code == 1
    assert "Traceback" not in done.output


def test_the_script_names_no_place_of_a_machine() -> None:
    """Test keys are made from words that stand there; hosts and times are blanked."""
    text = (ROOT / "hokusai_assets_tests/goldens/make_bundles.py").read_text()
    assert "/tmp" not in text
    for name in BUNDLES:
        run = json.loads((GOLDENS / name / "run.json").read_text())
        assert set(run["host"].values()) == {"golden"}
