"""The check of written files: what was changed afterwards is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hokusai_assets.defs import metadata
from hokusai_assets.defs.results import result_disagreements
from hokusai_assets.digests import canonical_json
from hokusai_assets.records import Attestation, Clause
from hokusai_assets_tests.conftest import Evaluated


@pytest.fixture
def copied(evaluated: Evaluated, tmp_path: Path) -> Attestation:
    """The attestation's record, pointing to copies of its files."""
    record: Attestation = evaluated["attestation"]
    moved = {}
    for field in ("attestation_path", "delta_output_path"):
        moved[field] = shutil.copy(getattr(record, field), tmp_path)
    return record.model_copy(update=moved)


def test_intact_files_agree(copied: Attestation) -> None:
    assert result_disagreements(copied) == []


def test_a_changed_delta_output_is_named(copied: Attestation) -> None:
    path = Path(copied.delta_output_path)
    path.write_text(path.read_text().replace('"improvement": true', '"improvement": false', 1))
    problems = "; ".join(result_disagreements(copied))
    assert f"file {path.name} was changed" in problems
    assert "the attestation says" in problems


def test_a_missing_file_is_named(copied: Attestation) -> None:
    Path(copied.attestation_path).unlink()
    assert f"file {Path(copied.attestation_path).name} is missing" in result_disagreements(copied)


def rewritten(change: Callable[[dict[str, object]], None], path: str) -> None:
    body = json.loads(Path(path).read_text())
    change(body)
    Path(path).write_bytes(canonical_json(body))


def test_a_rewritten_attestation_is_named(copied: Attestation) -> None:
    def flip(body: dict[str, object]) -> None:
        body["dry_run"] = True

    rewritten(flip, copied.attestation_path)
    problems = "; ".join(result_disagreements(copied))
    assert "was changed" in problems
    assert "dry_run does not follow" in problems


def test_another_core_with_its_right_digest_is_named(copied: Attestation) -> None:
    """An attacker who recomputes every digest in the file still has another core."""
    from hokusai_assets.digests import digest_json

    def swap(body: dict[str, object]) -> None:
        core = body["core"]
        assert isinstance(core, dict)
        core["model_id"] = "another"
        body["core_digest"] = digest_json(core)
        proof = body["proof_data"]
        assert isinstance(proof, dict)
        proof["commitment"] = body["core_digest"]

    rewritten(swap, copied.attestation_path)
    assert "another core" in "; ".join(result_disagreements(copied))


def test_a_record_with_another_core_is_named(copied: Attestation) -> None:
    changed = copied.model_copy(update={"core": {**copied.core, "model_id": "another"}})
    assert "record's core" in "; ".join(result_disagreements(changed))


def test_tables_keep_their_shape_whatever_names_hold() -> None:
    clause = Clause(name="a|b", holds=False, numbers={}, sentence="x | y")
    table = metadata.clauses_table((clause,))
    assert table.splitlines()[-1] == "| a\\|b | does not hold | x \\| y |"
    assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1


def test_metadata_of_every_record(evaluated: Evaluated) -> None:
    contributed = metadata.of_contributions(evaluated["contributed_data"])
    assert (contributed["rows_read"], contributed["rows_kept"]) == (300, 299)
    assert "| alice | 200 | 0 | 0 | 1 | 0 | 0 | 0 | 199 |" in contributed["contributions"].value
    assert (contributed["rows_already_paid"], contributed["rows_of_benchmark_groups"]) == (0, 0)
    assert "completeness" in contributed["quality"].value
    benchmark = metadata.of_benchmark(evaluated["benchmark_dataset"])
    assert (benchmark["left_out_as_group_in_base"], benchmark["small_classes"]) == (0, "none")
    assert benchmark["rows_of_bad"] + benchmark["rows_of_good"] == benchmark["sampled_from"]
    merged = metadata.of_merged(evaluated["merged_dataset"])
    assert merged["rows_from_base"] + merged["rows_contributed"] == 419
    model = metadata.of_model(evaluated["new_model"])
    assert model["training_rows"] == 419
    shown = metadata.of_report(evaluated["delta_report"], plot=False)
    assert "0 by construction" in shown["null_run"] and "released_model" not in shown
    attestation = metadata.of_attestation(evaluated["attestation"])
    assert attestation["verdict"] == evaluated["attestation"].decision.verdict
    assert attestation["report"].value == evaluated["attestation"].report_path
    assert attestation["contributor_page_2"].value.endswith("_2.html")
    report = metadata.of_report(evaluated["delta_report"], plot=False)
    assert "plot" not in report
    plotted = metadata.of_report(evaluated["delta_report"], plot=True)
    assert plotted["plot"].value.startswith("![Deltas in points")
    assert len(plotted["plot"].value) < 8000
    assert report["rows_fixed"] == evaluated["delta_report"].fixed_rows
    assert "does not hold" in report["clauses"].value or "holds" in report["clauses"].value


@pytest.fixture
def with_bundle(copied: Attestation, tmp_path: Path) -> Attestation:
    place = shutil.copytree(copied.bundle_path, tmp_path / "bundle")
    return copied.model_copy(update={"bundle_path": str(place)})


def test_an_intact_bundle_agrees_and_a_changed_one_is_named(with_bundle: Attestation) -> None:
    assert result_disagreements(with_bundle) == []
    leaves = Path(with_bundle.bundle_path, "audit/rows/leaves.jsonl.gz")
    leaves.write_bytes(leaves.read_bytes()[:-1])
    assert "bundle: audit/rows/leaves.jsonl.gz has SHA-256" in result_disagreements(with_bundle)[0]
    shutil.rmtree(with_bundle.bundle_path)
    assert "bundle: There is no bundle at" in result_disagreements(with_bundle)[0]
    assert result_disagreements(with_bundle.model_copy(update={"bundle_path": ""})) == []


def test_another_evaluations_bundle_is_named(with_bundle: Attestation) -> None:
    """Whole and in itself true, but of another core than the record's."""
    from hokusai_assets.attestation.bundle import CORE, DECISION, MANIFEST, manifest_of
    from hokusai_assets.attestation.core import core_digest

    place = Path(with_bundle.bundle_path)
    core = json.loads((place / CORE).read_bytes())
    core["contributors"][0]["wallet_address"] = "0x" + "1" * 40
    decision = json.loads((place / DECISION).read_bytes())
    decision["body"]["core_digest"] = core_digest(core)
    for name, body in ((CORE, core), (DECISION, decision)):
        (place / name).write_bytes(canonical_json(body))
    (place / MANIFEST).write_bytes(canonical_json(manifest_of(place)))
    assert result_disagreements(with_bundle) == ["bundle: it holds another core than the record"]


def test_the_attestation_names_its_bundle(evaluated: Evaluated) -> None:
    record: Attestation = evaluated["attestation"]
    body = json.loads(Path(record.attestation_path).read_text())
    assert Path(record.attestation_path).parent / body["bundle"] == Path(record.bundle_path)
    assert metadata.of_attestation(record)["bundle"].value == record.bundle_path


def test_a_damaged_model_is_not_bundled(evaluated: Evaluated, tmp_path: Path) -> None:
    from hokusai_assets.attestation.bundle import staged
    from hokusai_assets.defs.bundling import copy_model
    from hokusai_assets.errors import StorageError

    model = evaluated["new_model"]
    with staged(str(tmp_path / "out"), "r") as stage:
        copy_model(stage, model)
        file = model.files[0].model_copy(update={"sha256": "00" * 32})
        with pytest.raises(StorageError, match=r"candidate .* is not the one that was recorded"):
            copy_model(stage, model.model_copy(update={"files": (file,)}))
        with pytest.raises(StorageError, match="is gone"):
            copy_model(stage, model.model_copy(update={"folder": str(tmp_path / "nowhere")}))
