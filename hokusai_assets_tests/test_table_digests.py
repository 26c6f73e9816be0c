"""The vectorised digests equal the reference, whatever the types, nulls and slices."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.digests import content_root, row_digests
from hokusai_assets.table_digests import DIGEST_BYTES, composed, digest_rows, sort_digests

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
TIMES = st.datetimes(timezones=st.just(datetime.UTC))
CELLS = {
    "text": (TEXTS, pa.string()),
    "e\u0301": (TEXTS, pa.string()),
    "number": (st.floats(allow_nan=True), pa.float64()),
    "integer": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "boolean": (st.booleans(), pa.bool_()),
    "time": (TIMES, pa.timestamp("us", "UTC")),
    "bytes": (st.binary(max_size=4), pa.binary()),
}


@st.composite
def tables(draw):
    names = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, unique=True))
    count = draw(st.integers(0, 6))
    columns = {}
    for name in names:
        cells, kind = CELLS[name]
        values = draw(st.lists(st.none() | cells, min_size=count, max_size=count))
        columns[name] = pa.array(values, kind)
    return columns


@given(columns=tables(), start=st.integers(0, 3))
@settings(deadline=None)
def test_digests_are_those_of_the_reference(columns, start):
    sliced = {name: cells.slice(start) for name, cells in columns.items()}
    expected = row_digests({name: cells.to_pylist() for name, cells in sliced.items()})
    assert digest_rows(sliced).to_pylist() == expected
    chunked = {name: pa.chunked_array([cells, cells]) for name, cells in sliced.items()}
    assert digest_rows(chunked).to_pylist() == expected * 2


def test_more_rows_than_are_encoded_at_once(monkeypatch):
    from hokusai_assets import table_digests

    cells = {"a": pa.array(range(10), pa.int64())}
    whole = digest_rows(cells)
    monkeypatch.setattr(table_digests, "_ROWS_AT_ONCE", 3)
    assert digest_rows(cells).equals(whole)


def test_composed_text_is_that_of_unicode():
    assert composed(pa.array(["e\u0301", None, "plain", ""])).to_pylist() == [
        "\u00e9",
        None,
        "plain",
        "",
    ]


def test_no_column_is_no_row():
    assert len(digest_rows({})) == 0


@pytest.mark.parametrize("ties", [1, 8, 32])
def test_digests_are_sorted_as_bytes_also_where_they_begin_alike(ties):
    """Random tails behind few heads; zeros at the ends, which numpy's byte strings would lose."""
    rng = np.random.Generator(np.random.PCG64(ties))
    rows = rng.integers(0, 256, (200, DIGEST_BYTES), np.uint8)
    rows[:, :ties] = rng.integers(0, 2, (200, 1), np.uint8)
    rows[::3, -4:] = 0
    expected = sorted(row.tobytes() for row in rows)
    assert [row.tobytes() for row in sort_digests(rows)] == expected
    assert content_root(expected) == content_root(row.tobytes() for row in rows)
