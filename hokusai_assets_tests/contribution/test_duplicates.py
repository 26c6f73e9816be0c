"""Duplicates and order: equal content is one row, whatever the ids and the order of the file."""

import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.duplicates import (
    KnownRows,
    conflicting,
    in_canonical_order,
    known_rows,
    match_rows,
    with_keys,
    with_source,
)
from hokusai_assets.contribution.leakage import FeatureKeys, feature_digests
from hokusai_assets.contribution.reducing import Against, reduce_bucket
from hokusai_assets.contribution.rows import take_rows
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, ROW_NUMBER, SOURCE, arrow_type

NOTHING = FeatureKeys(frozenset(), frozenset())
Row = tuple[str | None, str | None, float, str]


def table_keys(table: pa.Table, task: Any) -> FeatureKeys:
    return FeatureKeys(
        frozenset(feature_digests(table, task).to_pylist()),
        frozenset(table.column(FEATURE_KEY).to_pylist()),
    )


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
    return in_canonical_order(with_keys(plain, task), task)


def match(table: pa.Table, task: Any, **known: Any) -> Any:
    given_ = {"base": KnownRows(), "earlier": KnownRows(), "benchmark": NOTHING, **known}
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
    order = list(zip(one.column(FEATURE_KEY).to_pylist(), digests(one), strict=True))
    assert order == sorted(order)


@given(rows=ROWS, base=ROWS, earlier=ROWS, benchmark=ROWS)
@settings(deadline=None)
def test_every_row_is_kept_or_counted_once(
    make_task: Any, rows: list[Row], base: list[Row], earlier: list[Row], benchmark: list[Row]
) -> None:
    task = make_task()
    table = build(rows, task)
    known = table_keys(build(benchmark, task), task)
    there = known_rows(build(base, task), task)
    found = match(
        table,
        task,
        base=known_rows(build(base, task), task),
        earlier=known_rows(build(earlier, task), task),
        benchmark=known,
    )
    there.include(known_rows(build(earlier, task), task))
    gone = found.within + found.of_base + found.across + found.normalised
    gone += found.leaked_exact + found.leaked_normalised
    assert len(found.kept) + gone == len(rows)
    assert found.within == len(rows) - len(set(digests(table)))
    kept = take_rows(table, found.kept)
    assert len(set(digests(kept))) == kept.num_rows
    assert not there.digests & set(digests(kept))
    keys = kept.column(FEATURE_KEY).to_pylist()
    assert not known.normalised & set(keys)
    # No two rows that say the same of the same features, however it is written.
    said = list(zip(keys, kept.column("label").to_pylist(), strict=True))
    assert len(set(said)) == len(said)
    assert not {(key, label) for key, t in there.traits.items() for label, _ in t} & set(said)


def test_of_equal_rows_the_one_with_the_least_id_stays(make_task: Any) -> None:
    task = make_task()
    table = build([("k9", "tea", 1.0, "good"), ("k10", "tea", 1.0, "good")], task)
    found = match(table, task)
    assert found.within == 1
    assert take_rows(table, found.kept).column("key").to_pylist() == ["k10"]  # text, not numbers


def test_a_row_without_an_id_comes_last(make_task: Any) -> None:
    rows: list[Row] = [(None, "tea", 1.0, "good"), ("", "tea", 1.0, "good")]
    assert build(rows, make_task()).column("key").to_pylist() == ["", None]


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
        in_canonical_order(
            with_keys(pa.table({"weight": order, "label": ["good"] * 4}), task), task
        )
        for order in (cells, sorted(cells))
    ]
    assert tables[0].equals(tables[1])
    assert match(tables[0], task).within == 1


def test_equal_rows_of_two_sources_stand_in_order_of_the_source(make_task: Any) -> None:
    task = make_task()
    table = build([("k", "tea", 1.0, "good")], task)
    both = pa.concat_tables([with_source(table, "bb"), with_source(table, "aa")])
    assert in_canonical_order(both, task).column(SOURCE).to_pylist() == ["aa", "bb"]


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
    assert conflicting(table, KnownRows(), task) == []


def test_a_row_counts_under_the_first_that_applies(make_task: Any) -> None:
    """One row known everywhere, then with one place less at a time."""
    task = make_task()
    table = build([("k", "Fine tea", 1.0, "good")], task)
    leaked = FeatureKeys(table_keys(table, task).exact, table_keys(table, task).normalised)
    near = FeatureKeys(frozenset(), leaked.normalised)
    own = known_rows(table, task)
    written = KnownRows(set(), own.traits)
    places: list[tuple[str, dict[str, Any]]] = [
        ("of_base", {"base": own, "earlier": own, "benchmark": leaked}),
        ("across", {"earlier": own, "benchmark": leaked}),
        ("leaked_exact", {"benchmark": leaked}),
        ("leaked_normalised", {"base": written, "benchmark": near}),
        ("normalised", {"base": written}),
        ("normalised", {"earlier": written}),
    ]
    for name, known in places:
        found = match(table, task, **known)
        assert found.kept == []
        counted = {k: v for k, v in vars(found).items() if k not in {"kept", "gone"} and v}
        assert counted == {name: 1}


def test_a_repeated_row_counts_once_where_it_was_and_then_within(make_task: Any) -> None:
    task = make_task()
    table = build([(f"k{i}", "tea", 1.0, "good") for i in range(3)], task)
    found = match(table, task, base=known_rows(table, task))
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
    known = known_rows(build(base, task), task)
    assert sum(conflicting(build(rows, task), known, task)) == conflicts


def test_known_rows_tell_labels_by_normalised_features(make_task: Any) -> None:
    task = make_task()
    rows: list[Row] = [("a", "tea", 1.0, "good"), ("b", "TEA", 1.0, "bad"), ("c", "x", 1.0, "bad")]
    traits = known_rows(build(rows, task), task).traits
    labels = [sorted(str(label) for label, _ in found) for found in traits.values()]
    assert sorted(labels) == [["bad"], ["bad", "good"]]


def test_copies_with_other_spaces_and_marks_are_duplicates(make_task: Any) -> None:
    task = make_task()
    rows: list[Row] = [
        ("a", "Fine tea.", 1.0, "good"),
        ("b", " fine  TEA", 1.0, "good"),
        ("c", "fine tea!", 1.0, "bad"),  # another label: a conflict, which stays
        ("d", "fine tea", 2.0, "good"),
    ]
    found = match(build(rows, task), task)
    assert (found.normalised, len(found.kept)) == (1, 3)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, (1, 1, 0, 1)),
        ({"exact": "report"}, (0, 1, 1, 2)),
        ({"normalised": "report"}, (1, 0, 1, 2)),
        ({"exact": "report", "normalised": "report"}, (0, 0, 2, 3)),
    ],
)
def test_what_the_task_lets_stay_is_kept_and_counted(
    make_task: Any, policy: dict[str, str], expected: tuple[int, ...]
) -> None:
    task = make_task(duplicates=policy)
    rows: list[Row] = [
        ("a", "tea", 1.0, "good"),
        ("b", "tea", 1.0, "good"),
        ("c", "TEA", 1.0, "good"),
    ]
    found = match(build(rows, task), task)
    assert (found.within, found.normalised, found.reported, len(found.kept)) == expected


def test_a_row_of_another_group_says_something_else() -> None:
    from hokusai_assets_tests.contribution.conftest import build_task

    task = build_task(
        [
            {"name": "note", "type": "text"},
            {"name": "team", "type": "text", "role": "group"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    cells = {"note": ["tea", "Tea", "TEA"], "team": ["a", "b", "a"], "label": ["good"] * 3}
    found = match(with_keys(pa.table(cells), task), task)
    assert (found.normalised, len(found.kept)) == (1, 2)


@pytest.mark.parametrize("exact", ["drop", "report"])
@given(rows=ROWS, paid=st.sets(st.integers(0, 11)))
@settings(deadline=None)
def test_a_bucket_is_matched_as_if_each_of_its_rows_were_looked_at(
    make_task: Any, exact: str, rows: list[Row], paid: set[int]
) -> None:
    """Repetitions, and rows with keys of their own, are told by their first bytes together."""
    task = make_task(duplicates={"exact": exact})
    table = build(rows, task)
    table = table.append_column(ROW_NUMBER, pa.array(range(10, 10 + len(rows)), pa.int64()))
    paid_digests = frozenset(digest for at, digest in enumerate(digests(table)) if at in paid)
    keys = table.column(FEATURE_KEY).to_pylist()
    paid_keys = frozenset(
        key for key, digest in zip(keys, digests(table), strict=True) if digest in paid_digests
    )
    against = Against(None, None, paid_digests=paid_digests)
    found = reduce_bucket(table, task, against, (b"\0\0", None), 0)
    expected = match(table, task, paid=paid_keys)
    kept = take_rows(table, expected.kept)
    assert take_rows(table, found.kept).equals(kept)
    # As a bucket comes, in any order.
    shuffled = take_rows(table, random.Random(len(rows)).sample(range(len(rows)), len(rows)))
    again = reduce_bucket(shuffled, task, against, (b"\0\0", None), 0)
    assert digests(take_rows(shuffled, again.kept)) == digests(kept)
    assert again.matches == found.matches
    assert found.conflicts.tolist() == conflicting(kept, KnownRows(), task)
    assert [tuple(row.values())[:2] for row in found.removed.to_pylist()] == [
        (10 + at, reason) for at, reason in expected.gone
    ]
    # Rows that nothing resembles are kept without being told.
    told = ("within", "normalised", "already_paid", "reported")
    assert [getattr(found.matches, n) for n in told] == [getattr(expected, n) for n in told]


def test_rows_equal_in_everything_stay_as_they_came(make_task: Any) -> None:
    task = make_task()
    table = build([("k", "tea", 1.0, "good")] * 200 + [("k", "dull", 1.0, "bad")] * 200, task)
    table = take_rows(table, random.Random(5).sample(range(400), 400))
    table = table.append_column(ROW_NUMBER, pa.array(range(400), pa.int64()))
    ordered = in_canonical_order(table, task)
    found = list(zip(digests(ordered), ordered.column(ROW_NUMBER).to_pylist(), strict=True))
    first, *_, last = digests(ordered)
    assert found == sorted(found, key=lambda row: (row[0] != first, row[1]))
    assert first != last
