"""Drift: a distance a column, against scipy's and by hand."""

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from hokusai_assets.contribution import drift
from hokusai_assets.tables import arrow_type

COUNTS = st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any)


@given(COUNTS, COUNTS)
def test_the_distance_is_scipys(one: list[int], other: list[int]) -> None:
    found = drift.jensen_shannon(np.array(one), np.array(other))
    assert found == pytest.approx(jensenshannon(one, other, base=2), abs=1e-7)
    assert 0 <= found <= 1


def column_task(make_task: Any, kind: str) -> Any:
    return make_task(
        [
            {"name": "x", "type": kind, "nullable": True},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )


def distance(make_task: Any, kind: str, ours: Any, base: Any) -> Any:
    def table(cells: Any) -> pa.Table:
        return pa.table({"x": pa.array(cells, arrow_type(kind)), "label": ["good"] * len(cells)})

    found = drift.column_distances(table(ours), table(base), column_task(make_task, kind))
    assert list(found) == ["x", "label"]
    if found["x"] is not None:
        assert found["label"] == 0
    return found["x"]


def test_numbers_go_to_bases_deciles(make_task: Any) -> None:
    base = list(range(100, 200))
    ours = [*range(100, 150), *[99.0] * 25, *[200.0] * 20, *[None] * 5]
    # Below base, ten deciles, above base, empty.
    p = [25, 9, 10, 10, 10, 10, 1, 0, 0, 0, 0, 20, 5]
    q = [0, 9, *[10] * 8, 11, 0, 0]
    assert sum(p) == sum(q) == 100
    assert distance(make_task, "number", ours, [float(x) for x in base]) == pytest.approx(
        jensenshannon(p, q, base=2)
    )


def test_few_different_numbers_are_each_a_bin(make_task: Any) -> None:
    ours, base = [1] * 30 + [2] * 10 + [7] * 10, [1] * 25 + [2] * 25
    assert distance(make_task, "integer", ours, base) == pytest.approx(
        jensenshannon([30, 10, 10], [25, 25, 0], base=2)
    )


def test_a_column_that_base_holds_constant_is_told_from_another_constant(make_task: Any) -> None:
    assert distance(make_task, "number", [5.0] * 40, [4.0] * 40) == 1
    assert distance(make_task, "number", [4.0] * 40, [4.0] * 40) == 0


def test_categories_by_share_with_one_bin_for_what_base_has_not(make_task: Any) -> None:
    ours = ["a"] * 10 + ["new"] * 20 + ["newer"] * 10
    assert distance(make_task, "category", ours, ["a"] * 30 + ["b"] * 10) == pytest.approx(
        jensenshannon([10, 0, 30], [30, 10, 0], base=2)
    )


def test_rare_categories_of_base_share_a_bin(make_task: Any) -> None:
    base = [f"v{i:03}" for i in range(60)]
    assert distance(make_task, "category", base[30:] * 2, base) == pytest.approx(
        jensenshannon([0] * 30 + [60], [1] * 30 + [30], base=2)
    )
    assert distance(make_task, "category", ["new"] * 40, base) == 1


def test_booleans_and_empty_cells(make_task: Any) -> None:
    assert distance(make_task, "boolean", [True] * 30 + [None] * 10, [True, False] * 20) == (
        pytest.approx(jensenshannon([30, 0, 10], [20, 20, 0], base=2))
    )


def test_times_are_numbers(make_task: Any) -> None:
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    base = [start + datetime.timedelta(days=i) for i in range(100)]
    later = [day + datetime.timedelta(days=1_000) for day in base]
    assert distance(make_task, "timestamp", later, base) == 1
    assert distance(make_task, "timestamp", base, base) == 0


def test_text_by_its_words(make_task: Any) -> None:
    ours, base = ["black tea"] * 20 + ["black tea"] * 20, ["black tea"] * 20 + ["Green TEA"] * 20
    assert distance(make_task, "text", ours, base) == pytest.approx(
        jensenshannon([40, 40, 0], [20, 40, 20], base=2)
    )


def test_text_by_its_lengths(make_task: Any) -> None:
    ours, base = ["tea " * 2] * 40, ["tea " * 2] * 20 + ["tea " * 5] * 20
    assert distance(make_task, "text", ours, base) == pytest.approx(
        jensenshannon([40, 0], [20, 20], base=2)
    )
    assert distance(make_task, "text", [None] * 40, base) == 1


def test_few_rows_have_no_distance(make_task: Any) -> None:
    assert distance(make_task, "number", [1.0] * 29, [1.0] * 30) is None
    assert distance(make_task, "number", [1.0] * 30, [1.0] * 29) is None
    assert distance(make_task, "number", [1.0] * 30, [1.0] * 30) == 0


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=10)
def test_the_order_of_rows_does_not_matter(make_task: Any, random: Any) -> None:
    ours = [random.choice("abcdef") for _ in range(60)]
    base = [random.choice("abcdefgh") for _ in range(60)]
    found = distance(make_task, "category", ours, base)
    random.shuffle(ours)
    random.shuffle(base)
    assert distance(make_task, "category", ours, base) == found


def test_no_more_rows_are_read_than_needed() -> None:
    def tables() -> Any:
        yield pa.table({"x": [1, 2]})
        yield pa.table({"x": [3, 4]})
        raise AssertionError("one table too many")

    assert drift.first_rows(tables(), 3).column("x").to_pylist() == [1, 2, 3]
    assert drift.first_rows([pa.table({"x": [1]})], 3).column("x").to_pylist() == [1]
