"""Same inputs, same core digest: any row order, format, folder, thread count, locale, day."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hokusai_assets.defs.running import evaluate
from hokusai_assets.records import Attestation
from hokusai_assets_tests.conftest import (
    OTHER_WALLET,
    TASK,
    WALLET,
    SmallTask,
    make_rows,
    write_csv,
)


@pytest.fixture
def attest(small: SmallTask, tmp_path: Path) -> Callable[..., Attestation]:
    """Evaluate the small task in this process, with some of its inputs changed."""

    def run(**inputs: Any) -> Attestation:
        outcome = evaluate(
            {
                "inputs": small.inputs(**inputs),
                "outputs": {"output_dir": str(tmp_path / "out")},
                "tracking": {"backend": "none"},
            },
            dry_run=False,
            progress=lambda step, state: None,
        )
        assert outcome.evaluation is not None, outcome.message
        return outcome.evaluation.attestation

    return run


def contribution(path: Path, **changes: str) -> dict[str, str]:
    return {"path": str(path), "contributor_id": "alice", "wallet_address": WALLET, **changes}


def rows() -> list[dict[str, str]]:
    return make_rows(300, 3, "c")


def test_twice_and_shuffled(small: SmallTask, attest: Callable[..., Attestation]) -> None:
    first = attest()
    assert attest().core == first.core
    shuffled = rows()
    random.Random(5).shuffle(shuffled)
    write_csv(small.contribution, shuffled)
    assert attest().core_digest == first.core_digest


def test_base_and_benchmark_may_be_shuffled_too(
    small: SmallTask, attest: Callable[..., Attestation]
) -> None:
    first = attest()
    for name, count, seed, prefix in (("base", 120, 1, "b"), ("benchmark", 400, 2, "t")):
        write_csv(small.folder / f"{name}.csv", make_rows(count, seed, prefix)[::-1])
    assert attest().core_digest == first.core_digest


def test_any_format_gives_the_same_core(
    small: SmallTask, attest: Callable[..., Attestation]
) -> None:
    first = attest()
    typed = [{**row, "weight": float(row["weight"])} for row in rows()]
    as_json = small.folder / "c.json"
    as_json.write_text(json.dumps(typed))
    as_lines = small.folder / "c.jsonl"
    as_lines.write_text("".join(json.dumps(row) + "\n" for row in typed))
    as_parquet = small.folder / "c.parquet"
    pq.write_table(pa.Table.from_pylist(typed), as_parquet)
    for path in (as_json, as_lines, as_parquet):
        assert attest(contributions=[contribution(path)]).core_digest == first.core_digest, path


def test_another_folder_gives_the_same_core(
    small: SmallTask, tmp_path: Path, attest: Callable[..., Attestation]
) -> None:
    first = attest()
    elsewhere = tmp_path / "else" / "where"
    elsewhere.parent.mkdir()
    small.folder.rename(elsewhere)
    again = attest(
        task=str(elsewhere / "task.toml"),
        contributions=[contribution(elsewhere / "contribution.csv")],
    )
    assert again.core_digest == first.core_digest


def test_the_task_may_be_written_differently(
    small: SmallTask, attest: Callable[..., Attestation]
) -> None:
    """Names of files, display texts and defaults written out mean nothing."""
    first = attest()
    (small.folder / "base.csv").rename(small.folder / "old.csv")
    text = TASK.replace('base = "base.csv"', 'base = "old.csv"')
    text = text.replace('id = "small"', 'id = "small"\ntitle = "A small task"')
    text += '\n[merge]\nstrategy = "append"\n[benchmark]\nlineage = "small"\n'
    small.task.write_text(text)
    assert attest().core_digest == first.core_digest


@pytest.mark.slow
def test_threads_time_zone_and_locale_do_not_matter(
    small: SmallTask, tmp_path: Path, command: Any
) -> None:
    environments = [
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
        | {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    ]
    words = ["evaluate", "--json", "--task", str(small.task), "--output-dir", str(tmp_path / "o")]
    words += ["--contributed-data", str(small.contribution), "--contributor-id", "alice"]
    words += ["--wallet-address", WALLET]
    digests = set()
    for environment in environments:
        done = command("hokusai", *words, env={**environment, "PYTHONUTF8": "0"})
        assert done.returncode == 0, done.stderr
        digests.add(json.loads(done.stdout)["core_digest"])
    assert len(digests) == 1


def test_what_is_evaluated_does_matter(
    small: SmallTask, attest: Callable[..., Attestation], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {"as it is": attest().core_digest}
    seen["another wallet"] = attest(
        contributions=[contribution(small.contribution, wallet_address=OTHER_WALLET)]
    ).core_digest
    seen["another id"] = attest(
        contributions=[contribution(small.contribution, contributor_id="bob")]
    ).core_digest
    monkeypatch.setenv("HOKUSAI_PLAN_NONCE", "ab" * 32)
    with_nonce = attest()
    seen["a nonce"] = with_nonce.core_digest
    assert "ab" * 32 not in json.dumps(with_nonce.core)
    monkeypatch.delenv("HOKUSAI_PLAN_NONCE")
    small.task.write_text(TASK + "min_delta_bps = 50\n")
    seen["another threshold"] = attest().core_digest
    small.task.write_text(TASK)
    changed = rows()
    changed[0]["label"] = "bad" if changed[0]["label"] == "good" else "good"
    write_csv(small.contribution, changed)
    seen["one label"] = attest().core_digest
    assert len(set(seen.values())) == len(seen), seen


def test_two_contributors_and_their_order(
    small: SmallTask, attest: Callable[..., Attestation]
) -> None:
    """A row that two send counts for the first in the configuration, and that is recorded."""
    half = write_csv(small.folder / "half.csv", rows()[:200])
    other = write_csv(small.folder / "other.csv", rows()[150:])
    bob = contribution(other, contributor_id="bob", wallet_address=OTHER_WALLET)
    first = attest(contributions=[contribution(half), bob])
    again = attest(contributions=[contribution(half), bob])
    swapped = attest(contributions=[bob, contribution(half)])
    assert first.core_digest == again.core_digest
    assert [c["kept"] for c in first.core["counts"]] == [200, 100]
    assert [c["kept"] for c in swapped.core["counts"]] == [150, 150]
    assert first.core["content_roots"]["merged"] == swapped.core["content_roots"]["merged"]
    assert first.core["joint_counts"] is not None
    assert first.core_digest != swapped.core_digest


def test_ids_and_ignored_columns_do_not_make_rows_new(
    small: SmallTask, attest: Callable[..., Attestation]
) -> None:
    first = attest()
    renamed = [{**row, "key": f"new-{index}"} for index, row in enumerate(rows())]
    write_csv(small.contribution, renamed)
    assert attest().core["content_roots"] == first.core["content_roots"]
