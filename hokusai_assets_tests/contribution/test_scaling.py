"""The result is the same in one bucket or many, in parts of any size, in one process or several."""

import functools
import operator
import os
import random

import numpy as np
import pyarrow as pa
import pytest

from hokusai_assets.contribution import exchange, reading_csv, reading_json, sorted_roots
from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.exchange import Exchange, bucket_count
from hokusai_assets.contribution.kept_rows import CONFLICT, KeptRows
from hokusai_assets.contribution.reference_rows import load_reference
from hokusai_assets.contribution.sorted_roots import SortedRoot
from hokusai_assets.contribution.workers import workers
from hokusai_assets.digests import content_root
from hokusai_assets.errors import StorageError
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, ROW_NUMBER, read_table

WORDS = [f"w{i}" for i in range(400)]


def dirty(rows, count=300):
    """Rows with everything that cleaning looks for, among them what base and benchmark hold."""
    drawn = random.Random(4)
    made = []
    for index in range(count):
        note = " ".join(drawn.sample(WORDS, 12))
        made.append({"key": f"d{index}", "note": note, "weight": index / 8, "label": "good"})
    for index in range(0, 40, 4):
        row = made[index]
        edited = row["note"].split()
        edited[5] = "edited"
        made += [
            {**row, "key": f"copy{index}"},
            {**row, "key": f"shout{index}", "note": row["note"].upper() + "!"},
            {**row, "key": f"near{index}", "note": " ".join(edited)},
        ]
    made += [{**row, "key": "x" + row["key"]} for row in rows(6, "b") + rows(6, "m")]
    made += [{**made[0], "key": "bad", "weight": "heavy"}]
    made += [{**made[1], "key": "pii", "note": "write to alice@example.com " + made[50]["note"]}]
    drawn.shuffle(made)
    return made


@pytest.fixture
def cleaned(tmp_path, make_task, reference, rows, write, source):
    made = 0

    def run(suffix="csv", contributors=2):
        nonlocal made
        made += 1
        task = make_task()
        stored, benchmark = reference(task, rows(40, "b"), rows(40, "m"))
        given = dirty(rows)
        if suffix == "parquet":  # whose number columns hold no text
            given = [row for row in given if row["weight"] != "heavy"]
        files = [given, given[::2] + [r for r in dirty(rows, 30) if r["key"] != "bad"]][
            :contributors
        ]
        sources = [
            source(write(tmp_path / f"{name}{made}.{suffix}", lines), name)
            for name, lines in zip(("alice", "bob"), files, strict=False)
        ]
        return clean_contributions(
            sources, task, stored, benchmark, key=b"key", folder=str(tmp_path / f"clean{made}")
        )

    return run


def told(dataset):
    return [
        (
            c.counts,
            *(c.content_root_received, c.content_root_cleaned),
            *(c.manifest.null_counts, c.manifest.unique_counts, c.manifest.pii),
            *(c.manifest.rejections, c.manifest.quality),
        )
        for c in dataset.contributions
    ]


def test_the_reference_run_finds_everything(cleaned):
    alice, bob = cleaned().contributions
    assert alice.counts.rejected == 1
    assert alice.counts.duplicates_within == 10
    assert alice.counts.duplicates_normalised == 10
    assert alice.counts.duplicates_near == 10
    assert alice.counts.duplicates_of_base == 6
    assert alice.counts.leaked_exact == 6
    assert bob.counts.duplicates_across > 100


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_buckets_and_parts_change_nothing(cleaned, monkeypatch, suffix):
    whole = cleaned(suffix)
    rows = read_table(whole.folder)
    monkeypatch.setattr(exchange, "_BYTES_PER_BUCKET", 3000)
    monkeypatch.setattr("hokusai_assets.contribution.cleaning.is_large", lambda _: False)
    for module in (reading_csv, reading_json):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 37)
    monkeypatch.setattr("hokusai_assets.contribution.reading_parquet.ROWS_AT_ONCE", 37)
    monkeypatch.setattr(sorted_roots, "_IN_MEMORY", 50)
    split = cleaned(suffix)
    assert told(split) == told(whole)
    assert split.content_root == whole.content_root
    # Also the rows themselves, and their order.
    assert read_table(split.folder).equals(rows)


@pytest.mark.slow
def test_processes_change_nothing(cleaned, monkeypatch):
    whole = cleaned()
    monkeypatch.setattr(exchange, "_BYTES_PER_BUCKET", 3000)
    split = cleaned()
    assert told(split) == told(whole)
    assert read_table(split.folder).equals(read_table(whole.folder))


def test_nothing_is_left_beside_the_result(cleaned, tmp_path):
    dataset = cleaned()
    assert not list(tmp_path.glob(".cleaning-*"))
    assert sorted(p.name for p in (tmp_path / "clean1").iterdir()) == [
        "part-0.parquet",
        "part-1.parquet",
        "rejected.parquet",
        "removed.parquet",
    ]
    assert dataset.folder.endswith("clean1")


def test_rejected_rows_are_listed_with_their_place_and_no_text(tmp_path, make_task, rows, source):
    path = tmp_path / "c.csv"
    lines = ["key,note,weight,label"]
    lines += [f"k{i},note {i},{i},good" for i in range(300)]
    lines[7] = "alice@example.com,short"
    lines[9] = "k8,alice@example.com,heavy,good"
    path.write_text("\n".join(lines) + "\n")
    clean_contributions(
        [source(path)], make_task(), None, None, key=None, folder=str(tmp_path / "out")
    )
    import pyarrow.parquet as pq

    content = (tmp_path / "out" / "rejected.parquet").read_bytes()
    assert b"alice" not in content
    offset = len("\n".join(lines[:7]) + "\n")
    assert pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist() == [
        {"contribution": 0, "file": "c.csv", "row": 7, "line": 8, "byte_offset": offset}
        | {"size_bytes": len(lines[7]), "column": None, "reason": "too few cells"},
        {"contribution": 0, "file": "c.csv", "row": 9, "line": None, "byte_offset": None}
        | {"size_bytes": None, "column": "weight", "reason": "not a number"},
    ]


def test_a_file_of_more_rows_than_accepted_is_refused(tmp_path, make_task, rows, write):
    path = write(tmp_path / "b.csv", rows(20))
    task = make_task(reading={"max_rows": 19})
    with pytest.raises(Exception, match="more than the accepted 19 rows"):
        load_reference(str(path), task, key=None)
    assert load_reference(str(path), make_task(reading={"max_rows": 20}), key=None)


def keyed(numbers):
    keys = [int(n).to_bytes(4, "big") * 8 for n in numbers]
    return pa.table({FEATURE_KEY: pa.array(keys, pa.binary(32)), "n": pa.array(numbers)})


def test_an_exchange_gives_each_key_to_one_bucket_in_order(tmp_path):
    rng = np.random.Generator(np.random.PCG64(1))
    numbers = rng.integers(0, 2**32, 500)
    parts = Exchange(tmp_path / "x", 8)
    for index in range(5):
        parts.write(index, keyed(numbers[index * 100 : (index + 1) * 100]))
    found = []
    for bucket in range(8):
        own = parts.read(bucket, ["n"]).column("n").to_pylist()
        first, end = parts.key_range(bucket)
        for number in own:
            key = number.to_bytes(4, "big")
            assert key >= first and (end is None or key[:2] < end)
        found += own
    assert sorted(found) == sorted(numbers.tolist())


def known_of(numbers):
    digests = pa.array([bytes(32) for _ in numbers], pa.binary(32))
    return pa.table({ROW_DIGEST: digests, ROW_NUMBER: pa.array(list(numbers), pa.int64())})


def test_all_cells_of_a_column_are_read_part_by_part(tmp_path):
    parts = Exchange(tmp_path / "parts", 4)
    parts.write(0, keyed([1, 1 << 31]))
    parts.write(1, keyed([1 << 30, 3]))
    cells = [cell for array in parts.column("n") for cell in array.to_pylist()]
    assert sorted(cells) == [1, 3, 1 << 30, 1 << 31]


def test_kept_rows_are_gathered_from_where_they_were_exchanged(tmp_path):
    parts = Exchange(tmp_path / "parts", 2)
    parts.write(0, keyed([1, 2, 3, 1 << 31]))
    parts.write(1, keyed([4, 1 << 31 | 1]))
    kept = KeptRows(tmp_path / "kept", parts)
    there = parts.read(0, ["n"]).column("n").to_pylist()
    places = np.array([there.index(n) for n in (4, 2, 1)])
    kept.write(0, places, known_of([40, 20, 10]), np.array([True, False, True]))
    found = kept.read(0, [ROW_NUMBER, "n", CONFLICT])
    assert found.column_names == [ROW_NUMBER, "n", CONFLICT]
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (40, 4, True),
        (20, 2, False),
        (10, 1, True),
    ]


def test_kept_rows_that_are_left_out_later_are_not_read_again(tmp_path):
    parts = Exchange(tmp_path / "parts", 1)
    parts.write(0, keyed([1, 2, 3, 4]))
    kept = KeptRows(tmp_path / "kept", parts)
    kept.write(0, np.arange(4), known_of(range(4)), np.zeros(4, bool))
    kept.leave_out(0, [1])
    kept.leave_out(0, [3, 1])
    assert kept.left_out(0).tolist() == [1, 3]
    assert kept.read(0, ["n"]).column("n").to_pylist() == [1, 3]
    assert kept.read(0, [ROW_NUMBER]).column(ROW_NUMBER).to_pylist() == [0, 2]
    assert kept.read(0, ["n"], whole=True).column("n").to_pylist() == [1, 2, 3, 4]


@pytest.mark.parametrize(("size", "count"), [(0, 1), (32 << 20, 1), (33 << 20, 2), (1 << 40, 256)])
def test_larger_files_go_to_more_buckets(size, count):
    assert bucket_count(size) == count


def test_a_root_is_the_same_however_digests_come(tmp_path, monkeypatch):
    rng = np.random.Generator(np.random.PCG64(2))
    digests = [rng.bytes(32) for _ in range(300)]
    expected = content_root(digests)
    for limit in (10, 1000):
        monkeypatch.setattr(sorted_roots, "_IN_MEMORY", limit)
        root = SortedRoot(tmp_path / str(limit))
        for start in range(0, 300, 30):
            root.add(pa.array(digests[start : start + 30], pa.binary(32)))
        assert (root.root(), root.count) == (expected, 300)
    assert SortedRoot(tmp_path / "none").root() == content_root([])


# Functions of the standard library: a new process must be able to import them.
@pytest.mark.parametrize("parallel", [False, True])
def test_work_comes_back_in_order_and_errors_as_they_are(parallel):
    with workers(parallel=parallel) as hands:
        divide = functools.partial(operator.floordiv, 90)
        assert list(hands.in_order(divide, range(1, 10))) == [90 // n for n in range(1, 10)]
        with pytest.raises(ZeroDivisionError):
            list(hands.in_order(divide, range(3, -3, -1)))


def test_a_killed_process_is_an_error_with_a_remedy():
    with workers(parallel=True) as hands, pytest.raises(StorageError, match="was killed"):
        list(hands.in_order(os._exit, range(3)))


def test_every_row_that_left_is_listed_with_its_reason(cleaned):
    import pyarrow.parquet as pq

    dataset = cleaned()
    listed = pq.read_table(f"{dataset.folder}/removed.parquet").to_pylist()
    for index, contribution in enumerate(dataset.contributions):
        own = [row for row in listed if row["contribution"] == index]
        counts = contribution.counts.model_dump()
        reasons = {row["reason"] for row in own}
        assert reasons >= {"duplicates_within", "leaked_exact"}
        for reason in reasons:
            assert sum(row["reason"] == reason for row in own) == counts[reason]
        assert len(own) == contribution.counts.deduplicated + contribution.counts.leaked
        # Kept and removed rows are different ones, and together all that fit the task.
        source = contribution.content_root_cleaned
        rows = read_table(dataset.folder)
        kept = rows.filter(pa.compute.equal(rows.column("_source"), source))
        numbers = kept.column("_row_number").to_pylist() + [row["row"] for row in own]
        assert len(set(numbers)) == len(numbers)
        assert len(numbers) == contribution.counts.read - contribution.counts.rejected


def test_statistics_of_columns_add_up_and_hold_no_text(cleaned, monkeypatch):
    whole = cleaned()
    monkeypatch.setattr(exchange, "_BYTES_PER_BUCKET", 3000)
    monkeypatch.setattr("hokusai_assets.contribution.cleaning.is_large", lambda _: False)
    split = cleaned()
    rows = read_table(whole.folder)
    first, again = (d.contributions[0].manifest for d in (whole, split))
    assert first.column_statistics == again.column_statistics
    source = whole.contributions[0].content_root_cleaned
    own = rows.filter(pa.compute.equal(rows.column("_source"), source))
    weights = np.array(own.column("weight").to_pylist())
    lengths = np.array([len(note) for note in own.column("note").to_pylist()])
    assert set(first.column_statistics) == {"note", "weight"}
    for name, values, suffix in (("weight", weights, ""), ("note", lengths, "_length")):
        assert first.column_statistics[name] == pytest.approx(
            {
                f"least{suffix}": values.min(),
                f"greatest{suffix}": values.max(),
                f"mean{suffix}": values.mean(),
                f"standard_deviation{suffix}": values.std(),
            }
        )
    assert first.engines["duckdb"]


@pytest.mark.parametrize("name", ["o'brien", "note=zzz", "a[b]", "q*r"])
def test_the_folders_name_does_not_matter(tmp_path, make_task, rows, write, source, name):
    (tmp_path / name).mkdir()
    found = clean_contributions(
        [source(write(tmp_path / "c.csv", rows(20)))],
        make_task(),
        None,
        None,
        key=None,
        folder=str(tmp_path / name / "out"),
    )
    assert found.contributions[0].manifest.unique_counts["note"] == 20


def test_folders_and_compressed_files_go_to_as_many_buckets_as_their_rows_need(tmp_path):
    from hokusai_assets.contribution.workspace import size_of

    (tmp_path / "data").mkdir()
    for index in range(4):
        (tmp_path / "data" / f"{index}.csv").write_bytes(b"x" * 1000)
    (tmp_path / "c.csv.gz").write_bytes(b"\x1f\x8b" + b"x" * 998)
    assert size_of(str(tmp_path / "data")) == size_of(str(tmp_path / "data" / "*.csv")) == 4000
    assert size_of(str(tmp_path / "c.csv.gz")) == 8000
    assert size_of(str(tmp_path / "nothing")) == 0
