"""Columns are typed at once as their cells are typed one by one."""

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.rows import Kind, RawColumn
from hokusai_assets.contribution.typing_cells import CellError, type_cell
from hokusai_assets.contribution.typing_columns import type_column
from hokusai_assets_tests.contribution.conftest import build_task

NUMERALS = st.one_of(
    st.floats().map(repr),
    st.integers(-(2**65), 2**65).map(str),
    st.from_regex(r"[+-]?[0-9]{0,20}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["", "nan", "inf", "-0", "-0.0", " 7 ", "0x10", "1e999", "1_0", "٣", "1."]),
    st.text(max_size=3),
)
CELLS = {
    "number": NUMERALS,
    "integer": NUMERALS,
    "text": st.text(st.characters(codec="utf-8"), max_size=5),
    "boolean": st.sampled_from(["true", "FALSE", "1", "0.0", "", " ", "maybe"]),
    "timestamp": st.sampled_from(["2024-02-30", "2024-01-01T10:00", "", "x", "2024-01-01"]),
}


def one_by_one(column, cells, kinds):
    """What each cell's own typing says: its value, or its reason."""
    values = []
    for cell, kind in zip(cells, kinds, strict=True):
        try:
            value = type_cell(column.type, cell, Kind(kind)) if cell else None
        except CellError as reason:
            values.append(str(reason))
            continue
        if value is None:
            values.append(None if column.nullable else "empty")
        elif column.minimum is not None and value < column.minimum:
            values.append(f"below {column.minimum:g}")
        elif column.maximum is not None and value > column.maximum:
            values.append(f"above {column.maximum:g}")
        else:
            values.append((value,))
    return values


@pytest.mark.parametrize("kind", sorted(CELLS))
@given(data=st.data(), nullable=st.booleans(), bounded=st.booleans(), start=st.integers(0, 2))
@settings(deadline=None, max_examples=60)
def test_a_column_is_typed_as_its_cells_are(kind, data, nullable, bounded, start):
    bounds = (
        {"minimum": -10, "maximum": 1000.5} if bounded and kind in {"number", "integer"} else {}
    )
    task = build_task(
        [
            {"name": "c", "type": kind, "nullable": nullable, **bounds},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    column = next(c for c in task.columns if c.name == "c")
    cells = data.draw(st.lists(st.none() | CELLS[kind], max_size=8))
    kinds = data.draw(
        st.lists(st.sampled_from([0, 1, 2, 3, 4, 5]), min_size=len(cells), max_size=len(cells))
        | st.sampled_from([0, 1]).map(lambda k: [k] * len(cells))
    )
    cells, kinds = cells[start:], kinds[start:]
    expected = one_by_one(column, cells, kinds)
    raw = RawColumn(pa.array(cells, pa.string()), pa.array(kinds, pa.int8()))
    typed, bad = type_column(column, raw, task)
    reasons = {int(place): reason for reason, places in bad.items() for place in places}
    found = [
        reasons.get(place, None if value is None else (value,))
        for place, value in enumerate(typed.to_pylist())
    ]
    assert found == expected
    if kinds and len(set(kinds)) == 1:
        same, again = type_column(column, RawColumn(raw.text, Kind(kinds[0])), task)
        assert same.equals(typed)
        assert {r: p.tolist() for r, p in again.items()} == {r: p.tolist() for r, p in bad.items()}


def test_a_cell_that_is_too_long_is_rejected_as_that():
    task = build_task(
        [
            {"name": "note", "type": "text"},
            {"name": "label", "type": "category", "role": "target"},
        ],
        reading={"max_cell_bytes": 5},
    )
    column = next(c for c in task.columns if c.name == "note")
    cells = ["short", "longer", None, "\u20ac\u20ac", "x"]
    _, bad = type_column(column, RawColumn(pa.array(cells, pa.string())), task)
    assert {reason: places.tolist() for reason, places in bad.items()} == {
        "empty": [2],
        "a cell of more than 5 bytes": [1, 3],
    }


@example(cells=["1", "2.5", "x", "", "nan", "1e3"])
@given(cells=st.lists(st.sampled_from(["1", "-7", "2.50", "x", "", "nan", "1e3", "1e999"])))
@settings(deadline=None)
def test_one_bad_number_does_not_change_the_others(cells):
    task = build_task(
        [
            {"name": "n", "type": "number", "nullable": True},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    column = next(c for c in task.columns if c.name == "n")
    alone = [
        type_column(column, RawColumn(pa.array([cell], pa.string())), task)[0][0] for cell in cells
    ]
    together, _ = type_column(column, RawColumn(pa.array(cells, pa.string())), task)
    assert together.to_pylist() == [cell.as_py() for cell in alone]
