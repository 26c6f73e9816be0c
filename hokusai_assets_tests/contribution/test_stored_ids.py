"""Ids that must differ: found wherever they lie, within a source, unless treatment made them so."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.contribution import stored_ids
from hokusai_assets.contribution.checks_schema import stored_violations
from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.stored_ids import StoredIds


def of(ids, sources=None, kind=None):
    columns = {"id": pa.array(ids, kind)}
    if sources is not None:
        columns["_source"] = pa.array(sources)
    return pa.table(columns)


def repeated(folder, *tables):
    found = StoredIds(folder)
    rows = 0
    for table in tables:
        found.add(table, "id", range(rows + 1, rows + table.num_rows + 1))
        rows += table.num_rows
    return found.repeated()


@pytest.fixture(params=[1 << 20, 2], ids=["in memory", "spilled"])
def held(request, monkeypatch):
    monkeypatch.setattr(stored_ids, "_IN_MEMORY", request.param)


@pytest.mark.usefixtures("held")
def test_repeats_are_counted_and_the_first_are_named(tmp_path):
    assert repeated(tmp_path, of(["a", "b"]), of(["c", "d"])) == (0, ())
    assert repeated(tmp_path / "x", of(["a", "b", "a"]), of(["c", "b"])) == (4, (1, 2, 3, 5))
    assert repeated(tmp_path / "y", of(["a"] * 9)) == (9, (1, 2, 3, 4, 5))
    assert repeated(tmp_path / "z") == (0, ())


@pytest.mark.usefixtures("held")
def test_two_sources_may_have_the_same_ids(tmp_path):
    table = of(["a", "b", "a", "a"], ["s", "s", "t", "s"])
    assert repeated(tmp_path, table) == (2, (1, 4))


def test_empty_ids_and_those_that_treatment_wrote_are_left_out(tmp_path):
    assert repeated(tmp_path, of([None, None, "a"], kind=pa.string())) == (0, ())
    token = f"[EMAIL:{'0' * 32}]"
    assert repeated(tmp_path, of(["[EMAIL]", "[EMAIL]", token, token, "x [PHONE]"])) == (0, ())


def test_integers_are_ids_too(tmp_path):
    assert repeated(tmp_path, of([1, 2, 1, None, None], kind=pa.int64())) == (2, (1, 3))


@given(ids=st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6), most=st.integers(0, 9))
def test_it_is_pythons_own_count(tmp_path_factory, ids, most):
    flat = [one for part in ids for one in part]
    expected = [place for place, one in enumerate(flat, 1) if flat.count(one) > 1]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stored_ids, "_IN_MEMORY", most)
        found = repeated(tmp_path_factory.mktemp("ids"), *(of(p, kind=pa.int64()) for p in ids))
    assert found == (len(expected), tuple(expected[:5]))


def test_what_cleaning_lets_through_has_no_repeated_id(
    make_task, rows, write, source, reference, tmp_path
):
    """Two contributors use the same ids, and one's are addresses, which become one constant."""
    task = make_task(
        [
            {"name": "key", "type": "text", "role": "id", "unique": True},
            {"name": "note", "type": "text"},
            {"name": "weight", "type": "number"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    sent = [rows(9, of) for of in "cd"]
    for place, row in enumerate(sent[1]):
        row["key"] = sent[0][place]["key"] if place % 2 else f"p{place}@example.com"
    sources = [
        source(write(tmp_path / f"{place}.csv", own), f"sender{place}")
        for place, own in enumerate(sent)
    ]
    base, benchmark = reference(task, rows(5, "b"), rows(5, "m"), key=None)
    cleaned = clean_contributions(
        sources, task, base, benchmark, key=None, folder=tmp_path / "cleaned"
    )
    assert cleaned.row_count == 18
    assert stored_violations(task, cleaned) == []


def test_memory_is_that_of_what_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_ids, "_IN_MEMORY", 1000)
    found = StoredIds(tmp_path)
    for part in range(20):
        found.add(of(np.arange(part * 400, part * 400 + 400)), "id", range(400))
        assert found._held_count <= 1000
    assert found.repeated() == (0, ())
