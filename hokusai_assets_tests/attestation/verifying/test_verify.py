"""Verifying a bundle: what holds is said, what was changed is named, and nothing is a traceback."""

import copy
import gzip
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.bundle import CORE, DECISION, LEAVES, MANIFEST, PLAN, manifest_of
from hokusai_assets.attestation.rows.leaves import GZIP_HEADER
from hokusai_assets.attestation.signing.keys import read_private_key, read_public_key
from hokusai_assets.attestation.signing.policy import policy_of
from hokusai_assets.attestation.signing.signing import sign_bundle
from hokusai_assets.attestation.verifying.outcome import Step, Verification
from hokusai_assets.attestation.verifying.verify import STEPS, Question, verify
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import MissingFileError
from hokusai_assets_tests.attestation.verifying.conftest import forged, load, store


def steps_of(place: Path, question: Question | None = None) -> dict[str, Step]:
    found = verify(str(place), question)
    assert [step.name for step in found.steps] == [n for n in STEPS if n in _names(found)]
    return {step.name: step for step in found.steps}


def _names(found: Verification) -> set[str]:
    return {step.name for step in found.steps}


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of a record stands, containers too."""
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [p for key in value for p in paths_in(value[key], (*path, key))]
    if isinstance(value, list):
        return found + [p for at, item in enumerate(value) for p in paths_in(item, (*path, at))]
    return found


def at(record: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        record = record[key]
    return record


def another(value: Any) -> Any:
    """A value of the same type that is another one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 7
    if isinstance(value, str):
        if value.startswith("0x"):
            return "0x" + "11" * 20
        return "ab" * 32 if len(value) == 64 else value + "x"
    return "x"


# --- what an honest bundle says -------------------------------------------------------------------


def test_what_is_whole_holds_and_what_is_not_shown_is_said(place: Path) -> None:
    found = verify(str(place))
    verdicts = {step.name: step.verdict for step in found.steps}
    assert verdicts == {
        "files": "holds",
        "form": "holds",
        "signatures": "unsigned",
        "rows": "holds",
        "numbers": "holds",
        "decision": "provisional",
        "plan": "holds",
        "ledger": "not asked",
        "order": "not proven",
        "replay": "not asked",
        "mint": "not asked",
    }
    assert found.exit_code == 3
    assert found.core_digest == load(place, DECISION)["body"]["core_digest"]


def test_signatures_are_checked_by_the_keys_that_are_given(place: Path, keys: Any) -> None:
    sign_bundle(str(place), read_private_key(keys.private_path))
    policy = policy_of([read_public_key(keys.public_path)])
    signed = steps_of(place, Question(policy))["signatures"]
    assert signed.verdict == "holds"
    assert steps_of(place)["signatures"].verdict == "unsigned"  # signed, but by whom?
    assert verify(str(place), Question(policy)).exit_code == 3  # provisional all the same


def test_without_the_audit_folder_it_verifies_as_far_as_it_goes(place: Path) -> None:
    shutil.rmtree(place / "audit")
    steps = steps_of(place)
    assert steps["rows"].verdict == steps["numbers"].verdict == "not opened"
    assert "Rows not opened" in steps["rows"].sentence
    assert "accuracy" in steps["numbers"].sentence
    assert "auroc" in steps["numbers"].sentence.partition("; not ")[2]
    assert verify(str(place)).exit_code == 3


@pytest.mark.parametrize("missing", [CORE, PLAN, DECISION, MANIFEST, LEAVES])
def test_a_file_that_is_gone_is_named(place: Path, missing: str) -> None:
    (place / missing).unlink()
    found = verify(str(place))
    assert found.exit_code == 1
    assert missing in found.steps[0].sentence


def test_a_folder_that_is_no_bundle_is_a_sentence(tmp_path: Path) -> None:
    found = verify(str(tmp_path))
    assert found.exit_code == 1
    assert "bundle" in found.steps[0].sentence
    with pytest.raises(MissingFileError, match="There is no bundle"):
        verify(str(tmp_path / "none"))


# --- what was changed -----------------------------------------------------------------------------


def test_every_byte_of_public_and_of_the_leaves_is_bound(place: Path) -> None:
    draw = random.Random(20261126)
    for name in (CORE, PLAN, DECISION, MANIFEST, LEAVES):
        content = (place / name).read_bytes()
        for _ in range(30):
            changed = bytearray(content)
            changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            (place / name).write_bytes(bytes(changed))
            found = verify(str(place))
            assert found.exit_code == 1, (name, bytes(changed))
        (place / name).write_bytes(content)
    assert verify(str(place)).exit_code == 3


def test_every_bit_of_a_leaf_is_bound_although_the_manifest_fits(place: Path) -> None:
    draw = random.Random(7)
    content = gzip.decompress((place / LEAVES).read_bytes())
    for _ in range(25):
        changed = bytearray(content)
        changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        packed = gzip.compress(bytes(changed), mtime=0)
        (place / LEAVES).write_bytes(GZIP_HEADER + packed[len(GZIP_HEADER) :])
        (place / MANIFEST).write_bytes(canonical_json(manifest_of(place)))
        found = {step.name: step for step in verify(str(place)).steps}
        assert found["rows"].verdict == "fails"
        assert LEAVES in found["rows"].sentence


@pytest.mark.slow
@pytest.mark.parametrize("name", [CORE, PLAN, DECISION])
def test_a_field_dropped_or_of_another_type_is_no_traceback(place: Path, name: str) -> None:
    record = load(place, name)
    draw = random.Random(len(name))
    paths = paths_in(record)
    # What a task or an environment names freely may be anything: only a signature binds it.
    free = ("model_configuration", "package_versions", "metrics_missing", "detectors", "weights")
    paths = [path for path in paths if not set(free) & set(path[:-1])]
    for path in draw.sample(paths, 25):
        for wrong in (None, [], {}, "x", -1, True, "drop"):
            changed = copy.deepcopy(record)
            holder = at(changed, path[:-1])
            if wrong == "drop":
                del holder[path[-1]]
            elif holder[path[-1]] == wrong:
                continue
            else:
                holder[path[-1]] = wrong
            if canonical_json(changed) == canonical_json(record):
                continue
            store(place, name, changed)
            found = verify(str(place))
            assert found.exit_code == 1, (path, wrong)
    store(place, name, record)
    assert verify(str(place)).exit_code == 3


# What is bound by a signature and by recomputing alone: whoever makes a bundle of his own may write
# there what he likes. Everything else of core and plan follows from rows, plan or decision.
FREE = {
    ("core", "constraints_sha256"),
    ("core", "package_versions"),
    ("core", "run_configuration", "estimator"),
    ("core", "run_configuration", "merge_strategy"),
    ("core", "run_configuration", "seed"),
    ("core", "run_configuration", "task_id"),
    ("core", "contributors", "contributor_id"),
    ("core", "contributors", "wallet_address"),
    ("core", "pii", "policy"),
    ("core", "benchmark", "rows_left_in_training"),
    ("core", "benchmark", "left_out_as_in_base"),
    ("core", "benchmark", "left_out_as_group_in_base"),
    ("core", "benchmark", "sampled_from"),
    ("core", "rows", "hides"),
}


@pytest.mark.slow
def test_what_a_forger_changes_is_found_but_for_what_only_a_signature_binds(place: Path) -> None:
    honest = {name: (place / name).read_bytes() for name in (CORE, PLAN, DECISION, MANIFEST)}
    core = load(place, CORE)
    unnoticed = set()
    for path in paths_in(core):
        value = at(core, path)
        if isinstance(value, dict | list) or path == ("plan_digest",):  # made anew by a forger
            continue

        def change(core: Any, plan: Any, path: tuple[Any, ...] = path) -> None:
            holder = at(core, path[:-1])
            holder[path[-1]] = another(holder[path[-1]])

        try:
            forged(place, change)
        except (KeyError, TypeError, ValueError):
            continue  # not even a decision follows
        if verify(str(place)).exit_code != 1:
            names = tuple(part for part in ("core", *path) if isinstance(part, str))
            unnoticed.add(next((f for f in FREE if names[: len(f)] == f), names))
        for name, content in honest.items():
            (place / name).write_bytes(content)
    assert unnoticed == FREE


def test_a_forgery_is_found_by_the_signature_all_the_same(place: Path, keys: Any) -> None:
    sign_bundle(str(place), read_private_key(keys.private_path))
    policy = policy_of([read_public_key(keys.public_path)])

    def change(core: Any, plan: Any) -> None:
        core["contributors"][0]["wallet_address"] = "0x" + "11" * 20

    forged(place, change)
    steps = steps_of(place, Question(policy))
    assert steps["signatures"].verdict == "fails"
    assert "subjects" in steps["signatures"].sentence
    assert steps["rows"].verdict == "not reached"


def test_fields_swapped_between_two_bundles_are_found(place: Path, tmp_path: Path) -> None:
    other = shutil.copytree(place, tmp_path / "other")

    def change(core: Any, plan: Any) -> None:
        plan["rule"]["min_delta_bps"] = 50
        core["seeds"] = core["seeds"][:]

    forged(other, change)
    assert verify(str(other)).exit_code == 1  # its seeds are the other plan's
    for name in (CORE, PLAN, DECISION, MANIFEST):
        honest = (place / name).read_bytes()
        shutil.copy(other / name, place / name)
        assert verify(str(place)).exit_code == 1
        (place / name).write_bytes(honest)


def test_better_numbers_than_the_rows_give_are_found(place: Path) -> None:
    def change(core: Any, plan: Any) -> None:
        accuracy = core["metrics"]["accuracy"]
        accuracy["candidate_millionths"] += 50_000
        accuracy["delta_millionths"] += 50_000

    forged(place, change)
    steps = steps_of(place)
    assert steps["numbers"].verdict == "fails"
    assert "core.metrics.accuracy" in steps["numbers"].sentence
    assert steps["decision"].verdict == "not reached"
    shutil.rmtree(place / "audit")  # and from the joint counts alone
    assert steps_of(place)["numbers"].verdict == "fails"


def test_a_model_that_was_not_decided_on_is_found(place: Path) -> None:
    model = place / "audit/models/candidate/model-0.skops"
    model.write_bytes(model.read_bytes() + b"x")
    (place / MANIFEST).write_bytes(canonical_json(manifest_of(place)))
    steps = steps_of(place)
    assert steps["decision"].verdict == "fails"
    assert "candidate_file_sha256" in steps["decision"].sentence


def test_nobody_calls_a_provisional_decision_final(place: Path) -> None:
    decision = load(place, DECISION)
    decision["body"]["provisional"] = False
    store(place, DECISION, decision)
    assert steps_of(place)["decision"].verdict == "fails"
    decision["ledger"] = {"entry": "ab" * 32, "previous": "cd" * 32}
    store(place, DECISION, decision)
    assert steps_of(place)["decision"].verdict == "fails"


def test_all_problems_are_there_and_the_first_is_said(place: Path) -> None:
    def change(core: Any, plan: Any) -> None:
        core["seeds"] = [1]
        core["nullifiers"] = ["ab" * 32] * 2

    forged(place, change)
    step = steps_of(place)["plan"]
    assert step.verdict == "fails"
    assert "seeds" in step.sentence
    assert any("nullifiers" in more for more in step.more)


def test_a_number_that_json_takes_for_the_same_is_not(place: Path) -> None:
    content = (place / CORE).read_bytes()
    for same in (content.replace(b'"rows_left_in_training":0', b'"rows_left_in_training":false'),):
        assert same != content
        (place / CORE).write_bytes(same)
        (place / MANIFEST).write_bytes(canonical_json(manifest_of(place)))
        found = verify(str(place))
        (failed,) = [step for step in found.steps if step.verdict == "fails"]
        assert failed.name == "form"
        assert "rows_left_in_training" in failed.sentence


def test_the_exit_code_is_the_first_that_applies() -> None:
    def code(*verdicts: Any) -> int:
        return Verification("x", None, tuple(Step("s", v, "") for v in verdicts)).exit_code

    assert code("holds", "not opened", "not asked", "not proven") == 0
    assert code("unsigned") == code("provisional") == code("dry run") == 3
    assert code("unsigned", "differs") == 4
    assert code("differs", "replay", "unsigned") == 5
    assert code("replay", "fails", "differs") == 1


def test_nothing_is_written(place: Path) -> None:
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in place.rglob("*")}
    verify(str(place))
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in place.rglob("*")} == before


def test_steps_can_be_printed_as_json(place: Path) -> None:
    for step in verify(str(place)).steps:
        json.dumps([step.name, step.verdict, step.sentence, step.more])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("millionths", 90_000),
        ("metrics_included", ["accuracy"]),
        ("metrics_missing", {"recall": "x"}),
        ("weights_millionths", {"accuracy": 1_000_000}),
    ],
)
def test_delta_one_is_held_to_its_deltas_although_no_row_is_opened(
    place: Path, field: str, value: Any
) -> None:
    shutil.rmtree(place / "audit")

    def change(core: Any, plan: Any) -> None:
        core["delta_one"][field] = value

    forged(place, change, audit=False)
    step = steps_of(place)["plan"]
    assert step.verdict == "fails"
    assert f"delta_one.{field}" in " ".join((step.sentence, *step.more))


def test_a_metric_that_no_plan_asked_for_is_found_without_rows(place: Path) -> None:
    shutil.rmtree(place / "audit")

    def change(core: Any, plan: Any) -> None:
        core["metrics"]["brier_score"] = core["metrics"]["auroc"]

    forged(place, change, audit=False)
    assert "rule.included" in steps_of(place)["plan"].sentence
