"""The bundle: its layout, written once and whole, and a reader that lets no byte go free."""

import copy
import gzip
import hashlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.bundle import (
    BY_CORE,
    CORE,
    DECISION,
    LEAVES,
    MANIFEST,
    PLAN,
    RUN,
    manifest_of,
    staged,
)
from hokusai_assets.attestation.bundle_reading import Bundle, read_bundle, record_disagreements
from hokusai_assets.attestation.core import core_digest
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AlreadyWrittenError, AttestationError, OutputDirError
from hokusai_assets_tests.conftest import Evaluated

PUBLIC = {CORE, PLAN, DECISION, MANIFEST}


@pytest.fixture
def place(evaluated: Evaluated, tmp_path: Path) -> Path:
    """A copy of the bundle of one evaluation."""
    return shutil.copytree(evaluated["attestation"].bundle_path, tmp_path / "bundle")


def files(place: Path) -> set[str]:
    return {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}


def reads(place: Path) -> Bundle:
    return read_bundle(str(place))


def remade(place: Path, name: str, body: Any) -> None:
    """Another record in a bundle, with a manifest that fits: what a forger would write."""
    (place / name).write_bytes(canonical_json(body))
    (place / MANIFEST).write_bytes(canonical_json(manifest_of(place)))


def test_the_layout_is_the_documented_one(place: Path, evaluated: Evaluated) -> None:
    assert files(place) == PUBLIC | {
        RUN,
        LEAVES,
        "audit/models/baseline/model-0.skops",
        "audit/models/candidate/model-0.skops",
        "audit/data/part-0.parquet",
        "audit/provenance/benchmark.croissant.json",
        "audit/provenance/benchmark_labels.parquet",
        "audit/provenance/contribution.croissant.json",
        "audit/provenance/packages.cdx.json",
    }
    assert sum((place / name).stat().st_size for name in PUBLIC) < 100_000
    record = evaluated["attestation"]
    assert Path(record.bundle_path).name == f"bundle_{record.run_id}"
    listing = evaluated.outputs / BY_CORE / record.core_digest / f"{record.run_id}.json"
    assert json.loads(listing.read_text()) == {
        "run_id": record.run_id,
        "bundle": f"bundle_{record.run_id}",
    }
    assert not list(evaluated.outputs.glob(".bundle-*"))


def test_records_are_read_back_and_their_digests_are_their_files(
    place: Path, evaluated: Evaluated
) -> None:
    found, record = reads(place), evaluated["attestation"]
    assert found.core == record.core
    assert found.digests[CORE] == record.core_digest == core_digest(record.core)
    assert found.digests[PLAN] == evaluated["evaluation_plan"].digest
    assert found.decision["ledger"] is None
    assert found.manifest["files"] == {
        name: hashlib.sha256((place / name).read_bytes()).hexdigest()
        for name in files(place) - {MANIFEST, RUN}
    }
    assert (found.has_audit, found.has_leaves, found.added) == (True, True, ())
    assert record_disagreements(found) == []


def test_a_bundle_without_audit_is_read_as_far_as_it_goes(place: Path) -> None:
    shutil.rmtree(place / "audit")
    (place / RUN).unlink()
    found = reads(place)
    assert (found.has_audit, found.has_leaves) == (False, False)
    assert record_disagreements(found) == []


def test_signatures_and_mint_requests_may_be_added_and_nothing_else(place: Path) -> None:
    key = "ab" * 32
    added = [
        f"public/mint/{key}.json",
        f"public/signatures/{key}.baseline.model.sigstore.json",
        f"public/signatures/{key}.candidate.model.sigstore.json",
        f"public/signatures/{key}.dsse.json",
        f"public/signatures/{key}.sigstore.json",
        f"public/signatures/{key}.test-result.dsse.json",
    ]
    for name in added:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(b"{}")
    assert reads(place).added == tuple(added)
    for name in (
        "public/note.txt",
        "public/signatures/mine.dsse.json",
        f"public/signatures/{key}.dsse.json.bak",
        f"public/signatures/{key}.other.model.sigstore.json",
        f"public/signatures/{key}.model.sigstore.json",
        "audit/rows/more.gz",
        "audit/provenance/x.json",
        "README.md",
        ".hidden",
    ):
        (place / name).write_bytes(b"{}")
        with pytest.raises(AttestationError, match="is no file of a bundle"):
            reads(place)
        (place / name).unlink()
    reads(place)


def test_every_missing_file_is_named(place: Path, tmp_path: Path) -> None:
    for name in sorted(files(place) - {RUN}):
        content = (place / name).read_bytes()
        (place / name).unlink()
        with pytest.raises(AttestationError, match="is missing"):
            reads(place)
        (place / name).write_bytes(content)
    with pytest.raises(AttestationError, match=r"no bundle at .*/nowhere: check the path"):
        reads(tmp_path / "nowhere")


def test_a_changed_byte_anywhere_is_refused(place: Path) -> None:
    rng = random.Random(8)
    for name in sorted(files(place) - {RUN}):
        content = (place / name).read_bytes()
        for _ in range(25):
            changed = bytearray(content)
            changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            (place / name).write_bytes(changed)
            with pytest.raises(AttestationError) as caught:
                reads(place)
            assert "public/" in str(caught.value) or "audit/" in str(caught.value)
        for other in (content[:-1], content + b"\n", b""):
            (place / name).write_bytes(other)
            with pytest.raises(AttestationError):
                reads(place)
        (place / name).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.update(manifest_version=2), "another version"),
        (lambda m: m.update(more=1), "and no more"),
        (lambda m: m.update(files=[]), "and no more"),
        (lambda m: m.pop("files"), "and no more"),
        (lambda m: m["files"].update({CORE: "AB" * 32}), "no SHA-256 in hex"),
        (lambda m: m["files"].update({CORE: None}), "no SHA-256 in hex"),
        (lambda m: m["files"].pop(CORE), "no file of a bundle|does not name"),
        (lambda m: m["files"].pop(LEAVES), "no file of a bundle"),
        (lambda m: m["files"].update({"../secret": "ab" * 32}), "is missing"),
        (lambda m: m["files"].update({RUN: "ab" * 32}), "cannot cover"),
        (lambda m: m["files"].update({LEAVES: "ab" * 32}), "has SHA-256"),
    ],
)
def test_a_manifest_out_of_form_is_refused(place: Path, change: Any, said: str) -> None:
    body = json.loads((place / MANIFEST).read_bytes())
    change(body)
    (place / MANIFEST).write_bytes(canonical_json(body))
    with pytest.raises(AttestationError, match=said):
        reads(place)


def test_a_path_out_of_the_bundle_is_never_opened(place: Path) -> None:
    """The file exists and has the digest: only names found in the bundle are read."""
    secret = place.parent / "secret"
    secret.write_bytes(b"x")
    body = json.loads((place / MANIFEST).read_bytes())
    body["files"]["audit/../../secret"] = hashlib.sha256(b"x").hexdigest()
    (place / MANIFEST).write_bytes(canonical_json(body))
    with pytest.raises(AttestationError, match="is missing"):
        reads(place)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (CORE, lambda b: b["metrics"]["accuracy"].update(p_value_pico=1), "body.clauses"),
        (CORE, lambda b: b.update(dry_run=True), "dry_run is not the plan's"),
        (PLAN, lambda b: b["rule"].update(min_delta_bps=0), "plan_digest is not that"),
        (DECISION, lambda b: b["body"].update(verdict="accepted"), "body.verdict"),
        (DECISION, lambda b: b["body"].update(payable_bps=500), "body.payable_bps"),
        (DECISION, lambda b: b["body"].update(alpha_m_pico=10**12), "body.alpha_m_pico"),
        (DECISION, lambda b: b["body"].update(core_digest="00" * 32), "body.core_digest"),
        (DECISION, lambda b: b["body"].update(lineage="another"), "body.lineage"),
        (DECISION, lambda b: b["body"].update(training_root="00" * 32), "body.training_root"),
        (DECISION, lambda b: b["body"].update(more=1), "body.more"),
        (DECISION, lambda b: b["body"]["clauses"].pop(0), "body.clauses"),
        (DECISION, lambda b: b["body"].update(dry_run=True), "body.dry_run"),
        (DECISION, lambda b: b["body"].pop("m"), "not of their form"),
        (DECISION, lambda b: b["body"].update(m=-1), "not of their form"),
        (DECISION, lambda b: b.update(body=None), "not of their form"),
        (DECISION, lambda b: b.update(note="x"), "and no more"),
    ],
)
def test_records_that_do_not_follow_from_one_another_are_named(
    place: Path, name: str, change: Any, said: str
) -> None:
    body = json.loads((place / name).read_bytes())
    change(body)
    remade(place, name, body)
    assert said in "; ".join(record_disagreements(reads(place)))


def test_a_record_of_another_bundle_does_not_fit(place: Path) -> None:
    core = copy.deepcopy(reads(place).core)
    core["contributors"][0]["wallet_address"] = "0x" + "1" * 40
    remade(place, CORE, core)
    assert "body.core_digest does not follow" in "; ".join(record_disagreements(reads(place)))


def records(evaluated: Evaluated) -> dict[str, Any]:
    return {
        "core": evaluated["attestation"].core,
        "plan": evaluated["evaluation_plan"].body,
        "decision": {"body": {}, "ledger": None},
        "run": {"run_id": "r"},
    }


@pytest.mark.parametrize("scheme", ["", "memory://bundles"])
def test_a_bundle_is_written_once(evaluated: Evaluated, tmp_path: Path, scheme: str) -> None:
    output = f"{scheme}/{tmp_path.name}" if scheme else str(tmp_path / "new" / "out")
    written = {}
    for attempt in ("first", "second"):
        with staged(output, "r") as stage:
            stage.place("audit/rows/leaves.jsonl.gz").write_bytes(attempt.encode())
            if attempt == "first":
                written[attempt] = stage.publish(**records(evaluated))
            else:
                with pytest.raises(AlreadyWrittenError, match="written before"):
                    stage.publish(**records(evaluated))
        assert not stage.folder.exists()
    found = read_bundle(written["first"])
    with found.open("audit/rows/leaves.jsonl.gz") as stream:
        assert stream.read() == b"first"
    assert found.core == evaluated["attestation"].core


def test_an_empty_folder_in_its_place_is_not_taken_over(
    evaluated: Evaluated, tmp_path: Path
) -> None:
    """Renaming would replace it: somebody else may be about to write there."""
    (tmp_path / "bundle_r").mkdir()
    with (
        staged(str(tmp_path), "r") as stage,
        pytest.raises(AlreadyWrittenError, match="written before"),
    ):
        stage.publish(**records(evaluated))
    assert list((tmp_path / "bundle_r").iterdir()) == []


def test_what_fails_half_way_leaves_nothing(evaluated: Evaluated, tmp_path: Path) -> None:
    tmp_path = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), staged(str(tmp_path), "r") as stage:
        stage.place(LEAVES).write_bytes(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    bad = records(evaluated) | {"decision": {"score": 0.5}}
    with (
        pytest.raises(AttestationError, match=r"public/decision\.json: score is no integer"),
        staged(str(tmp_path), "r") as stage,
    ):
        stage.publish(**bad)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_only_reads_is_named(evaluated: Evaluated, tmp_path: Path) -> None:
    with (
        staged("http://localhost:9/out", "r") as stage,
        pytest.raises(OutputDirError, match="cannot be written to http"),
    ):
        stage.publish(**records(evaluated))


def test_others_may_read_what_was_written(evaluated: Evaluated) -> None:
    root = Path(evaluated["attestation"].bundle_path)
    assert root.stat().st_mode & 0o777 == 0o755
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in root.rglob("*"))


def test_ids_stand_in_no_file_of_the_bundle(place: Path) -> None:
    """Benchmark rows are t0, t1 and so on, contributed ones c0 and d0, quoted in JSON."""
    import pyarrow.parquet as pq

    names = pq.read_schema(place / "audit/data/part-0.parquet").names
    assert names == ["label", "note", "weight", "_row_digest", "_source"]
    for name in files(place):
        content = (place / name).read_bytes()
        if name.endswith(".gz"):
            content = gzip.decompress(content)
        if name.endswith((".gz", ".json")):
            assert not any(f'"{p}{i}"'.encode() in content for p in "tcdb" for i in range(400))
