"""The tally of rejected rows: each row once, each reason with its count, never a cell."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.contribution.rows import (
    FIRST_ROWS,
    LISTED_REASONS,
    Rejections,
    counted,
    describe,
    take_rows,
)
from hokusai_assets.records import RejectionReason

ADDED = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b"]),
        st.sampled_from(["no number", "is empty"]),
        st.sets(st.integers(1, 40), max_size=9),
    ),
    max_size=8,
    unique_by=lambda added: added[:2],
)


def reason(text: str, count: int, *first: int, column: str | None = None) -> RejectionReason:
    return RejectionReason(column=column, reason=text, count=count, first_rows=first)


def tally(added: list[tuple[str | None, str, set[int]]]) -> Rejections:
    rejections = Rejections()
    for column, text, rows in added:
        rejections.add(column, text, rows)
    return rejections


@given(ADDED)
def test_a_row_counts_under_each_of_its_reasons_and_once_in_all(
    added: list[tuple[str | None, str, set[int]]],
) -> None:
    rejections = tally(added)
    assert rejections.rows == set().union(*(rows for *_, rows in added))
    found = {(r.column, r.reason): r for r in rejections.reasons()}
    assert found.keys() == {(column, text) for column, text, rows in added if rows}
    for column, text, rows in added:
        if rows:
            one = found[column, text]
            assert one.count == len(rows)
            assert one.first_rows == tuple(sorted(rows)[:FIRST_ROWS])
    assert sum(r.count for r in found.values()) >= len(rejections.rows)


@given(ADDED)
def test_the_order_of_adding_does_not_show(
    added: list[tuple[str | None, str, set[int]]],
) -> None:
    assert tally(added).reasons() == tally(added[::-1]).reasons()


@given(ADDED)
def test_rows_added_one_at_a_time_count_the_same(
    added: list[tuple[str | None, str, set[int]]],
) -> None:
    single = Rejections()
    for column, text, rows in added:
        for row in sorted(rows, reverse=True):
            single.add(column, text, [row])
    assert single.reasons() == tally(added).reasons()
    assert single.rows == tally(added).rows


def test_reasons_stand_in_order_of_column_and_reason() -> None:
    rejections = tally([("b", "x", {1}), ("a", "z", {2}), (None, "y", {3}), ("a", "y", {4})])
    assert [(r.column, r.reason) for r in rejections.reasons()] == [
        (None, "y"),
        ("a", "y"),
        ("a", "z"),
        ("b", "x"),
    ]


def test_no_rows_are_no_reason() -> None:
    rejections = Rejections()
    rejections.add("a", "is empty", [])
    assert rejections.reasons() == ()
    assert rejections.rows == set()


def test_adding_to_a_copy_leaves_the_first_alone() -> None:
    first = tally([("a", "is empty", {1})])
    second = first.copy()
    second.add("a", "is empty", [2])
    second.add("b", "is empty", [3])
    assert first.rows == {1}
    assert [(r.column, r.count) for r in first.reasons()] == [("a", 1)]
    assert second.rows == {1, 2, 3}
    assert [(r.column, r.count) for r in second.reasons()] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ([], ""),
        ([reason("is empty", 1, 7, column="a")], "column 'a': is empty (1 row: 7)"),
        ([reason("too long", 2, 1, 9)], "too long (2 rows: 1, 9)"),
        (
            [reason("is empty", 1234, 1, 2, 3, 4, 5, column="a")],
            "column 'a': is empty (1,234 rows: 1, 2, 3, 4, 5, ...)",
        ),
        ([reason("the rows are not known", 3, column="a")], "column 'a': the rows are not known"),
        (
            [reason("rare", 1, 1), reason("common", 2, 2, 3), reason("rare too", 1, 4)],
            "common (2 rows: 2, 3); rare (1 row: 1); rare too (1 row: 4)",
        ),
    ],
)
def test_reasons_are_described_with_counts_and_rows_the_commonest_first(
    given_: list[RejectionReason], said: str
) -> None:
    assert describe(given_) == said


def test_exactly_as_many_reasons_as_are_listed_leave_none_over() -> None:
    many = [reason(f"reason {i}", 1, i + 1) for i in range(LISTED_REASONS)]
    assert "more reasons" not in describe(many)
    assert describe(many).count(";") == LISTED_REASONS - 1


def test_a_long_list_of_reasons_is_cut_after_the_commonest() -> None:
    many = [reason(f"reason {i}", i + 1, 1) for i in range(LISTED_REASONS + 3)]
    said = describe(many)
    assert said.endswith("; and 3 more reasons")
    assert f"reason {LISTED_REASONS + 2} (" in said
    assert "reason 2 (" not in said
    assert "reason 3 (" in said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12345, "12,345 rows")]
)
def test_a_noun_is_counted(count: int, said: str) -> None:
    assert counted(count, "row") == said


@given(st.lists(st.integers(0, 4), max_size=8))
def test_rows_are_taken_by_position_even_none_and_even_twice(positions: list[int]) -> None:
    cells = ["a", None, "c", "d", "e"]
    table = pa.table({"c": pa.array(cells)})
    taken = take_rows(table, positions)
    assert taken.column("c").to_pylist() == [cells[p] for p in positions]
    assert taken.schema == table.schema
