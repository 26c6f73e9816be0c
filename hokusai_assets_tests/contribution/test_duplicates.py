"""Duplicates and order: equal content is one row, whatever the ids and the order of the file."""

import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.duplicates import (
    canonical_order,
    count_conflicts,
    labels_by_key,
    match_rows,
    with_keys,
    with_source,
)
from hokusai_assets.contribution.leakage import FeatureKeys, table_keys
from hokusai_assets.contribution.rows import take_rows
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, SOURCE, arrow_type

NOTHING = FeatureKeys(frozenset(), frozenset())
Row = tuple[str | None, str | None, float, str]

# Few values, so that equal rows are common.
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["k1", "k2", "k3", None]),
        st.sampled_from(["fine tea", "Fine  TEA", "dull", None]),
        st.sampled_from([0.0, 1.5]),
        st.sampled_from(["bad", "good"]),
    ),
    max_size=12,
)


def build(rows: list[Row], task: Any) -> pa.Table:
    """A typed table of these rows, in canonical order and with keys."""
    names = ("key", "note", "weight", "label")
    types = ("text", "text", "number", "category")
    plain = pa.table(
        {
            name: pa.array([row[place] for row in rows], arrow_type(kind))
            for place, (name, kind) in enumerate(zip(names, types, strict=True))
        }
    )
    return with_keys(plain, task)


def match(table: pa.Table, task: Any, **known: Any) -> Any:
    given_: dict[str, Any] = {"base": frozenset(), "earlier": set(), "benchmark": NOTHING, **known}
    return match_rows(table, task, **given_)


def digests(table: pa.Table) -> list[bytes]:
    return table.column(ROW_DIGEST).to_pylist()


@given(rows=ROWS, seed=st.integers())
@settings(deadline=None)
def test_the_order_of_the_input_does_not_matter(make_task: Any, rows: list[Row], seed: int) -> None:
    task = make_task()
    shuffled = random.Random(seed).sample(rows, len(rows))
    one, other = build(rows, task), build(shuffled, task)
    assert one.equals(other)
    assert match(one, task) == match(other, task)
    assert digests(one) == sorted(digests(one))


@given(rows=ROWS, base=ROWS, earlier=ROWS, benchmark=ROWS)
@settings(deadline=None)
def test_every_row_is_kept_or_counted_once(
    make_task: Any, rows: list[Row], base: list[Row], earlier: list[Row], benchmark: list[Row]
) -> None:
    task = make_task()
    table = build(rows, task)
    known = table_keys(build(benchmark, task), task)
    there = set(digests(build(base, task))) | set(digests(build(earlier, task)))
    found = match(
        table,
        task,
        base=frozenset(digests(build(base, task))),
        earlier=set(digests(build(earlier, task))),
        benchmark=known,
    )
    gone = found.within + found.of_base + found.across
    gone += found.leaked_exact + found.leaked_normalised
    assert len(found.kept) + gone == len(rows)
    assert found.within == len(rows) - len(set(digests(table)))
    kept = take_rows(table, found.kept)
    assert len(set(digests(kept))) == kept.num_rows
    assert not there & set(digests(kept))
    assert not known.normalised & set(kept.column(FEATURE_KEY).to_pylist())


def test_of_equal_rows_the_one_with_the_least_id_stays(make_task: Any) -> None:
    task = make_task()
    table = build([("k9", "tea", 1.0, "good"), ("k10", "tea", 1.0, "good")], task)
    found = match(table, task)
    assert found.within == 1
    assert take_rows(table, found.kept).column("key").to_pylist() == ["k10"]  # text, not numbers


def test_a_row_without_an_id_comes_first(make_task: Any) -> None:
    rows: list[Row] = [("", "tea", 1.0, "good"), (None, "tea", 1.0, "good")]
    assert build(rows, make_task()).column("key").to_pylist() == [None, ""]


def test_a_task_without_an_id_has_an_order_too() -> None:
    from hokusai_assets_tests.contribution.conftest import build_task

    task = build_task(
        [
            {"name": "weight", "type": "number"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    cells = [3.0, 1.0, 2.0, 1.0]
    tables = [
        with_keys(pa.table({"weight": order, "label": ["good"] * 4}), task)
        for order in (cells, sorted(cells))
    ]
    assert tables[0].equals(tables[1])
    assert match(tables[0], task).within == 1


def test_equal_rows_of_two_sources_stand_in_order_of_the_source(make_task: Any) -> None:
    task = make_task()
    table = build([("k", "tea", 1.0, "good")], task)
    both = pa.concat_tables([with_source(table, "bb"), with_source(table, "aa")])
    assert canonical_order(both, task) == [1, 0]


def test_the_label_is_part_of_the_content_and_the_id_is_not(make_task: Any) -> None:
    task = make_task()
    first = build([("k", "tea", 1.0, "good")], task)
    assert digests(first) == digests(build([("other", "tea", 1.0, "good")], task))
    relabelled = build([("k", "tea", 1.0, "bad")], task)
    assert digests(first) != digests(relabelled)
    assert first.column(FEATURE_KEY).to_pylist() == relabelled.column(FEATURE_KEY).to_pylist()


def test_no_row_stays_no_row(make_task: Any) -> None:
    task = make_task()
    table = build([], task)
    found = match(table, task)
    assert (table.num_rows, found.kept, found.within) == (0, [], 0)
    assert count_conflicts(table, {}, task) == 0


def test_a_row_counts_under_the_first_that_applies(make_task: Any) -> None:
    """One row known everywhere, then with one place less at a time."""
    task = make_task()
    table = build([("k", "Fine tea", 1.0, "good")], task)
    leaked = FeatureKeys(table_keys(table, task).exact, table_keys(table, task).normalised)
    near = FeatureKeys(frozenset(), leaked.normalised)
    own = frozenset(digests(table))
    places: list[tuple[str, dict[str, Any]]] = [
        ("of_base", {"base": own, "earlier": set(own), "benchmark": leaked}),
        ("across", {"earlier": set(own), "benchmark": leaked}),
        ("leaked_exact", {"benchmark": leaked}),
        ("leaked_normalised", {"benchmark": near}),
    ]
    for name, known in places:
        found = match(table, task, **known)
        assert found.kept == []
        counted = {k: v for k, v in vars(found).items() if k != "kept" and v}
        assert counted == {name: 1}


def test_a_repeated_row_counts_once_where_it_was_and_then_within(make_task: Any) -> None:
    task = make_task()
    table = build([(f"k{i}", "tea", 1.0, "good") for i in range(3)], task)
    found = match(table, task, base=frozenset(digests(table)))
    assert (found.of_base, found.within, found.kept) == (1, 2, [])


def test_a_row_leaks_whatever_its_label(make_task: Any) -> None:
    task = make_task()
    benchmark = table_keys(build([("m", "tea", 1.0, "bad")], task), task)
    rows: list[Row] = [
        ("a", "tea", 1.0, "good"),
        ("b", " TEA ", 1.0, "good"),
        ("c", "tea", 2.0, "good"),
    ]
    found = match(build(rows, task), task, benchmark=benchmark)
    assert (found.leaked_exact, found.leaked_normalised, len(found.kept)) == (1, 1, 1)


def test_the_source_stands_in_every_row(make_task: Any) -> None:
    table = build([("a", "x", 1.0, "bad"), ("b", "y", 1.0, "bad")], make_task())
    assert with_source(table, "root").column(SOURCE).to_pylist() == ["root", "root"]


CONFLICTS: list[tuple[list[Row], list[Row], int]] = [
    ([("a", "tea", 1.0, "good"), ("b", "TEA", 1.0, "bad")], [], 2),
    ([("a", "tea", 1.0, "good"), ("b", "tea", 1.0, "good")], [], 0),
    ([("a", "tea", 1.0, "good")], [("b", "tea", 1.0, "bad")], 1),
    ([("a", "tea", 1.0, "good")], [("b", "tea", 1.0, "good")], 0),
    ([("a", "tea", 1.0, "good")], [("b", "dull", 1.0, "bad")], 0),
    (
        [("a", "tea", 1.0, "good"), ("b", "dull", 1.0, "bad")],
        [("c", "tea", 1.0, "bad"), ("d", "tea", 1.0, "good")],
        1,
    ),
]


@pytest.mark.parametrize(("rows", "base", "conflicts"), CONFLICTS)
def test_rows_whose_features_stand_with_another_label_are_counted(
    make_task: Any, rows: list[Row], base: list[Row], conflicts: int
) -> None:
    task = make_task()
    known = labels_by_key(build(base, task), task)
    assert count_conflicts(build(rows, task), known, task) == conflicts


def test_labels_are_gathered_by_normalised_features(make_task: Any) -> None:
    task = make_task()
    rows: list[Row] = [("a", "tea", 1.0, "good"), ("b", "TEA", 1.0, "bad"), ("c", "x", 1.0, "bad")]
    labels = labels_by_key(build(rows, task), task)
    assert sorted(map(sorted, labels.values())) == [["bad"], ["bad", "good"]]
