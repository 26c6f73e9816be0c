"""A profile guesses types, roles and personal data, and a task drafted from it loads."""

import datetime
import json
import tomllib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.column_types import type_of
from hokusai_assets.contribution.drafting import draft_task, sample_words, task_id
from hokusai_assets.contribution.profiling import profile_sample
from hokusai_assets.contribution.rows import Kind
from hokusai_assets.contribution.sampling_files import SAMPLE_ROWS, sample_file
from hokusai_assets.contribution.validating import validate
from hokusai_assets.errors import MissingFileError, UsageError
from hokusai_assets.task import parse_task

EMAIL = "alice@example.com"


def people(count=60):
    """Rows with a column of every kind, as CSV sees them."""
    return [
        {
            "order_id": f"o{i}",
            "note": f"it was {'fine' if i % 2 else 'poor'} in week {i}",
            "size": ("S", "M", "L")[i % 3],
            "age": 20 + i % 40,
            "price": f"{i}.25",
            "late": "true" if i % 5 == 0 else "false",
            "when": f"2024-01-{1 + i % 28:02d}",
            "postcode": f"0{1000 + i % 7}",
            "email": f"person{i}@example.com",
            "label": "good" if i % 2 else "bad",
        }
        for i in range(count)
    ]


@pytest.fixture
def profiled(tmp_path, write):
    def run(rows, target=None, suffix="csv"):
        return profile_sample(sample_file(write(tmp_path / f"data.{suffix}", rows)), target)

    return run


def by_name(profile):
    return {column.name: column for column in profile.columns}


def test_types_and_roles_of_a_csv_file(profiled):
    profile = profiled(people())
    assert {c.name: (c.type, c.role) for c in profile.columns} == {
        "order_id": ("text", "id"),
        "note": ("text", "feature"),
        "size": ("category", "feature"),
        "age": ("integer", "feature"),
        "price": ("number", "feature"),
        "late": ("boolean", "feature"),
        "when": ("timestamp", "feature"),
        "postcode": ("text", "feature"),  # 7 of 60 differ: more than a tenth
        "email": ("text", "ignore"),
        "label": ("category", "target"),
    }
    assert profile.labels == ("bad", "good")
    assert (profile.rows, profile.whole_file, profile.skipped) == (60, True, 0)


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_the_draft_loads_and_its_file_is_valid(profiled, tmp_path, suffix):
    rows = people()
    for row in rows:  # in CSV all are text; elsewhere they have a type of their own
        if suffix != "csv":
            row |= {"late": row["late"] == "true", "price": float(row["price"])}
        if suffix == "parquet":
            row |= {"when": datetime.date.fromisoformat(row["when"])}
    rows[3]["note"] = f"write to {EMAIL}"
    rows[4]["age"] = None
    profile = profiled(rows, suffix=suffix)
    task = parse_task(tomllib.loads(draft_task(profile, "my data")))
    found = validate(str(tmp_path / f"data.{suffix}"), task, key=None, folder=tmp_path / "scratch")
    assert found.valid
    assert (found.counts.read, found.counts.usable) == (60, 60)
    assert {c.name: c.type for c in task.features}["late"] == "boolean"
    assert next(c for c in task.columns if c.name == "note").pii == "hash"
    assert next(c for c in task.columns if c.name == "age").nullable


def test_no_cell_but_labels_stands_in_a_draft(profiled):
    rows = people()
    rows[3]["note"] = f"secretword {EMAIL}"
    profile = profiled(rows)
    text = draft_task(profile, "data")
    for row in rows:
        for name in ("order_id", "note", "postcode", "email", "when"):
            assert row[name] not in text
    for word in ("secretword", EMAIL, '"S"', '"M"'):
        assert word not in text
        assert word not in repr(profile)
    assert '"bad", "good"' in text


def test_ranges_are_comments_and_hidden_where_personal(profiled):
    rows = [
        row | {"customer_phone": 2025550100 + i, "card": 4111111111111111, "n": i}
        for i, row in enumerate(people())
    ]
    profile = profiled(rows)
    columns = by_name(profile)
    assert (columns["age"].minimum, columns["age"].maximum) == (20, 59)
    for name in ("customer_phone", "card", "order_id"):
        assert (columns[name].minimum, columns[name].maximum) == (None, None)
    assert columns["customer_phone"].role == columns["card"].role == "ignore"
    text = draft_task(profile, "data")
    assert "# minimum = 20 " in text
    assert "\nminimum" not in text
    assert "2025550100" not in text
    assert "4111111111111111" not in text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"extra": None}, "empty throughout"),
        ({"extra": EMAIL}, "personal data in most cells: email"),
        ({"extra": ["a", "b"]}, "cells of several kinds"),
        ({"first_name": "Ann"}, "personal data by its name: person_name"),
    ],
)
def test_columns_nobody_can_learn_from_are_ignored_and_say_why(profiled, change, why):
    profile = profiled([row | change for row in people()], suffix="json")
    (name,) = change
    column = by_name(profile)[name]
    assert column.role == "ignore"
    assert column.ignored.startswith(why)
    assert f'role = "ignore"   # {why}' in draft_task(profile, "data")


def test_codes_that_all_differ_teach_nothing(profiled):
    profile = profiled([row | {"sku": f"B{i}X"} for i, row in enumerate(people())])
    assert by_name(profile)["sku"].ignored == "every value is different: nothing to learn from"


def test_numbers_where_text_is_due_are_ignored(profiled):
    rows = [row | {"mixed": "a" if i % 2 else 1.5} for i, row in enumerate(people())]
    assert by_name(profiled(rows, suffix="json"))["mixed"].role == "ignore"


def test_nan_of_a_data_frame_is_an_empty_cell(profiled):
    rows = [row | {"n": float("nan") if i == 3 else i / 2} for i, row in enumerate(people())]
    column = by_name(profiled(rows, suffix="parquet"))["n"]
    assert (column.type, column.empty) == ("number", 1)


# --- target and id --------------------------------------------------------------------------------


def test_the_target_is_the_one_that_is_named(profiled):
    profile = profiled(people(), target="size")
    assert profile.labels == ("L", "M", "S")
    assert by_name(profile)["label"].role == "feature"


def test_integer_labels_are_integers(profiled):
    rows = [row | {"label": i % 3} for i, row in enumerate(people())]
    profile = profiled(rows)
    assert profile.labels == (0, 1, 2)
    assert by_name(profile)["label"].type == "integer"
    assert "labels = [0, 1, 2]" in draft_task(profile, "d")


def test_without_a_telling_name_the_last_category_is_the_target(profiled):
    rows = [{"note": f"word {i}", "kind": "ab"[i % 2], "answer": "yn"[i % 2]} for i in range(60)]
    assert by_name(profiled(rows))["answer"].role == "target"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nothing", "no column 'nothing'"),
        ("email", "holds personal data"),
        ("first_name", "holds personal data"),
        ("note", "60 different values"),
        ("one", "1 different values"),
        ("half", "labels are texts or whole numbers"),
    ],
)
def test_what_cannot_be_a_target_is_refused(profiled, target, said):
    rows = [
        row | {"first_name": ("Ann", "Bob")[i % 2], "one": "x", "half": i % 2 + 0.5}
        for i, row in enumerate(people())
    ]
    with pytest.raises(UsageError, match=said) as caught:
        profiled(rows, target=target, suffix="json")
    assert "@" not in str(caught.value)


def test_labels_that_are_personal_are_refused_by_content(profiled):
    rows = [row | {"owner": f"{'ab'[i % 2]}@example.com"} for i, row in enumerate(people())]
    with pytest.raises(UsageError, match="personal data"):
        profiled(rows, target="owner")


def test_no_target_and_no_feature_are_said(profiled):
    with pytest.raises(UsageError, match="--target"):
        profiled([{"a": f"word {i}", "b": i / 3} for i in range(60)])
    with pytest.raises(UsageError, match="can be learned from"):
        profiled([{"id": f"i{i}", "label": "ab"[i % 2]} for i in range(60)])


def test_fractions_are_no_ids(profiled):
    rows = [row | {"id": i + 0.5} for i, row in enumerate(people())]
    assert by_name(profiled([{"id": 0} | row for row in rows], suffix="json"))["id"].role == (
        "feature"
    )


def test_one_personal_number_hides_the_range(profiled):
    rows = [row | {"n": i} for i, row in enumerate(people())]
    rows[5]["n"] = 4111111111111111
    column = by_name(profiled(rows))["n"]
    assert (column.role, column.personal_cells, column.maximum) == ("feature", 1, None)


def test_an_id_must_differ_in_every_row(profiled):
    rows = people()
    rows[1]["order_id"] = "o0"
    assert not any(column.role == "id" for column in profiled(rows).columns)


# --- types ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "-2", "30"], "integer"),
        (["1", "2.5"], "number"),
        (["1.0", "2.0"], "number"),
        (["1e3", "2"], "number"),
        (["1", "NaN"], "integer"),
        (["007", "123"], "category"),
        (["12345678901234567890", "1"], "category"),
        (["true", "FALSE"], "boolean"),
        (["0", "1"], "integer"),
        (["2024-01-01", "2024-01-01T10:00Z"], "timestamp"),
        ([], "text"),
        (["x" * 65, "y"], "text"),
        ([f"t{i}" for i in range(30)], "text"),
        ([f"t{i % 3}" for i in range(30)], "category"),
    ],
)
def test_the_narrowest_type_that_fits(texts, expected):
    assert type_of([(text, Kind.TEXT) for text in texts]) == expected


# --- files ----------------------------------------------------------------------------------------


def test_only_the_first_rows_are_looked_at(tmp_path):
    for suffix in ("csv", "jsonl", "json", "parquet"):
        path = tmp_path / f"long.{suffix}"
        count = SAMPLE_ROWS + 5
        if suffix == "csv":
            path.write_text("a,b\n" + "1,x\n" * count)
        elif suffix == "jsonl":
            path.write_text('{"a": 1, "b": "x"}\n' * count)
        elif suffix == "json":
            path.write_text(json.dumps([{"a": 1, "b": "x"}] * count))
        else:
            pq.write_table(pa.table({"a": [1] * count, "b": ["x"] * count}), path)
        sample = sample_file(path)
        assert (sample.rows, sample.whole_file, sample.names) == (SAMPLE_ROWS, False, ("a", "b"))
    path.write_bytes(b"")
    (tmp_path / "exact.csv").write_text("a\n" + "1\n" * SAMPLE_ROWS)
    assert sample_file(tmp_path / "exact.csv").whole_file


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_byte_order_marks_and_broken_rows(tmp_path, delimiter):
    path = tmp_path / "d.csv"
    lines = ["a,b", "1,x", "", "1,2,3", "2,y", "3"]
    path.write_text("\ufeff" + "\n".join(lines).replace(",", delimiter), encoding="utf-8")
    sample = sample_file(path)
    assert sample.names == ("a", "b")
    assert (sample.rows, sample.skipped) == (2, 2)


def test_broken_json_lines_are_skipped(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text('{"a": 1}\n{broken\n[1]\n' + '{"a": ' + "[" * 100_000 + '\n{"a": "\\ud800"}\n')
    sample = sample_file(path)
    assert (sample.rows, sample.skipped) == (2, 3)
    assert sample.cells["a"] == (("1", Kind.NUMBER), ("?", Kind.INVALID))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no rows"),
        (b"a,b\n", "no rows"),
        (b"\x1f\x8bxxxx", "neither Parquet nor readable UTF-8"),
        (b"PAR1xxxx", "damaged Parquet"),
        (b"[1, 2", "no valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"a,a\n1,2\n", "name twice"),
        (b"a,\n1,2\n", "without a name"),
        (b"a,_b\n1,2\n", "underscore"),
        (b"alice@example.com,x\n1,2\n", "personal data in place of a column's name"),
        (b"17,3.5\n1,2\n", "in place of a column's name"),
        (
            b"a long text as a review is that stands where a header should be " * 2 + b"x\n1,2\n",
            "in place of a column's name",
        ),
        (b'[{"\\ud800": 1}]', "without a name"),
    ],
)
def test_files_that_cannot_be_profiled(tmp_path, content, said):
    path = tmp_path / "f"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        sample_file(path)
    assert "alice" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(MissingFileError):
        sample_file(tmp_path / "none.csv")


# --- drafts ---------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map("n".__add__),
        min_size=2,
        max_size=2,
        unique_by=str.casefold,
    ),
    labels=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map("l".__add__),
        min_size=2,
        max_size=3,
        unique=True,
    ),
)
def test_any_name_and_label_survives_toml(tmp_path_factory, names, labels):
    feature, target = names
    rows = [{feature: f"word {i}", target: labels[i % len(labels)]} for i in range(40)]
    path = tmp_path_factory.mktemp("draft") / "d.json"
    path.write_text(json.dumps(rows))
    try:
        profile = profile_sample(sample_file(path), target)
    except UsageError:
        return  # names and labels that look personal, or that are one name in NFC
    task = parse_task(tomllib.loads(draft_task(profile, "d")))
    assert set(task.data.labels) == set(labels)
    assert {column.name for column in task.columns} == {c.name for c in profile.columns}


@pytest.mark.parametrize(
    ("stem", "expected"),
    [("My Data (2)", "my-data-2"), ("...", "task"), (EMAIL, "email"), ("x" * 99, "x" * 64)],
)
def test_the_id_comes_from_the_files_name_and_names_nobody(stem, expected):
    assert task_id(stem) == expected


def test_the_sample_is_said(profiled):
    profile = profiled(people())
    assert sample_words(profile) == "all 60 rows"
    assert draft_task(profile, "d").startswith("# Drafted from all 60 rows.")
