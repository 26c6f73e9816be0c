"""Makes the golden bundles again: `python -m hokusai_assets_tests.goldens.make_bundles FOLDER`.

Five evaluations of made-up rows, whose bundles stand in bundles/ as this version of the format
wrote them, with the ledger, the keys and what `hokusai verify` says of each. They are kept and not
made anew: a later version must still verify them, and the files of trained models differ between
two equal trainings. Every input is fixed here, so the cores of a second run are those of the first
where the packages are the same.

All keys and secrets below are test keys: SHA-256 of a text that stands here. They protect nothing.
"""

import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.conftest import OTHER_WALLET, ROOT, TASK, WALLET, make_rows, write_csv

GROUPED = """
[model]
seeds = 2

[[columns]]
name = "shop"
type = "category"
role = "group"

[[slices]]
name = "light"
column = "weight"
minimum = 0
below = 45

[metrics]
primary = "accuracy"
included = ["accuracy", "precision", "recall", "f1_score", "auroc"]

[guards.margins]
"slice:light" = 50
"""
REGRESSION = """
task_schema = 1
id = "loads"
seed = 7

[data]
base = "base.csv"
benchmark = "benchmark.csv"

[[columns]]
name = "key"
type = "text"
role = "id"

[[columns]]
name = "size"
type = "number"

[[columns]]
name = "load"
type = "number"
role = "target"
minimum = -5
maximum = 45.5

[decision]
min_benchmark_rows = 200
max_leaked_share = 1

[[slices]]
name = "small"
column = "size"
below = 4

[guards.margins]
"slice:small" = 2
"""
CONTRACT = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
DEADLINE = 4102444800  # 2100-01-01: the command refuses one that has passed
ACCURACY = '\n[metrics]\nprimary = "accuracy"\nincluded = ["accuracy"]\n'
MINT = f"""
[mint]
model_id = "7"
spec_id = "small-benchmark-v1"
score_basis = "measured"
max_cost_usd_micro = 5000000
chain_id = 8453
verifying_contract = "{CONTRACT}"
"""
RUNS = {name: f"00000000-0000-4000-8000-00000000000{n}" for n, name in enumerate("abcde", 1)}


def secret_of(name: str) -> bytes:
    """32 bytes that anybody can compute: a test key."""
    return hashlib.sha256(f"golden test key: {name}".encode()).digest()


def evaluate(folder: Path, run_id: str, contributions: list[Path], **resources: Any) -> Path:
    """One evaluation; returns its bundle."""
    import dagster as dg

    from hokusai_assets.definitions import defs

    who = [("alice", WALLET), ("bob", OTHER_WALLET)]
    sent = [
        {"path": str(path), "contributor_id": name, "wallet_address": wallet}
        for path, (name, wallet) in zip(contributions, who, strict=False)
    ]
    inputs = {"task": str(folder / "task.toml"), "contributions": sent, "mock_rows": 300}
    job = "evaluate_contribution" if contributions else "dry_run"
    config = {
        "resources": {
            "inputs": {"config": inputs},
            "outputs": {"config": {"output_dir": str(folder / "out")}},
            "tracking": {"config": {"backend": "none"}},
            **resources,
        },
        "loggers": {"console": {"config": {"log_level": "ERROR"}}},
    }
    with dg.DagsterInstance.get() as instance:
        made = defs.resolve_job_def(job).execute_in_process(
            run_config=config, instance=instance, run_id=run_id
        )
    assert made.success
    bundle = folder / "out" / f"bundle_{run_id}"
    record = json.loads((bundle / "run.json").read_bytes())
    record |= {"host": dict.fromkeys(record["host"], "golden"), "duration_ms": 1}
    record |= {"timestamp": "2026-01-01T00:00:00+00:00"}
    (bundle / "run.json").write_bytes(canonical_json(record))  # nothing of this machine is kept
    return bundle


def prepare(
    folder: Path, task: str, base: int, benchmark: int, contributed: list[int]
) -> list[Path]:
    """The task and its files; returns the contributions."""
    folder.mkdir()
    text = TASK.replace("min_benchmark_rows = 300", "min_benchmark_rows = 200")
    (folder / "task.toml").write_text(text + task)
    counts = {"base": base, "benchmark": benchmark}
    counts |= {f"contribution-{n}": count for n, count in enumerate(contributed)}
    files = []
    for seed, (name, count) in enumerate(counts.items(), 1):
        rows = make_rows(count, seed, f"{name[0]}{seed}-")
        if task == GROUPED:
            rows = [row | {"shop": f"{name} {n % 20}"} for n, row in enumerate(rows)]
        files.append(write_csv(folder / f"{name}.csv", rows))
    return files[2:]


def accepted(work: Path) -> Path:
    """Accepted by a ledger, signed by two keys, with a signed mint request; rows hidden."""
    from typer.testing import CliRunner

    from hokusai_assets.cli.app import app

    folder = work / "accepted"
    sent = prepare(folder, ACCURACY + MINT, 12, 300, [300])
    os.environ["HOKUSAI_SALT_SECRET"] = secret_of("salt").hex()
    ledger = folder / "ledger.sqlite"
    given = {"ledger": {"config": {"backend": "sql", "url": str(ledger)}}}
    bundle = evaluate(folder, RUNS["a"], sent, **given)
    del os.environ["HOKUSAI_SALT_SECRET"]
    sign(bundle, "operator", "auditor")
    words = ["mint-request", str(bundle), "--ledger", str(ledger), "--deadline", str(DEADLINE)]
    words += ["--task", str(folder / "task.toml"), "--actual-cost", "1250000"]
    environment = {"GOLDEN_ETHEREUM": secret_of("ethereum").hex()}
    done = CliRunner().invoke(app, [*words, "--key-env", "GOLDEN_ETHEREUM"], env=environment)
    assert done.exit_code == 0, done.output
    return bundle


def closed(work: Path) -> Path:
    """Every metric, two contributors, without a ledger, signed; rows not opened."""
    metrics = ["accuracy", "precision", "recall", "f1_score", "auroc"]
    task = f'\n[metrics]\nprimary = "accuracy"\nincluded = {json.dumps(metrics)}\n'
    folder = work / "closed"
    bundle = evaluate(folder, RUNS["b"], prepare(folder, task, 60, 240, [80, 60]))
    sign(bundle, "operator")
    shutil.rmtree(bundle / "audit")
    return bundle


def rejected(work: Path) -> Path:
    """Rejected: two seeds, groups, every metric, a guarded slice; nothing hidden; models signed."""
    from hokusai_assets.attestation.signing.signing import sign_models

    folder = work / "rejected"
    bundle = evaluate(folder, RUNS["c"], prepare(folder, GROUPED, 100, 220, [40]))
    sign_models(str(bundle), model_key())
    return bundle


def dry_run(work: Path) -> Path:
    """A dry run on mock data."""
    folder = work / "dry_run"
    prepare(folder, ACCURACY, 10, 10, [])
    return evaluate(folder, RUNS["d"], [])


def regression(work: Path) -> Path:
    """A number predicted, with a guarded slice; without a ledger, signed."""
    folder = work / "regression"
    folder.mkdir()
    (folder / "task.toml").write_text(REGRESSION)
    rng = random.Random(5)
    files = []
    for name, count, noise in (("base", 8, 30), ("benchmark", 260, 3), ("contribution", 200, 3)):
        rows = []
        for n in range(count):
            size = rng.uniform(0, 10)
            load = min(max(2 + 3 * size + rng.gauss(0, noise), -5), 45.5)
            rows.append({"key": f"{name}{n}", "size": f"{size:.5f}", "load": f"{load:.3f}"})
        files.append(write_csv(folder / f"{name}.csv", rows))
    bundle = evaluate(folder, RUNS["e"], files[2:])
    sign(bundle, "operator")
    return bundle


def sign(bundle: Path, *names: str) -> None:
    """Add the signatures of test keys."""
    from hokusai_assets.attestation.signing.signing import sign_bundle

    for name in names:
        sign_bundle(str(bundle), signing_key(name))


def signing_key(name: str) -> Any:
    """The Ed25519 test key of this name."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from hokusai_assets.attestation.signing.keys import PublicKey, SigningKey

    private = Ed25519PrivateKey.from_private_bytes(secret_of(name))
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SigningKey(private, PublicKey(raw))


def model_key() -> Any:
    """The test key on P-256 that models are signed with."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    from hokusai_assets.attestation.signing.model_keys import parse_model_key

    private = ec.derive_private_key(int.from_bytes(secret_of("models")), ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return parse_model_key(pem, "make_bundles")


def main(target: Path) -> None:
    """Make everything in `target`, which must not hold it yet."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        os.environ["HOKUSAI_HOME"] = os.environ["DAGSTER_HOME"] = str(work / "home")
        (work / "home").mkdir()
        shutil.copy(ROOT / "hokusai_assets" / "defs" / "dagster.yaml", work / "home")
        made = {"accepted": accepted(work), "closed": closed(work)}
        made |= {"rejected": rejected(work), "dry_run": dry_run(work)}
        made |= {"regression": regression(work)}
        for label, folder in made.items():
            shutil.copytree(folder, target / label)
        shutil.copy(work / "accepted" / "ledger.sqlite", target / "ledger.sqlite")
        for label in ("operator", "auditor"):
            (target / f"{label}.pub.pem").write_text(signing_key(label).public.pem)
        (target / "policy.toml").write_text(policy())
        (target / "expected.json").write_text(json.dumps(expected(target), indent=1) + "\n")


def policy() -> str:
    """A policy file: both test keys must have signed."""
    keys = [
        f'[[keys]]\nname = "{name}"\npublic_key = """\n{signing_key(name).public.pem}"""\n'
        for name in ("operator", "auditor")
    ]
    return "\n".join(["threshold = 2\n", *keys])


def expected(target: Path) -> list[dict[str, Any]]:
    """What `hokusai verify` says of each bundle now; read it before it is committed."""
    from typer.testing import CliRunner

    from hokusai_assets.attestation.ledger import SqlLedger
    from hokusai_assets.cli.app import app

    last = list(SqlLedger(str(target / "ledger.sqlite"), "read").entries())[-1].hash
    ledger = ["--ledger", "ledger.sqlite"]
    asked = [
        ["accepted"],
        ["accepted", "--key", "auditor.pub.pem"],
        ["accepted", "--policy", "policy.toml", *ledger, "--checkpoint", last],
        ["closed", "--key", "operator.pub.pem"],
        ["closed", "--policy", "policy.toml", *ledger],
        ["rejected"],
        ["rejected", "--key", "operator.pub.pem"],
        ["dry_run"],
        ["regression", "--key", "operator.pub.pem"],
    ]
    os.chdir(target)
    answers = []
    for words in asked:
        done = CliRunner().invoke(app, ["verify", *words, "--json"])
        said = json.loads(done.stdout)
        steps = {step["name"]: step["verdict"] for step in said["steps"]}
        answer = {"words": words, "exit_code": done.exit_code, "core_digest": said["core_digest"]}
        answers.append(answer | {"steps": steps})
    return answers


if __name__ == "__main__":
    main(Path(sys.argv[1]))
