"""A ledger of 100,000 entries and 10 million paid rows: committing a plan, and the exact check.

The check is what cleaning does of it: spill the paid rows' keys, then look a million contributed
keys up, a bucket at a time. Paid rows are measured as one set and as 200.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from hokusai_assets.attestation.ledger import SqlLedger

ENTRIES = 100_000
PAID_ROWS, CONTRIBUTED_ROWS = 10_000_000, 1_000_000
KNOWN = 1_000  # of the contributed rows
COMMITS = 50
K = 30


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def plan(number: int, benchmark: int, paid_root: str | None) -> dict[str, Any]:
    """A plan of the size that the example's has, some 3 kB."""
    rule = {"lineage": "bench", "retire": "on_acceptance", "attempts_per_benchmark": K}
    return {
        "dry_run": False,
        "model_id": "bench",
        "baseline": "trained",
        "paid_root": paid_root,
        "content_roots": {
            "base": sha("base"),
            "benchmark_received": sha(f"benchmark {benchmark}"),
            "contributions": [{"cleaned": sha(f"contribution {number}")}],
            "merged": sha(f"merged {number}"),
        },
        "rule": rule | {f"parameter_{i}": "x" * 40 for i in range(40)},
    }


def fill(ledger: SqlLedger, count: int) -> int:
    """Write a history of rejections in one transaction; returns the number of its benchmarks."""
    from hokusai_assets.attestation.ledger.book import TABLES, MemoryBook
    from hokusai_assets.attestation.ledger.entries import Entry
    from hokusai_assets.attestation.ledger.following import apply_entry, plan_body
    from hokusai_assets.attestation.ledger.rules import paid_root_of
    from hokusai_assets.digests import digest_json

    book, entries, previous, number, benchmark = MemoryBook(), [], None, 0, 0

    def append(kind: Any, body: dict[str, Any]) -> None:
        nonlocal previous
        entry = Entry(len(entries) + 1, previous, kind, body)
        previous = entry.hash
        apply_entry(book, entry)
        row = {"sequence": entry.sequence, "hash": entry.hash, "previous": entry.previous}
        entries.append(row | {"kind": kind, "content": entry.content.decode()})

    while len(entries) < count - K:
        benchmark += 1
        for _ in range(K):
            number += 1
            body = plan(number, benchmark, paid_root_of(book.get("lineages", "bench")))
            digest = digest_json(body)
            append("plan", plan_body(book, digest, body))
            book.keep_plan(digest, body)
            names = {"core_digest": sha(f"core {number}"), "plan_digest": digest}
            names["candidate_file_sha256"] = sha(f"candidate {number}")
            names["training_root"] = sha(f"merged {number}")
            append("decision", names | {"verdict": "rejected"})
            book.forget_plan(digest)
        root = sha(f"benchmark {benchmark}")
        append("retire", {"lineage": "bench", "benchmark_root": root, "reason": "attempts"})
    tables = ledger._database.tables

    def write(connection: Any) -> None:
        for start in range(0, len(entries), 1000):
            connection.execute(tables["entries"].insert(), entries[start : start + 1000])
        for name in TABLES:
            rows = list(book.rows(name).values())
            if rows:
                connection.execute(tables[name].insert(), rows)

    ledger._database.write(write)
    return benchmark


def commits(folder: Path) -> tuple[float, float, int]:
    """Median and longest milliseconds of a commit, and how many entries there were."""
    from hokusai_assets.attestation.ledger import SqlLedger
    from hokusai_assets.digests import digest_json

    ledger = SqlLedger(str(folder / "ledger.sqlite"), "create")
    benchmark = fill(ledger, ENTRIES) + 1
    newest = ledger.checkpoint()
    taken = []
    for number in range(COMMITS):
        benchmark += number % K == 0
        root = ledger.paid("bench", sha(f"benchmark {benchmark}")).root
        body = plan(10**9 + number, benchmark, root)
        digest = digest_json(body)
        started = time.perf_counter()
        ledger.commit(digest, body)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken), max(taken), newest.sequence if newest else 0


def keyed(count: int, seed: int, known: Any = None) -> tuple[pa.Table, Any]:
    """A table of drawn feature keys in their order, `known` among them, and the keys."""
    import numpy as np
    import pyarrow as pa

    from hokusai_assets.tables import FEATURE_KEY

    keys = np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)
    if known is not None:
        keys[: len(known)] = known
    order = np.argsort(np.ascontiguousarray(keys[:, :8]).view(">u8").ravel(), kind="stable")
    keys = keys[order]
    buffers = [None, pa.py_buffer(keys.tobytes())]
    column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), count, buffers)
    return pa.table({FEATURE_KEY: column}), keys


def check(folder: Path, datasets: int) -> tuple[float, float, int]:
    """Seconds of spilling and of looking up, and how many rows were found."""
    from hokusai_assets.contribution.exchange import bucket_count
    from hokusai_assets.contribution.paid_keys import PaidKeys
    from hokusai_assets.records import ColumnSchema, PaidDataset
    from hokusai_assets.tables import write_table
    from hokusai_assets.task import parse_task

    columns = [{"name": "note", "type": "text"}]
    columns += [{"name": "label", "type": "category", "role": "target"}]
    data = {"base": "base.csv", "benchmark": "benchmark.csv", "labels": ["no", "yes"]}
    task = parse_task({"task_schema": 1, "id": "bench", "data": data, "columns": columns})
    features = (ColumnSchema(name="note", type="text"),)
    paid, known = [], None
    for index in range(datasets):
        rows = PAID_ROWS // datasets
        table, keys = keyed(rows, index)
        known = keys[:KNOWN] if known is None else known
        write_table(table, folder / f"paid-{index}")
        given = {"content_root": "", "row_count": rows, "columns": ()}
        paid.append(PaidDataset(folder=str(folder / f"paid-{index}"), features=features, **given))
    ours, _ = keyed(CONTRIBUTED_ROWS, 10**6, known)
    buckets = list(split(ours, bucket_count(100 * CONTRIBUTED_ROWS)))
    started = time.perf_counter()
    spilled = PaidKeys(paid, task, folder / "keys")
    middle = time.perf_counter()
    found = sum(int(spilled.among(table, key_range).sum()) for table, key_range in buckets)
    return middle - started, time.perf_counter() - middle, found


def split(table: pa.Table, count: int) -> Iterator[tuple[pa.Table, tuple[bytes, bytes | None]]]:
    """The buckets that cleaning would cut a contribution into."""
    import numpy as np

    from hokusai_assets.contribution.exchange import key_prefixes, key_ranges

    prefixes = key_prefixes(table)
    for first, end in key_ranges(count):
        low = np.searchsorted(prefixes, int.from_bytes(first, "big"))
        high = table.num_rows
        if end is not None:
            high = np.searchsorted(prefixes, int.from_bytes(end, "big"))
        yield table.slice(low, high - low), (first, end)


def main() -> None:
    """Print both, with what they should reach."""
    with tempfile.TemporaryDirectory(prefix="hokusai-bench-") as name:
        median, longest, entries = commits(Path(name))
    print(f"committing a plan at {entries:,} entries: {median:.1f} ms, at most {longest:.1f} ms")
    print("  aim: 50 ms")
    print(f"exact check of {CONTRIBUTED_ROWS:,} rows against {PAID_ROWS:,} paid ones, seconds")
    for datasets in (1, 200):
        with tempfile.TemporaryDirectory(prefix="hokusai-bench-") as name:
            spill, look, found = check(Path(name), datasets)
        sets = "in one set" if datasets == 1 else f"in {datasets} sets"
        print(f"  {sets:<12} spill {spill:5.2f}  look up {look:5.2f}  together {spill + look:5.2f}")
        assert found == KNOWN, found
    print("  aim: 5 s")


if __name__ == "__main__":
    sys.exit(main())
