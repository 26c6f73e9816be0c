"""Ids, groups and secrets stand in nothing that a run writes; and the salt matters."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hokusai_assets.attestation.bundle import LEAVES
from hokusai_assets.attestation.rows.references import leaf_secret, salt_key_id
from hokusai_assets.defs.running import evaluate
from hokusai_assets.records import Attestation
from hokusai_assets.settings import salt_secret
from hokusai_assets_tests.conftest import TASK, SmallTask, make_rows, write_csv

SECRET = "5eed" * 16
NONCE = "0ff0" * 16
PII_KEY = "canary-key-of-personal-data"

GROUPED = TASK.replace(
    '[[columns]]\nname = "weight"',
    '[[columns]]\nname = "shop"\ntype = "text"\nrole = "group"\npii = "keep"\n\n'
    '[[columns]]\nname = "weight"',
)


def run(small: SmallTask, out: Path) -> Attestation:
    outcome = evaluate(
        {
            "inputs": small.inputs(),
            "outputs": {"output_dir": str(out)},
            "tracking": {"backend": "none"},
        },
        dry_run=False,
        progress=lambda step, state: None,
    )
    assert outcome.evaluation is not None, outcome.message
    return outcome.evaluation.attestation


def plain(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what is packed in it."""
    content = path.read_bytes()
    yield content
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    if path.suffix == ".skops":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield json.dumps(table.to_pydict(), default=bytes.hex).encode()


@pytest.mark.slow
def test_no_id_group_secret_or_path_stands_in_what_is_written(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, count, seed in (("base", 120, 1), ("benchmark", 400, 2), ("contribution", 300, 3)):
        rows = make_rows(count, seed, f"canary.id.{name}@example.org-")
        if name == "benchmark":
            rows = [r | {"shop": f"canarygroup{i % 40}"} for i, r in enumerate(rows)]
        else:  # groups of contributed rows are content, which auditors digest again
            rows = [r | {"shop": f"open{i % 40}"} for i, r in enumerate(rows)]
        write_csv(small.folder / f"{name}.csv", rows)
    small.task.write_text(GROUPED)
    monkeypatch.setenv("HOKUSAI_SALT_SECRET", SECRET)
    monkeypatch.setenv("HOKUSAI_PLAN_NONCE", NONCE)
    monkeypatch.setenv("HOKUSAI_PII_KEY", PII_KEY)
    out = tmp_path / "out"
    record = run(small, out)
    assert record.core["rows"]["hides"] is True
    assert record.core["benchmark"]["clusters"] == 40
    key = leaf_secret(bytes.fromhex(SECRET), record.core["content_roots"]["benchmark_scored"]).key
    secrets = [SECRET, NONCE, PII_KEY, key.hex(), "canary.id", "canarygroup", str(small.folder)]
    needles = [text.encode() for text in secrets]
    needles += [bytes.fromhex(SECRET), bytes.fromhex(NONCE), key]
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert len([path for path in written if path.parent.name == "provenance"]) == 4
    for path in written:
        for content in plain(path):
            assert not [n for n in needles if n in content], path
    # The search would find them: what cleaning itself stores holds the ids.
    leaves = gzip.decompress(Path(record.bundle_path, LEAVES).read_bytes())
    assert leaves.count(b"\n") == record.core["rows"]["count"]


@pytest.mark.slow
def test_the_salt_secret_hides_rows_and_is_named_by_its_id(
    small: SmallTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[Any, Attestation] = {None: run(small, tmp_path / "out")}
    for secret in (SECRET, "ab" * 32):
        monkeypatch.setenv("HOKUSAI_SALT_SECRET", secret)
        seen[secret] = run(small, tmp_path / "out")
    assert len({record.core["rows"]["root"] for record in seen.values()}) == 3
    for secret, record in seen.items():
        configured = None if secret is None else bytes.fromhex(secret)
        assert record.core["rows"]["hides"] is (secret is not None)
        assert record.core["key_ids"]["salt"] == salt_key_id(configured)
        # What is measured does not depend on how rows are called.
        assert (
            record.core["predictions_digests"]["baseline"]
            == (seen[None].core["predictions_digests"]["baseline"])
        )


def test_the_secret_comes_from_the_environment_and_must_hide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from hokusai_assets.errors import UsageError

    assert salt_secret() is None
    monkeypatch.setenv("HOKUSAI_SALT_SECRET", SECRET)
    assert salt_secret() == bytes.fromhex(SECRET)
    for wrong, said in (("not hex", "must be hexadecimal"), ("abcd", "is too short")):
        monkeypatch.setenv("HOKUSAI_SALT_SECRET", wrong)
        with pytest.raises(UsageError, match=said) as caught:
            salt_secret()
        assert wrong not in str(caught.value)


def test_a_plan_of_another_secret_is_refused(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from hokusai_assets.attestation.bundle import staged
    from hokusai_assets.defs.bundling import write_rows
    from hokusai_assets.errors import MixedRunsError

    plan: Any = SimpleNamespace(body={"key_ids": {"salt": salt_key_id(b"one" * 8)}})
    inputs: Any = SimpleNamespace(salt_secret=b"two" * 8)
    with (
        staged(str(tmp_path / "out"), "r") as stage,
        pytest.raises(MixedRunsError, match="another HOKUSAI_SALT_SECRET"),
    ):
        write_rows(stage, inputs, plan, None, None)  # type: ignore[arg-type]
