"""Digests: the page that specifies them, the code, and the laws they must keep."""

import datetime
import hashlib
import io
import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.digests import (
    canonical_json,
    content_root,
    digest_file,
    digest_json,
    digest_stream,
    encode_cell,
    row_digests,
)

PAGE = (Path(__file__).parents[1] / "docs" / "content_digest.md").read_text(encoding="utf-8")
REFERENCE: dict[str, Any] = {}
exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], REFERENCE)  # noqa: S102
CELL_BLOCK, ROOT_BLOCK = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
CELL_VECTORS = [re.split(r"\s{2,}", line) for line in CELL_BLOCK.splitlines()]
ROOT_LINES = ROOT_BLOCK.splitlines()
ROOT_VECTORS = list(zip(ROOT_LINES[::2], ROOT_LINES[1::2], strict=True))
UTC = datetime.UTC

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
    st.datetimes(timezones=st.just(UTC)),
)
ROWS = st.lists(st.fixed_dictionaries({"b": CELLS, "a": CELLS, "é": CELLS}), max_size=6)


def digests_of(rows: list[dict[str, Any]]) -> list[bytes]:
    return row_digests({name: [row[name] for row in rows] for name in (rows[0] if rows else {})})


@pytest.mark.parametrize(("cell", "encoded"), CELL_VECTORS, ids=lambda v: v)
def test_golden_cells(cell, encoded):
    assert encode_cell(eval(cell, REFERENCE)).hex() == encoded


@pytest.mark.parametrize(("rows", "root"), ROOT_VECTORS, ids=lambda v: v[:20])
def test_golden_roots(rows, root):
    assert content_root(digests_of(eval(rows, REFERENCE))) == root


def test_there_are_vectors():
    assert len(CELL_VECTORS) == 15 and len(ROOT_VECTORS) == 4


@given(CELLS)
def test_the_page_and_the_code_encode_alike(cell):
    assert encode_cell(cell) == REFERENCE["cell"](cell)


@given(ROWS)
def test_the_page_and_the_code_give_one_root(rows):
    assert content_root(digests_of(rows)) == REFERENCE["root"](rows)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_means_nothing(rows, shuffle: random.Random):
    mixed = [dict(reversed(row.items())) for row in rows]
    shuffle.shuffle(mixed)
    assert content_root(digests_of(mixed)) == content_root(digests_of(rows))


@given(CELLS, CELLS)
def test_different_cells_have_different_bytes(one, other):
    def canonical(cell: Any) -> Any:
        if isinstance(cell, str):
            return unicodedata.normalize("NFC", cell)
        return "nan" if cell != cell else cell

    same = type(one) is type(other) and canonical(one) == canonical(other)
    assert (encode_cell(one) == encode_cell(other)) == same


def test_a_row_more_or_a_row_twice_is_another_content():
    rows = digests_of([{"a": 1}, {"a": 2}])
    roots = {content_root(r) for r in (rows, rows[:1], [*rows, rows[0]], [])}
    assert len(roots) == 4


def test_names_and_cells_cannot_be_traded():
    assert digests_of([{"ab": "c"}]) != digests_of([{"a": "bc"}])
    assert digests_of([{"a": 1, "b": None}]) != digests_of([{"a": None, "b": 1}])
    assert digests_of([{"a": 1}]) != digests_of([{"a": 1, "b": None}])


def test_names_are_compared_in_form_c_and_sorted_as_bytes():
    assert digests_of([{"e\u0301": 1}]) == digests_of([{"\u00e9": 1}])
    ordered = b"".join(
        len(n.encode()).to_bytes(4, "big") + n.encode() + b"\0" for n in ("Z", "a", "é")
    )
    assert digests_of([{"é": None, "a": None, "Z": None}]) == [hashlib.sha256(ordered).digest()]


def test_columns_of_different_lengths_are_an_error():
    with pytest.raises(ValueError):
        row_digests({"a": [1, 2], "b": [1]})


def test_times_without_an_offset_are_in_utc():
    plain = datetime.datetime(2024, 5, 1, 12)
    east = datetime.timezone(datetime.timedelta(hours=2))
    assert encode_cell(plain) == encode_cell(plain.replace(tzinfo=UTC))
    assert encode_cell(plain.replace(hour=14, tzinfo=east)) == encode_cell(plain)


def test_canonical_json_is_rfc_8785():
    # Keys by UTF-16 code units, as in the RFC's own example of sorting (section 3.2.3).
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    text = canonical_json(dict.fromkeys(names, 1)).decode()
    order = [text.index(n) for n in ("\\r", "1", "\u0080", "\u00f6", "\u20ac")]
    assert order == sorted(order)
    assert text.index("\U0001f600") < text.index("\ufb33")
    assert canonical_json({"b": [1, True, None], "a": "é\n"}) == (
        '{"a":"é\\n","b":[1,true,null]}'.encode()
    )


@pytest.mark.parametrize(
    ("value", "where"), [(0.5, r"\$ is"), ({"a": [1, {"b": 2.0}]}, r"\$\.a\[1\]\.b is")]
)
def test_canonical_json_refuses_floats_and_says_where(value, where):
    with pytest.raises(TypeError, match=where):
        canonical_json(value)


def test_digests_of_json_files_and_streams(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc" * 1_000_000)
    expected = hashlib.sha256(b"abc" * 1_000_000).hexdigest()
    assert digest_file(path) == digest_stream(io.BytesIO(path.read_bytes())) == expected
    assert digest_json({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()
