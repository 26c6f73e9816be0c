"""Rows get the task's types; those that do not fit are counted by reason, and too many refuse."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.reading import read_rows
from hokusai_assets.contribution.reference_rows import load_reference
from hokusai_assets.contribution.schema import type_rows
from hokusai_assets.errors import ContributionError, ReferenceDataError, TaskError

COLUMNS = [
    {"name": "key", "type": "integer", "role": "id"},
    {"name": "note", "type": "text", "nullable": True},
    {"name": "weight", "type": "number", "minimum": 0, "maximum": 10},
    {"name": "size", "type": "category", "allowed": ["S", "caf\u00e9"]},
    {"name": "late", "type": "boolean", "required": False},
    {"name": "secret", "type": "text", "role": "ignore", "required": False},
    {"name": "label", "type": "category", "role": "target"},
]
GOOD = {"key": 1, "note": "n", "weight": 5.0, "size": "S", "label": "good"}
LENIENT = {"reading": {"max_rejected_share": 0.99}}


@pytest.fixture
def typed(tmp_path, write, make_task):
    def run(rows, suffix="json", columns=COLUMNS, **sections):
        path = write(tmp_path / f"data.{suffix}", rows)
        task = make_task(columns, **sections)
        return type_rows(read_rows(str(path), task), task)

    return run


def counts(found):
    return {(r.column, r.reason): (r.count, r.first_rows) for r in found.rejections}


def test_the_table_has_the_tasks_kept_columns_and_types(typed):
    found = typed([GOOD | {"secret": "s", "more": "m"}, GOOD | {"note": None}])
    assert found.table.schema == pa.schema(
        [
            ("key", pa.int64()),
            ("label", pa.string()),
            ("late", pa.bool_()),
            ("note", pa.string()),
            ("size", pa.string()),
            ("weight", pa.float64()),
        ]
    )
    assert found.table.column("late").to_pylist() == [None, None]
    assert found.table.column("note").to_pylist() == ["n", None]
    assert found.dropped_columns == ("more", "secret")
    assert (found.read, found.rejected, list(found.numbers)) == (2, 0, [1, 2])


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl"])
def test_each_reason_is_counted_by_column_with_its_first_rows(typed, suffix):
    bad = [
        GOOD | {"key": "x1"},
        GOOD | {"weight": 11},
        GOOD | {"weight": -1, "label": "worse"},
        GOOD | {"weight": "1e999"},
        GOOD | {"size": "s"},
        GOOD | {"label": None},
        GOOD | {"weight": None},
        GOOD | {"key": str(2**63)},
    ]
    found = typed([GOOD, *bad, GOOD, *[GOOD | {"label": "worse"}] * 6], suffix, **LENIENT)
    assert counts(found) == {
        ("key", "not an integer"): (1, (2,)),
        ("key", "an integer beyond 64 bits"): (1, (9,)),
        ("weight", "above 10"): (1, (3,)),
        ("weight", "below 0"): (1, (4,)),
        ("weight", "not a finite number"): (1, (5,)),
        ("weight", "empty"): (1, (8,)),
        ("size", "not one of the task's allowed texts"): (1, (6,)),
        ("label", "not one of the task's labels"): (7, (4, 11, 12, 13, 14)),
        ("label", "empty"): (1, (7,)),
    }
    assert (found.read, found.rejected, found.table.num_rows) == (16, 14, 2)
    assert list(found.numbers) == [1, 10]


def test_json_booleans_are_no_numbers_and_nan_is_null(typed):
    columns = [
        {"name": "weight", "type": "number", "nullable": True},
        {"name": "label", "type": "category", "role": "target"},
    ]
    rows = [{"weight": w, "label": "good"} for w in (1, float("nan"), True, "2")]
    found = typed(rows, columns=columns, **LENIENT)
    assert found.table.column("weight").to_pylist() == [1.0, None, 2.0]
    assert counts(found) == {("weight", "a boolean where a number is due"): (1, (3,))}


def test_allowed_texts_and_labels_take_the_tasks_spelling(typed):
    found = typed([GOOD | {"size": "cafe\u0301"}])
    assert found.table.column("size").to_pylist() == ["caf\u00e9"]


def test_integer_labels(typed):
    columns = [
        {"name": "note", "type": "text"},
        {"name": "stars", "type": "integer", "role": "target"},
    ]
    data = {"base": "b", "benchmark": "m", "labels": [1, 2]}
    rows = [{"note": "a", "stars": s} for s in (1, "2", "2.0", 3)]
    found = typed(rows, columns=columns, data=data, **LENIENT)
    assert found.table.column("stars").to_pylist() == [1, 2, 2]
    assert counts(found) == {("stars", "not one of the task's labels"): (1, (4,))}


def test_a_lone_surrogate_is_rejected_as_such(typed):
    found = typed([GOOD, GOOD | {"note": "x\ud800"}], **LENIENT)
    assert counts(found) == {("note", "not valid Unicode"): (1, (2,))}


def test_one_bad_row_of_fifty_is_two_percent_and_says_so(typed):
    rows = [GOOD] * 36 + [GOOD | {"weight": "secret"}] + [GOOD] * 13
    with pytest.raises(ContributionError) as caught:
        typed(rows)
    message = str(caught.value)
    assert "1 of 50 rows (2.00%)" in message and "the accepted 1.00%" in message
    assert "column 'weight': not a number (1 row: 37)" in message
    assert "secret" not in message
    assert typed(rows, reading={"max_rejected_share": 0.02}).rejected == 1


def test_rejected_lines_and_rejected_cells_count_together(tmp_path, make_task):
    path = tmp_path / "data.csv"
    lines = ["key,note,weight,size,label", *["1,n,5,S,good"] * 198, "1,n", "1,n,x,S,good"]
    path.write_text("\n".join(lines))
    task = make_task(COLUMNS)
    assert type_rows(read_rows(str(path), task), task).rejected == 2
    path.write_text("\n".join([*lines, "1,n,5,S,worse"]))
    with pytest.raises(ContributionError, match=r"3 of 201 rows \(1.49%\)") as caught:
        type_rows(read_rows(str(path), task), task)
    assert "too few cells (1 row: 199)" in str(caught.value)


def test_a_file_of_which_no_row_fits_is_refused_whatever_the_limit(typed):
    with pytest.raises(ContributionError, match="2 of 2 rows"):
        typed([GOOD | {"label": "x"}] * 2, reading={"max_rejected_share": 1.0})


def test_too_many_empty_cells_refuse_the_file(typed):
    columns = [COLUMNS[0], {**COLUMNS[1], "max_null_share": 0.5}, *COLUMNS[2:]]
    rows = [GOOD | {"note": None}, GOOD]
    assert typed(rows, columns=columns).table.num_rows == 2
    with pytest.raises(ContributionError, match=r"'note' is empty in 2 of 3 rows \(66.67%"):
        typed([*rows, GOOD | {"note": ""}], columns=columns)


def test_typing_again_counts_nothing_twice(tmp_path, write, make_task):
    task = make_task(COLUMNS, **LENIENT)
    path = write(tmp_path / "data.json", [GOOD, GOOD | {"label": "x"}])
    raw = read_rows(str(path), task)
    assert type_rows(raw, task).rejections == type_rows(raw, task).rejections


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "key": st.integers(-(2**63), 2**63 - 1),
                "note": st.none() | TEXTS,
                "weight": st.floats(0, 10),
                "size": st.sampled_from(["S", "caf\u00e9"]),
                "label": st.sampled_from(["bad", "good"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_format_gives_the_same_typed_rows(tmp_path_factory, write, make_task, rows):
    folder = tmp_path_factory.mktemp("formats")
    task = make_task(COLUMNS)
    expected = [
        # Text is kept in form NFC, whatever form it came in.
        {"note": unicodedata.normalize("NFC", row["note"] or "") or None, "late": None}
        | {k: row[k] for k in row if k != "note"}
        for row in rows
    ]
    for suffix in ("csv", "json", "jsonl", "parquet"):
        path = write(folder / f"data.{suffix}", rows)
        typed = type_rows(read_rows(str(path), task), task)
        assert typed.table.to_pylist() == expected, suffix


def patterned(**more):
    from hokusai_assets_tests.contribution.conftest import build_task

    return build_task(
        [
            {"name": "key", "type": "text", "role": "id", **more.pop("key", {})},
            {"name": "code", "type": "text", "pattern": "[A-Z]{2}-[0-9]+", **more.pop("code", {})},
            {"name": "label", "type": "category", "role": "target"},
        ],
        reading={"max_rejected_share": 0.9},
        **more,
    )


def test_texts_must_match_the_pattern_as_a_whole(tmp_path, write):
    codes = ["AB-1", "ab-1", "AB-1 ", "xAB-1", "AB-1\nAB-2", "CD-22", "", "AB-"]
    path = write(
        tmp_path / "c.jsonl",
        [{"key": f"k{i}", "code": c, "label": "good"} for i, c in enumerate(codes)],
    )
    found = type_rows(read_rows(str(path), patterned(code={"nullable": True})), patterned())
    assert found.table.column("code").to_pylist() == ["AB-1", "CD-22"]
    reasons = {(r.column, r.reason): r.first_rows for r in found.rejections}
    assert reasons[("code", "does not match the task's pattern")] == (2, 3, 4, 5, 8)


def test_a_pattern_that_is_none_is_the_tasks_fault(tmp_path, write):
    path = write(tmp_path / "c.csv", [{"key": "k", "code": "x", "label": "good"}])
    task = patterned(code={"pattern": "(?=lookahead)"})
    with pytest.raises(TaskError, match="no RE2 expression"):
        type_rows(read_rows(str(path), task), task)


def test_a_pattern_takes_linear_time(tmp_path, write):
    task = patterned(code={"pattern": "(a+)+b"})
    rows = [{"key": "k", "code": "a" * 50_000, "label": "good"} for _ in range(2)]
    rows.append({"key": "k", "code": "ab", "label": "good"})
    path = write(tmp_path / "c.csv", rows)
    assert type_rows(read_rows(str(path), task), task).rejected == 2


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_file_that_repeats_an_id_is_refused_where_ids_must_differ(tmp_path, write, suffix):
    rows = [{"key": f"k{i}", "code": f"AB-{i}", "label": "good"} for i in range(9)]
    rows[6]["key"] = rows[2]["key"]
    path = write(tmp_path / f"c.{suffix}", rows)
    load_reference(str(path), patterned(), key=None)
    with pytest.raises(ReferenceDataError, match=r"'key'.*2 rows share theirs.*first rows: 3, 7\)"):
        load_reference(str(path), patterned(key={"unique": True}), key=None)
    rows[6]["key"] = "k6"
    path = write(tmp_path / f"d.{suffix}", rows)
    load_reference(str(path), patterned(key={"unique": True}), key=None)


def test_a_refusal_lists_the_first_ten_rows(tmp_path, write):
    task = patterned()
    rows = [{"key": f"k{i}", "code": "no", "label": "good"} for i in range(30)]
    path = write(tmp_path / "c.csv", rows)
    listed = ", ".join(map(str, range(1, 11)))
    with pytest.raises(ContributionError, match=rf"\(the first of them: {listed}\)"):
        type_rows(read_rows(str(path), task), task)


def test_patterns_are_for_texts_and_uniqueness_for_ids():
    with pytest.raises(TaskError, match="'code' is to be unique but is no id"):
        patterned(code={"unique": True})
    with pytest.raises(TaskError, match="'code' has a pattern but is of type number"):
        patterned(code={"type": "number"})


def test_mock_data_of_patterns_are_made_of_the_tasks_examples(tmp_path):
    from hokusai_assets.errors import UsageError
    from hokusai_assets.mock_data import write_mock_files

    task = patterned(code={"examples": ["AB-1", "CD-2"]})
    made = write_mock_files(task, 300, tmp_path)
    table, _ = load_reference(made.base, task, key=None)
    assert set(table.column("code").to_pylist()) == {"AB-1", "CD-2"}
    with pytest.raises(UsageError, match="examples"):
        write_mock_files(patterned(), 300, tmp_path / "none")
    assert task.digest == patterned().digest  # they are no part of what the task means
