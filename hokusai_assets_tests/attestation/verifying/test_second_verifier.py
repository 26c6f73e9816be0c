"""Two verifiers in two languages, the second written from the page of the format: they agree.

On the goldens, and on changes of what the second looks at: that both refuse, with exit code 1 and
never a stack trace. What it does not look at it says; that is refused by the first alone.
"""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.bundle import LEAVES, manifest_of
from hokusai_assets.attestation.signing.keys import read_public_key
from hokusai_assets.attestation.signing.policy import policy_of
from hokusai_assets.attestation.verifying.outcome import Verification
from hokusai_assets.attestation.verifying.verify import Question, verify
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.attestation.verifying.mutations import (
    changed_rows,
    flipped,
    linked,
    mutated_places,
    packed,
    put,
    records,
    sealed,
    unpacked,
)
from hokusai_assets_tests.conftest import ROOT

NODE = shutil.which("node")
SCRIPT = ROOT / "examples" / "verify-in-node" / "verify.mjs"
GOLDENS = ROOT / "hokusai_assets_tests" / "goldens" / "bundles"
BUNDLES = ("accepted", "closed", "rejected", "dry_run", "regression")
KEYS = tuple(str(GOLDENS / f"{name}.pub.pem") for name in ("operator", "auditor"))
RECORDS = ("core", "plan", "decision", "manifest")
# The command once a bundle, in one process: node takes longer to start than to verify.
MANY = """
const { script, folders, words } = JSON.parse(await new Response(process.stdin).text());
const answers = [];
let said = [];
process.execArgv = []; // node counts the words of a command from there
console.log = console.error = (line) => said.push(line);
for (const [index, folder] of folders.entries()) {
  process.argv = ["node", script, folder, ...words];
  await import(`${script}?${index}`);
  answers.push({ exit_code: process.exitCode, said });
  said = [];
}
process.exitCode = 0;
process.stdout.write(JSON.stringify(answers));
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def in_node(folders: list[Path], keys: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    words = [word for key in keys for word in ("--key", key)]
    asked = {"script": SCRIPT.as_uri(), "folders": [str(f) for f in folders], "words": words}
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", MANY],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert all(answer["said"][0].startswith("Not checked: ") for answer in found)
    return found


def in_python(folder: Path, keys: tuple[str, ...] = ()) -> Verification:
    policy = policy_of([read_public_key(key) for key in keys]) if keys else None
    return verify(str(folder), Question(policy))


def both_refuse(folders: list[Path], keys: tuple[str, ...] = ()) -> None:
    """Each with exit code 1; an exception of either fails the test by itself."""
    assert folders
    for folder, other in zip(folders, in_node(folders, keys), strict=True):
        assert in_python(folder, keys).exit_code == 1, folder.name
        assert other["exit_code"] == 1, folder.name


def only_the_first_must_refuse(folders: list[Path]) -> None:
    """Of what the second says it does not look at; it answers, whatever it is."""
    assert folders
    for folder, other in zip(folders, in_node(folders), strict=True):
        assert in_python(folder).exit_code == 1, folder.name
        assert other["exit_code"] in {1, 3}, folder.name


@pytest.mark.parametrize("keys", [(), KEYS[:1], KEYS])
def test_both_say_the_same_of_every_golden(keys: tuple[str, ...]) -> None:
    folders = [GOLDENS / name for name in BUNDLES]
    for folder, other in zip(folders, in_node(folders, keys), strict=True):
        mine = in_python(folder, keys)
        assert mine.exit_code == other["exit_code"]
        opened = any(s.name == "rows" and s.verdict == "holds" for s in mine.steps)
        decided = json.loads((folder / "public/decision.json").read_bytes())["body"]["verdict"]
        rows = "opened" if opened else "not opened"
        assert other["said"][1] == f"Core {mine.core_digest} is {decided}; rows are {rows}."


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["accepted", "--key", KEYS[0], "--key", KEYS[1]], 0, "Valid, as far as"),
        (["rejected"], 3, "binds nobody"),
        ([], 2, ""),
        (["nowhere"], 2, ""),
        (["accepted", "--key", "expected.json"], 2, ""),
    ],
)
def test_the_command_as_people_use_it(words: list[str], exit_code: int, said: str) -> None:
    done = subprocess.run(
        [str(NODE), str(SCRIPT), *words], capture_output=True, text=True, cwd=GOLDENS, check=False
    )
    assert done.returncode == exit_code
    assert said in done.stdout
    assert bool(done.stderr) is (exit_code == 2)


def test_the_command_says_in_a_line_what_was_changed(tmp_path: Path) -> None:
    folder = linked(GOLDENS / "accepted", tmp_path / "changed")
    put(folder / "public/core.json", b'{"core_version":2}')
    done = subprocess.run(
        [str(NODE), str(SCRIPT), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "Not verified: public/core.json was changed.\n"
    assert done.stdout.startswith("Not checked: ")


@pytest.mark.slow
def test_a_changed_byte_of_any_public_file_is_refused(tmp_path: Path) -> None:
    rng, folders = random.Random(1), []
    for path in sorted((GOLDENS / "accepted" / "public").rglob("*.json")):
        # Mint requests, and further forms of the same signatures, the second passes over.
        if path.parent.name != "public" and not re.fullmatch(r"\w{64}\.dsse\.json", path.name):
            continue
        for _ in range(12):
            folder = linked(GOLDENS / "accepted", tmp_path / f"{len(folders)}-{path.name}")
            put(folder / path.relative_to(GOLDENS / "accepted"), flipped(path.read_bytes(), rng))
            folders.append(folder)
    assert len(folders) >= 60
    both_refuse(folders, KEYS)


@pytest.mark.slow
def test_a_changed_byte_of_the_leaves_is_refused_whoever_packs_them(tmp_path: Path) -> None:
    """The manifest is made to fit: only the root over the rows tells."""
    rng, folders = random.Random(2), []
    for number in range(40):
        folder = linked(GOLDENS / ("accepted", "rejected")[number % 2], tmp_path / str(number))
        put(folder / LEAVES, packed(flipped(unpacked(folder), rng)))
        folders.append(sealed(folder, records(folder)))
    both_refuse(folders)


def test_leaves_that_are_packed_otherwise_are_refused(tmp_path: Path) -> None:
    """A second gzip member, or anything, after the first could hide from one reader of two.

    The second unpacks as node does, which passes over some of this: the root is over the lines.
    """
    whole = (GOLDENS / "accepted" / LEAVES).read_bytes()
    leaves = unpacked(GOLDENS / "accepted")
    half = leaves.index(b"\n", len(leaves) // 2) + 1
    ways = {
        "cut": whole[:-1],
        "checksum": flipped(whole[-8:-4], random.Random(3)).join([whole[:-8], whole[-4:]]),
        "no-feed": packed(leaves[:-1]),
        "empty": packed(b""),
        "bomb": packed(leaves + b"0" * 60_000_000),
        "spaced": packed(leaves.replace(b",", b", ", 1)),
    }
    finer = {
        "again": whole + packed(b""),
        "two": packed(leaves[:half]) + packed(leaves[half:]),
        "zeros": whole + bytes(8),
        "text": whole + b"more",
        "named": whole[:3] + b"\x08" + whole[4:10] + b"rows\x00" + whole[10:],
    }
    folders = []
    for name, content in (ways | finer).items():
        folder = linked(GOLDENS / "accepted", tmp_path / name)
        put(folder / LEAVES, content)
        folders.append(sealed(folder, records(folder)))
    both_refuse([folder for folder in folders if folder.name in ways])
    only_the_first_must_refuse([folder for folder in folders if folder.name in finer])


@pytest.mark.slow
def test_fields_dropped_retyped_or_swapped_are_refused(tmp_path: Path) -> None:
    rng, folders = random.Random(4), []
    for name in RECORDS:
        path = f"public/{name}.json"
        value = json.loads((GOLDENS / "accepted" / path).read_bytes())
        contents = [canonical_json(mutated) for mutated in mutated_places(value, rng, 25)]
        contents += [(GOLDENS / other / path).read_bytes() for other in BUNDLES[1:]]
        for content in contents:
            folder = linked(GOLDENS / "accepted", tmp_path / f"{len(folders)}-{name}")
            put(folder / path, content)
            folders.append(folder)
    swapped = linked(GOLDENS / "accepted", tmp_path / "leaves")
    put(swapped / LEAVES, (GOLDENS / "rejected" / LEAVES).read_bytes())
    both_refuse([*folders, swapped], KEYS)


@pytest.mark.slow
def test_sealed_anew_neither_stumbles_and_the_second_is_never_the_stricter(tmp_path: Path) -> None:
    """Whoever writes every file anew may write what follows; what does not, is refused."""
    rng, folders = random.Random(5), []
    for bundle in ("accepted", "closed", "rejected"):
        for name in ("core", "plan", "decision"):
            made = records(GOLDENS / bundle)
            for mutated in mutated_places(made[name], rng, 15):
                folder = linked(GOLDENS / bundle, tmp_path / f"{len(folders)}-{bundle}-{name}")
                folders.append(sealed(folder, records(folder) | {name: mutated}))
    refused = 0
    for folder, other in zip(folders, in_node(folders), strict=True):
        mine = in_python(folder).exit_code
        assert mine in {1, 3}
        assert other["exit_code"] in {1, 3}
        assert (mine, other["exit_code"]) != (3, 1), (folder.name, other["said"])
        refused += other["exit_code"] == 1
    assert refused > len(folders) / 4


def _set(record: str, *path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(made: dict[str, Any]) -> None:
        inside = made[record]
        for name in path[:-1]:
            inside = inside[name]
        old = inside[path[-1]]
        inside[path[-1]] = to(old) if callable(to) else to

    return change


def _without_classes(made: dict[str, Any]) -> None:
    """As if numbers were predicted, so that nothing counts the rows."""
    core, rule = made["core"], made["plan"]["rule"]
    core["benchmark"]["labels"] = []
    core |= {"joint_counts": [[]], "metrics": {"recall": core["metrics"]["accuracy"]}}
    rule |= {"primary": "recall", "included": ["recall"]}
    rule["tests"]["recall"] = rule["tests"].pop("accuracy")
    made["decision"]["body"]["clauses"][2]["numbers"]["primary"] = "recall"


def _better_p(made: dict[str, Any]) -> None:
    """A p value that the clause tells too: only the joint counts are against it."""
    numbers = made["decision"]["body"]["clauses"][3]["numbers"]
    made["core"]["metrics"]["accuracy"]["p_value_pico"] = numbers["primary_p_pico"] = 7
    numbers["p_pico"] = numbers["delta_one_p_pico"]


def _missed_threshold(made: dict[str, Any]) -> None:
    """Every number is right; only that the clause holds does not follow."""
    made["plan"]["rule"]["min_delta_bps"] = 5000
    made["decision"]["body"]["clauses"][2]["numbers"]["min_delta_bps"] = 5000


LIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "verdict": _set("decision", "body", "verdict", to="superseded"),
    "attempt": _set("decision", "body", "m", to=31),
    "attempt as true": _set("decision", "body", "m", to=True),
    "a clause": _set("decision", "body", "clauses", 3, "holds", to=False),
    "a clause's number": _set("decision", "body", "clauses", 1, "numbers", "rows", to=5000),
    "another number": _set(
        "decision", "body", "clauses", 0, "numbers", "benchmark_rows_in_training", to=1
    ),
    "a clause's test": _set("decision", "body", "clauses", 3, "numbers", "primary_test", to="none"),
    "model": _set("decision", "body", "model_id", to="other"),
    "version of the rule": _set("decision", "body", "rule_version", to=2),
    "version of leaves": _set("core", "rows", "leaf_version", to=2),
    "ledger without an entry": _set("decision", "ledger", to={}),
    "no classes to count by": _without_classes,
    "p in core and clause": _better_p,
    "a threshold that was missed": _missed_threshold,
    "no clause current": _set("decision", "body", "clauses", to=lambda old: old[:-1]),
    "provisional": _set("decision", "body", "provisional", to=True),
    "not in the ledger": _set("decision", "ledger", to=None),
    "training root": _set("decision", "body", "training_root", to="ab" * 32),
    "payable as text": _set("decision", "body", "payable_bps", to="58"),
    "accuracy": _set("core", "metrics", "accuracy", "candidate_millionths", to=lambda a: a + 1),
    "p": _set("core", "metrics", "accuracy", "p_value_pico", to=lambda p: p // 2),
    "a joint count": _set("core", "joint_counts", 0, 0, 3, to=lambda n: n + 1),
    "rows": _set("core", "benchmark", "rows", to=301),
    "groups": _set("core", "benchmark", "clusters", to=20),
    "leaked": _set("core", "counts", 0, "leaked", to=10),
    "dry run": _set("core", "dry_run", to=True),
    "level": _set("plan", "rule", "familywise_alpha_pico", to=5 * 10**11),
    "threshold": _set("plan", "rule", "min_delta_bps", to=1),
    "least rows as null": _set("plan", "rule", "min_benchmark_rows", to=None),
    "roots": _set("plan", "content_roots", "base", to="ab" * 32),
    "paid root": _set("plan", "paid_root", to=None),
    "version": _set("plan", "rule", "version", to=2),
}
# Of what the second does not look at.
FINER_LIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "predictions": _set("core", "predictions_digests", "baseline", to="ab" * 32),
    "another model": _set("decision", "body", "candidate_file_sha256", to="ab" * 32),
    "error": _set("core", "delta_one", "standard_error_nano", to=lambda s: s // 2),
    "DeltaOne": _set("core", "delta_one", "millionths", to=lambda d: d + 100),
    "seeds": _set("core", "seeds", 0, to=lambda seed: seed + 1),
    "number of seeds": _set("plan", "number_of_seeds", to=2),
    "nullifier": _set("core", "nullifiers", 0, to="ab" * 32),
    "contribution": _set("core", "contributors", 0, "content_root", to="ab" * 32),
    "counts": _set("core", "counts", 0, "kept", to=lambda n: n - 1),
    "weights": _set("core", "contributors", 0, "weight_bps", to=9_999),
    "baseline": _set("core", "baseline", to={"origin": "stored", "file_sha256": "ab" * 32}),
    "configuration": _set("core", "model_configuration", "estimator", to="other"),
}


def told(folder: Path, lies: dict[str, Callable[[dict[str, Any]], None]]) -> list[Path]:
    """A bundle with each lie, sealed anew."""
    folders = []
    for name, change in lies.items():
        bundle = linked(GOLDENS / "accepted", folder / name)
        made = records(bundle)
        change(made)
        folders.append(sealed(bundle, made))
    return folders


def test_lies_that_somebody_sealed_are_refused_by_both(tmp_path: Path) -> None:
    both_refuse(told(tmp_path, LIES))


def test_files_that_are_not_the_manifests_are_refused_by_both(tmp_path: Path) -> None:
    def another(name: str, path: str) -> Path:
        folder = linked(GOLDENS / "accepted", tmp_path / name)
        (folder / path).write_bytes(b"{}")
        return folder

    folders = [another(path.replace("/", "-"), path) for path in ("public/more.json", "audit/more")]
    lost = linked(GOLDENS / "accepted", tmp_path / "lost")
    (lost / "audit/data/part-0.parquet").unlink()
    outside = linked(GOLDENS / "accepted", tmp_path / "outside")
    (outside / "audit/data/part-0.parquet").unlink()
    (outside / "audit/data/part-0.parquet").symlink_to(
        GOLDENS / "accepted/audit/data/part-0.parquet"
    )
    both_refuse([*folders, lost, outside])


def test_another_form_of_json_is_refused_by_both(tmp_path: Path) -> None:
    """In a field whose value the second passes over, so that the form alone is wrong."""
    told = (GOLDENS / "accepted/public/decision.json").read_bytes()
    field = b'"retire":"on_acceptance"'
    assert told.count(field) == 1
    ways = {
        "spaced": told.replace(b",", b", ", 1),
        "twice": told.replace(b'{"body":', b'{"body":{},"body":'),
        "ended": told + b"\n",
        "float": told.replace(b'"payable_bps":58', b'"payable_bps":58.0'),
        "large": told.replace(field, b'"retire":9007199254740993'),
        "decomposed": told.replace(field, '"retire":"e\u0301"'.encode()),
        "surrogate": told.replace(field, b'"retire":"\\ud800"'),
        "escaped": told.replace(field, b'"retire":"\\u006f"'),
        "key": told.replace(field, field + ',"ret\u00e9":1'.encode()),
        "deep": told.replace(field, b'"retire":' + b"[" * 40 + b"]" * 40),
        "deeper": told.replace(field, b'"retire":' + b"[" * 100_000 + b"]" * 100_000),
        "no utf-8": told.replace(field, b'"retire":"\xff"'),
    }
    folders = []
    for name, content in ways.items():
        assert content != told, name
        folders.append(linked(GOLDENS / "accepted", tmp_path / name))
        shutil.rmtree(folders[-1] / "public/signatures")
        put(folders[-1] / "public/decision.json", content)
        put(folders[-1] / "public/manifest.json", canonical_json(manifest_of(folders[-1])))
    both_refuse(folders)


def test_joint_counts_that_no_rows_can_have_are_refused_by_both(tmp_path: Path) -> None:
    """Where rows are closed: cells that leave every sum as it was."""
    folders = []
    for name, cell in {"class": [2, 0, 1, 0], "none": [0, 0, 2, 0], "text": [0, 0, "0", 0]}.items():
        folder = linked(GOLDENS / "closed", tmp_path / name)
        made = records(folder)
        made["core"]["joint_counts"][0].append(cell)
        folders.append(sealed(folder, made))
    both_refuse(folders)


def test_a_signature_under_anothers_name_is_refused_by_both(tmp_path: Path) -> None:
    """Of a key that was given it must hold, whatever its form."""
    folder = linked(GOLDENS / "accepted", tmp_path / "swapped")
    first, second = sorted((folder / "public/signatures").glob("*[0-9a-f].dsse.json"))
    envelope, other = (json.loads(path.read_bytes()) for path in (first, second))
    envelope["signatures"][0]["sig"] = other["signatures"][0]["sig"]
    put(first, canonical_json(envelope))
    both_refuse([folder], KEYS)


def test_finer_lies_are_refused_by_the_first(tmp_path: Path) -> None:
    only_the_first_must_refuse(told(tmp_path, FINER_LIES))


def test_rows_that_were_changed_and_hashed_anew_are_refused_by_both(tmp_path: Path) -> None:
    """The root fits the leaves; the counts do not, or the leaves are none."""

    def label(leaf: list[Any]) -> None:
        leaf[3] = 1 - leaf[3] if leaf[0] == 7 else leaf[3]

    def fixed(leaf: list[Any]) -> None:
        leaf[5][0][0] = leaf[3] if leaf[0] < 20 else leaf[5][0][0]

    def score(leaf: list[Any]) -> None:
        leaf[4][0][1] += leaf[0] == 3

    def order(leaf: list[Any]) -> None:
        leaf[0] += leaf[0] == 299

    def group(leaf: list[Any]) -> None:
        leaf[2] = leaf[1]

    def no_class(leaf: list[Any]) -> None:
        leaf[4][0][0] = 2 if leaf[0] == 1 else leaf[4][0][0]

    def inside(leaf: list[Any]) -> None:
        leaf[6] = [0]

    def regroup(leaf: list[Any]) -> None:
        leaf[2] = leaf[1] if leaf[0] == 5 else None

    def seed(leaf: list[Any]) -> None:
        leaf[5].append(leaf[5][0])

    def changed(changes: list[Callable[[list[Any]], None]]) -> list[Path]:
        folders = []
        for change in changes:
            folder = linked(GOLDENS / "accepted", tmp_path / change.__name__)
            folders.append(changed_rows(folder, change, root=True))
        return folders

    both_refuse(changed([label, fixed, order, group, no_class, regroup, seed]))
    # Nothing that the second counts is of scores, or of the rows of a slice.
    only_the_first_must_refuse(changed([score, inside]))
