"""Cleaning end to end: where every row goes, and that order and format never matter."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.reference_rows import load_reference
from hokusai_assets.digests import content_root, row_digests
from hokusai_assets.errors import (
    ContributionError,
    MissingFileError,
    ReferenceDataError,
    StorageError,
)
from hokusai_assets.records import CleaningCounts
from hokusai_assets.tables import read_table

CANARIES = ("alice@example.com", "4111 1111 1111 1111", "123-45-6789", "hunter2")


@pytest.fixture
def clean(tmp_path, write, source, make_task, reference, rows):
    """Clean files given as name: rows against ten base and ten benchmark rows."""
    runs = 0

    def run(files, *, task=None, key=b"key", data=None, suffix="csv"):
        nonlocal runs
        runs += 1
        task = task or make_task()
        base, benchmark = data or reference(task, rows(10, "b"), rows(10, "m"), key)
        sources = [
            source(write(tmp_path / f"{name}{runs}.{suffix}", lines), name)
            for name, lines in files.items()
        ]
        folder = str(tmp_path / f"cleaned{runs}")
        return clean_contributions(sources, task, base, benchmark, key=key, folder=folder)

    return run


def test_every_row_is_counted_where_it_went(clean, rows):
    base, benchmark, own = rows(10, "b"), rows(10, "m"), rows(400, "c")
    leaked = benchmark[0] | {"label": "good"}
    edited = benchmark[1] | {"note": "  M\u00a0NOTE   1 "}
    conflict = base[2] | {"label": "good"}
    found = clean(
        {
            "alice": [
                *own,
                own[0] | {"key": "copy"},
                own[0] | {"key": "copy again"},
                base[0] | {"key": "mine now"},
                leaked,
                leaked | {"key": "twice"},
                edited,
                conflict,
                own[1] | {"weight": "x"},
            ]
        }
    )
    (alice,) = found.contributions
    assert alice.counts == CleaningCounts(
        read=408,
        rejected=1,
        duplicates_within=3,
        duplicates_of_base=1,
        leaked_exact=1,
        leaked_normalised=1,
        kept=401,
        conflicts=1,
    )
    assert found.row_count == 401 == alice.manifest.row_count
    assert found.leaked_share == (2, 403)


def test_stored_rows_roots_and_provenance(clean, rows):
    own = rows(3, "c")
    found = clean({"alice": own + own[:1]})
    table = read_table(found.folder)
    content = [{k: row[k] for k in ("label", "note", "weight")} for row in own]
    columns = {name: [row[name] for row in content] for name in content[0]}
    root = content_root(row_digests(columns))
    (alice,) = found.contributions
    assert alice.content_root_cleaned == root == found.content_root == alice.manifest.data_hash
    assert alice.content_root_received != root  # the repeated row is in what was received
    assert table.column("_source").to_pylist() == [root] * 3
    digests = table.column("_row_digest").to_pylist()
    assert digests == sorted(digests)
    assert content_root(digests) == root
    assert table.column_names == [
        "key",
        "label",
        "note",
        "weight",
        "_row_number",
        "_row_digest",
        "_feature_key",
        "_source",
    ]
    assert sorted(table.column("_row_number").to_pylist()) == [1, 2, 3]


def test_of_equal_rows_the_least_id_stays_whatever_the_order(clean, rows):
    (row,) = rows(1, "c")
    copies = [row | {"key": k} for k in ("m", "a", "z")]
    for order in (copies, copies[::-1]):
        assert read_table(clean({"alice": order}).folder).column("key").to_pylist() == ["a"]


def test_the_first_contributor_of_equal_rows_has_them(clean, rows):
    shared, more = rows(5, "s"), rows(3, "t")
    found = clean({"alice": shared, "bob": shared + more})
    assert [c.counts.kept for c in found.contributions] == [5, 3]
    assert found.contributions[1].counts.duplicates_across == 5
    swapped = clean({"bob": shared + more, "alice": rows(1, "a") + shared})
    assert [c.counts.kept for c in swapped.contributions] == [8, 1]
    assert found.content_root != swapped.content_root


def test_two_rows_of_one_text_and_two_labels_are_kept_as_conflicts(clean, rows):
    (row,) = rows(1, "c")
    found = clean({"alice": [row, row | {"label": "good"}, *rows(3, "d")]})
    assert (found.contributions[0].counts.kept, found.contributions[0].counts.conflicts) == (5, 2)


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda rows: rows(10, "b"), "equal to the base data: 10"),
        (lambda rows: rows(10, "m"), "in the benchmark: 10"),
        (lambda rows: rows(4, "b") + rows(3, "m"), "base data: 4, in the benchmark: 3"),
    ],
)
def test_a_contribution_of_which_nothing_is_left_is_refused(clean, rows, tmp_path, make, where):
    with pytest.raises(ContributionError, match=where) as caught:
        clean({"alice": make(rows)})
    assert str(caught.value).startswith("The contribution of alice is refused")
    assert not (tmp_path / "cleaned1").exists()


def test_the_same_file_from_a_second_contributor_is_refused_by_name(clean, rows):
    with pytest.raises(ContributionError, match=r"of bob is refused: .* earlier contribution"):
        clean({"alice": rows(5, "c"), "bob": rows(5, "c")})


def test_a_missing_file_is_a_usage_error_and_no_refusal(clean, tmp_path, source, make_task):
    with pytest.raises(MissingFileError):
        load_reference(str(tmp_path / "none.csv"), make_task(), key=None)


def test_rows_outside_the_sample_leak_too(clean, rows, reference, make_task):
    task = make_task()
    data = reference(
        task, rows(10, "b"), rows(10, "m"), sample=lambda table, task: table.slice(0, 4)
    )
    assert data[1].row_count == 4
    found = clean({"alice": rows(10, "m") + rows(1, "c")}, data=data)
    assert found.contributions[0].counts.leaked_exact == 10


def test_benchmark_rows_that_left_for_base_are_still_benchmark_rows(
    clean, rows, reference, make_task
):
    base, benchmark = rows(10, "b"), [*rows(10, "m"), rows(1, "b")[0] | {"label": "good"}]
    data = reference(make_task(), base, benchmark)
    assert (data[1].row_count, data[1].left_out_exact) == (10, 1)
    found = clean({"alice": [benchmark[-1] | {"key": "x"}, *rows(1, "c")]}, data=data)
    assert found.contributions[0].counts.leaked_exact == 1


def test_missing_keys_of_a_sampled_benchmark_are_an_error(clean, rows, reference, make_task):
    from pathlib import Path

    data = reference(
        make_task(), rows(10, "b"), rows(10, "m"), sample=lambda table, task: table.slice(0, 4)
    )
    Path(data[1].folder, "all_keys.arrow").unlink()
    with pytest.raises(StorageError, match="keys of the whole benchmark are missing"):
        clean({"alice": rows(1, "c")}, data=data)


def test_rows_dropped_for_personal_data_are_counted_and_in_no_root(clean, rows, make_task):
    task = make_task(privacy={"action": "drop_row"})
    own = rows(5, "c")
    dirty = [*own, own[0] | {"key": "x", "note": CANARIES[0]}]
    assert clean({"alice": dirty}, task=task).contributions[0].counts.dropped_pii == 1
    first, second = (clean({"a": r}, task=task).contributions[0] for r in (own, dirty))
    assert first.content_root_received == second.content_root_received


def test_equal_rows_stay_equal_through_treatment(clean, rows, reference, make_task):
    plain = rows(10, "b")
    base = [plain[0] | {"note": "from ALICE@example.com"}, *plain[1:]]
    data = reference(make_task(), base, rows(10, "m"))
    mine = [base[0] | {"key": "mine", "note": "from ALICE@example.com"}, *rows(1, "c")]
    assert clean({"a": mine}, data=data).contributions[0].counts.duplicates_of_base == 1


def test_reference_files_are_refused_as_such(tmp_path, make_task, write, rows):
    path = write(tmp_path / "base.csv", [{"other": 1}])
    with pytest.raises(ReferenceDataError, match="The benchmark data cannot be used") as caught:
        load_reference(str(path), make_task(), key=None, kind="benchmark")
    assert caught.value.exit_code == 1
    dropped = [rows(1)[0] | {"note": CANARIES[0]}]
    task = make_task(privacy={"action": "drop_row"})
    with pytest.raises(ReferenceDataError, match="every row"):
        load_reference(str(write(tmp_path / "b.csv", dropped)), task, key=None)


def test_reference_rows_keep_their_duplicates(tmp_path, make_task, write, rows):
    path = write(tmp_path / "base.csv", rows(3) + rows(1))
    table, manifest = load_reference(str(path), make_task(), key=b"k")
    assert (table.num_rows, manifest.counts.kept, manifest.counts.deduplicated) == (4, 4, 0)
    assert set(table.column("_source").to_pylist()) == {manifest.data_hash}
    assert manifest.quality is None


def test_the_manifest_describes_the_kept_rows(clean, rows):
    own = rows(200, "c")
    own[0]["note"] = None
    own[1]["note"] = "mail alice@example.com"
    extra = [row | {"price": 1} for row in own]
    manifest = clean({"alice": [*extra, extra[5]]}).contributions[0].manifest
    assert manifest.row_count == 200 and manifest.column_count == 4
    assert manifest.null_counts == {"key": 0, "label": 0, "note": 1, "weight": 0}
    assert manifest.unique_counts == {"key": 200, "label": 2, "note": 199, "weight": 200}
    assert manifest.dropped_columns == ("price",)
    assert [(p.column, p.detector, p.cells) for p in manifest.pii] == [("note", "email", 1)]
    assert manifest.source.format == "csv" and manifest.source.name == "alice1.csv"
    parts = {part.name: part.value for part in manifest.quality.parts}
    assert parts == {
        "completeness": round(399 / 400, 6),
        "validity": 1.0,
        "uniqueness": round(200 / 201, 6),
        "label_balance": 1.0,
        "label_noise": parts["label_noise"],  # of notes that tell nothing about their label
        "drift": None,  # base has too few rows
    }
    known = [value for value in parts.values() if value is not None]
    assert manifest.quality.score == pytest.approx(sum(known) / 5, abs=1e-6)
    assert all(part.definition for part in manifest.quality.parts)


def test_label_balance_is_one_less_total_variation(clean, rows):
    own = [row | {"label": "good"} for row in rows(8, "c")]
    manifest = clean({"alice": own}).contributions[0].manifest
    assert {p.name: p.value for p in manifest.quality.parts}["label_balance"] == 0.5


@pytest.mark.parametrize("key", [b"key", None])
def test_canaries_appear_in_no_file_record_or_message(clean, rows, tmp_path, key, make_task):
    own = rows(300, "c")
    own[3]["note"] = " ".join(CANARIES[:3]) + " https://bob:hunter2@host.example"
    own[4]["key"] = CANARIES[0]
    own[5]["weight"] = CANARIES[1]
    own[6]["label"] = CANARIES[2]
    lenient = make_task(reading={"max_rejected_share": 0.05})
    found = clean({"alice": own}, key=key, task=lenient)
    written = b"".join(
        path.read_bytes() for path in (tmp_path / "cleaned1").rglob("*") if path.is_file()
    )
    table = str(read_table(found.folder).to_pylist())
    for canary in (*CANARIES, "4111111111111111", "123456789"):
        assert canary not in repr(found) + table
        assert canary.encode() not in written
    with pytest.raises(ContributionError) as caught:
        clean({"alice": own}, key=key, task=make_task(reading={"max_rejected_share": 0}))
    assert not any(canary in str(caught.value) for canary in CANARIES)


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_any_order_and_format_gives_the_same_records(clean, rows, suffix):
    own = rows(30, "c") + rows(4, "c") + rows(2, "b") + rows(1, "m")
    own[2]["note"] = "call (202) 555-0143 🎉 שלום naïve"
    expected = clean({"alice": own}).contributions[0]
    shuffled = random.Random(5).sample(own, len(own))
    found = clean({"alice": shuffled}, suffix=suffix).contributions[0]
    assert found.content_root_received == expected.content_root_received
    assert found.content_root_cleaned == expected.content_root_cleaned
    assert found.counts == expected.counts
    assert found.manifest.null_counts == expected.manifest.null_counts


CELL = st.none() | st.text(st.characters(codec="utf-8"), max_size=6)


@settings(max_examples=15, deadline=None)
@given(
    drawn=st.lists(
        st.tuples(CELL, st.floats(allow_nan=False, allow_infinity=False), st.booleans()),
        min_size=1,
        max_size=6,
    ),
    shuffle=st.randoms(use_true_random=False),
)
def test_reference_data_of_every_format_and_order_have_one_root(
    tmp_path_factory, write, make_task, drawn, shuffle
):
    folder = tmp_path_factory.mktemp("roots")
    given_rows = [
        {"key": f"k{i}", "note": n, "weight": w, "label": "good" if g else "bad"}
        for i, (n, w, g) in enumerate(drawn)
    ]
    found = []
    for suffix in ("csv", "json", "jsonl", "parquet"):
        shuffle.shuffle(given_rows)
        path = write(folder / f"data.{suffix}", given_rows)
        table, manifest = load_reference(str(path), make_task(), key=b"key")
        found.append((manifest.data_hash, table.drop(["_row_number"])))
    assert all(root == found[0][0] and table == found[0][1] for root, table in found)
