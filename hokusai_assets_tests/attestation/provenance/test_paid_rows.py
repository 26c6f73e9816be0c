"""The list of rows already paid: one form, as many as the core counts, from cleaning to bundle."""

import gzip
import io
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.attestation.bundle import staged
from hokusai_assets.attestation.provenance.paid_rows import (
    ALREADY_PAID,
    read_paid_digests,
    write_paid_digests,
)
from hokusai_assets.attestation.rows.leaves import GZIP_HEADER
from hokusai_assets.contribution.storing import paid_digests
from hokusai_assets.errors import AttestationError, StorageError

DIGESTS = [bytes([i]) * 32 for i in (7, 3, 3, 250)]


def packed(digests: list[bytes]) -> bytes:
    stream = io.BytesIO()
    write_paid_digests(digests, stream)
    return stream.getvalue()


def core(*counts: int) -> dict[str, Any]:
    return {"counts": [{"already_paid": count} for count in counts]}


def read(content: bytes, *counts: int) -> tuple[bytes, ...]:
    return read_paid_digests(io.BytesIO(content), core(*counts))


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40))
def test_what_is_written_is_read_in_order(digests: list[bytes]) -> None:
    content = packed(digests)
    assert read(content, len(digests)) == tuple(sorted(digests))
    assert content == packed(digests[::-1])
    lines = gzip.decompress(content).decode().splitlines()
    assert lines == sorted(d.hex() for d in digests)


def test_many_are_written_in_parts() -> None:
    digests = [i.to_bytes(32, "big") for i in range(45_000)]
    assert read(packed(digests), 45_000) == tuple(digests)


def test_two_contributors_counts_are_added() -> None:
    assert read(packed(DIGESTS), 1, 3) == tuple(sorted(DIGESTS))


def gzipped(text: bytes) -> bytes:
    """Any text as one member with the header of ours."""
    return GZIP_HEADER + gzip.compress(text, 1, mtime=0)[10:]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (packed(DIGESTS[:3]), "does not hold 4 digests"),
        (packed([*DIGESTS, bytes(32)]), "does not hold 4 digests"),
        (packed([bytes(32)] * 100_000), "does not hold 4 digests"),
        (gzipped(b"ab\n" * 4), "line 1 is no SHA-256"),
        (gzipped((b"AB" * 32 + b"\n") * 4), "line 1 is no SHA-256"),
        (gzipped(b"".join(b"%02x" % i * 32 + b"\n" for i in (1, 3, 2, 4))), "line 3 is out of"),
        (gzipped(b"ab" * 32), "ends in the middle of a line"),
        (gzip.compress(b"x", mtime=1), "does not start as"),
        (packed(DIGESTS)[:-1], "damaged"),
        (packed(DIGESTS) + b"\0", "damaged"),
        (packed(DIGESTS)[:20], "cut off"),
        (b"", "does not start as"),
    ],
)
def test_anything_else_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(AttestationError, match=said) as caught:
        read(content, 4)
    assert ALREADY_PAID in str(caught.value)


def contributed(folder: Any, *counts: int) -> Any:
    contributions = [SimpleNamespace(counts=SimpleNamespace(already_paid=c)) for c in counts]
    return SimpleNamespace(folder=str(folder), contributions=contributions)


def removed(folder: Any, reasons: list[str], digests: list[bytes | None]) -> None:
    table = {"reason": reasons, "row_digest": pa.array(digests, pa.binary(32))}
    pq.write_table(pa.table(table), folder / "removed.parquet")


def test_cleaning_hands_over_the_digests_of_rows_already_paid(tmp_path: Any) -> None:
    reasons = ["already_paid", "leaked_exact", "already_paid"]
    removed(tmp_path, reasons, [DIGESTS[0], None, DIGESTS[1]])
    assert paid_digests(contributed(tmp_path, 1, 1)) == DIGESTS[:2]
    assert paid_digests(contributed(tmp_path / "nowhere", 0)) == []


@pytest.mark.parametrize("case", ["none", "fewer", "no digest", "older", "damaged"])
def test_a_list_that_does_not_fit_the_counts_is_refused(tmp_path: Any, case: str) -> None:
    """Fewer digests than rows would let an auditor count rows as new that were paid for."""
    if case == "fewer":
        removed(tmp_path, ["already_paid"], [DIGESTS[0]])
    elif case == "no digest":
        removed(tmp_path, ["already_paid"] * 2, [DIGESTS[0], None])
    elif case == "older":
        pq.write_table(pa.table({"reason": ["already_paid"] * 2}), tmp_path / "removed.parquet")
    elif case == "damaged":
        (tmp_path / "removed.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match="does not name the 2 rows"):
        paid_digests(contributed(tmp_path, 2))


def test_the_bundle_holds_them_only_where_there_are_any(evaluated: Any, tmp_path: Any) -> None:
    from hokusai_assets.attestation.bundle import DATA, LEAVES
    from hokusai_assets.defs.provenance import write_provenance
    from hokusai_assets.task import load_task

    task = load_task(evaluated.outputs.parent / "task.toml").task
    cleaned = evaluated["contributed_data"]
    for count in (0, 2):
        first = cleaned.contributions[0]
        counts = first.counts.model_copy(update={"already_paid": count})
        changed = cleaned.model_copy(
            update={
                "folder": str(tmp_path),
                "contributions": (first.model_copy(update={"counts": counts}),),
            }
        )
        removed(tmp_path, ["already_paid"] * 2, DIGESTS[:2])
        with staged(str(tmp_path / "out"), "r") as stage:
            for name in (f"{DATA}/part-0.parquet", LEAVES):
                stage.place(name).write_bytes(b"x")
            records = evaluated["benchmark_dataset"], changed, evaluated["benchmark_metrics"]
            write_provenance(stage, task, *records)
            path = stage.folder / ALREADY_PAID
            assert path.exists() is bool(count)
            if count:
                assert read(path.read_bytes(), 2) == tuple(sorted(DIGESTS[:2]))
