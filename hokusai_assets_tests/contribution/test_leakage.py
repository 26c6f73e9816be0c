"""Feature keys: what counts as equal, and which rows training and benchmark share."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.contribution.benchmark_groups import rows_in_common
from hokusai_assets.contribution.leakage import (
    benchmark_keys,
    feature_digests,
    feature_keys,
    write_benchmark_keys,
)
from hokusai_assets.contribution.normalising import normalise_column, normalise_text
from hokusai_assets.contribution.reference_rows import LeftOut, leave_out_base_rows, load_reference
from hokusai_assets.records import Dataset
from hokusai_assets.tables import write_table


def table_of(notes, weights=None):
    return pa.table(
        {
            "note": pa.array(notes, pa.string()),
            "weight": pa.array(weights or [1.0] * len(notes), pa.float64()),
        }
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Good Tea", "  good \t\n TEA "),
        ("caf\u00e9", "CAFE\u0301"),
        ("ﬁne", "fine"),
        ("straße", "STRASSE"),
        ("a\u00a0b", "a b"),
        ("①", "1"),
        ("Good, tea!", "good tea."),
        ("well-known", "well known"),
        ("g\u043e\u043ed t\u0435a", "good tea"),
        ("\u0406t is", "It is"),
        ("\u0663 cups", "3 cups"),
    ],
)
def test_edits_of_case_space_and_form_have_one_key_and_two_digests(make_task, one, other):
    task = make_task()
    first, second = feature_keys(table_of([one, other]), task)
    assert first == second
    exact = feature_digests(table_of([one, other]), task)
    assert exact[0] != exact[1]


def test_other_words_and_numbers_have_other_keys(make_task):
    keys = feature_keys(table_of(["a", "b", "a", None, " "], [1, 1, 2, 1, 1]), make_task())
    assert len(set(keys[:4])) == 4
    assert keys[3] == keys[4]  # text of spaces only is as good as none


@given(st.text())
def test_normalising_twice_is_normalising_once(text):
    assert normalise_text(normalise_text(text)) == normalise_text(text)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=2, max_size=5))
def test_equal_digests_imply_equal_keys(make_task, notes):
    table, task = table_of(notes), make_task()
    seen = {}
    for digest, key in zip(feature_digests(table, task), feature_keys(table, task), strict=True):
        assert seen.setdefault(digest, key) == key


def in_parts(table):
    """As stored rows come: a few at a time."""
    return (table.slice(start, 2) for start in range(0, table.num_rows, 2))


def test_benchmark_rows_in_base_are_left_out_and_counted(tmp_path, make_task, write, rows):
    task = make_task()
    base_rows = rows(6, "b")
    edited = base_rows[1] | {"key": "e", "note": "B  NOTE 1"}
    other_label = base_rows[0] | {"key": "o", "label": "good"}
    paths = [
        write(tmp_path / f"{name}.csv", lines)
        for name, lines in (("b", base_rows), ("m", [*rows(4, "m"), edited, other_label]))
    ]
    base, benchmark = (load_reference(str(path), task, key=None)[0] for path in paths)
    left, gone = leave_out_base_rows(benchmark, in_parts(base), task)
    assert (left.num_rows, gone) == (4, LeftOut(exact=1, normalised=1, group=0))
    assert sorted(left.column("key").to_pylist()) == ["m0", "m1", "m2", "m3"]
    nothing, gone = leave_out_base_rows(base, in_parts(base), task)
    assert (nothing.num_rows, gone.exact) == (0, 6)
    stored = {}
    for name, table in (("base", base), ("left", left), ("whole", benchmark)):
        write_table(table, tmp_path / name)
        stored[name] = Dataset(
            folder=str(tmp_path / name), content_root="", row_count=0, columns=()
        )
    assert rows_in_common(stored["base"], stored["left"], task) == (0, 0)
    assert rows_in_common(stored["base"], stored["whole"], task) == (2, 0)
    write_benchmark_keys(benchmark, task, tmp_path / "left")
    assert len(benchmark_keys(stored["left"], task).exact) == 6
    assert len(benchmark_keys(stored["base"], task).normalised) == 6


@pytest.mark.parametrize(
    "hidden",
    [
        *("\u200b", "\u2060", "\ufeff", "\u00ad", "\u034f", "\ufe0f", "\U000e0101", "\u202e"),
        *("\u3164", "\u180b", "\u17b4", "\ufff0", "\x01", "\x7f", "\x86", "\U0001d159"),
    ],
)
def test_characters_that_nobody_sees_do_not_hide_a_row(hidden):
    for edited in (f"a{hidden} fine tea", f"a fine tea{hidden}", f"{hidden}A fi{hidden}ne tea"):
        assert normalise_text(edited) == "a fine tea"
        assert normalise_column(pa.array([edited])).to_pylist() == ["a fine tea"]


def test_a_blank_symbol_is_a_space():
    for edited in ("a\u2800fine tea", "\u2800a fine\u2800\u2800tea", "a fine \u2800 tea\u2800"):
        assert normalise_text(edited) == "a fine tea"
        assert normalise_column(pa.array([edited])).to_pylist() == ["a fine tea"]


def test_marks_of_letters_still_tell_texts_apart():
    assert normalise_text("שָׁלוֹם") != normalise_text("שלום")
    assert normalise_text("3.5") != normalise_text("35")
    assert normalise_text("!?") == "!?" != normalise_text("...")


def test_categories_keep_their_marks(make_task):
    task = make_task(
        [
            {"name": "grade", "type": "category"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    grades = pa.table({"grade": ["A-", "A", "a-"]})
    keys = feature_keys(grades, task).to_pylist()
    assert keys[0] != keys[1] and keys[0] == keys[2]


@given(
    st.lists(
        st.none()
        | st.text(st.characters(codec="utf-8"), max_size=8)
        | st.text(st.sampled_from("aA  .\t"), max_size=8),
        max_size=8,
    ),
    st.booleans(),
    st.integers(0, 3),
)
def test_a_column_is_normalised_as_its_cells_are(cells, punctuation, start):
    expected = [
        None if c is None else normalise_text(c, punctuation=punctuation) or None for c in cells
    ]
    found = normalise_column(pa.array(cells, pa.string()).slice(start), punctuation=punctuation)
    assert found.to_pylist() == expected[start:]
