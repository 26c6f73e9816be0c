"""Validation says what cleaning finds, and of the benchmark one word."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import pytest

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.fixing import (
    changes_of,
    check_fixed_name,
    encode,
    write_fixed,
)
from hokusai_assets.contribution.remedies import refusal_of, remedy_for
from hokusai_assets.contribution.validating import CLEANED, told_from, validate
from hokusai_assets.errors import (
    ContributionError,
    MissingFileError,
    ReferenceDataError,
    TaskError,
    UsageError,
)
from hokusai_assets.tables import read_table

EMAIL = "alice@example.com"
SSN = "123-45-6789"


@pytest.fixture
def check(tmp_path, write, make_task, rows):
    """Validate rows against base and benchmark rows; None leaves one out."""
    runs = 0

    def run(
        own, *, base=(), benchmark=(), task=None, key=None, suffix="csv", keep=None, spare=True
    ):
        nonlocal runs
        runs += 1
        place = tmp_path / f"run{runs}"
        place.mkdir()
        paths = {}
        for name, some, of in (("base", base, "b"), ("benchmark", benchmark, "m")):
            if some is not None:
                more = rows(10, f"spare{of}") if spare else []
                paths[f"{name}_path"] = str(write(place / f"{name}.csv", [*some, *more]))
        file = write(place / f"own.{suffix}", own)
        if keep is not None:
            keep(file)
        found = validate(str(file), task or make_task(), key=key, folder=place / "scratch", **paths)
        return found, place / "scratch"

    return run


def test_every_count_stands_and_they_add_up(check, rows, make_task):
    own = rows(400, "c")
    (base,) = rows(1, "b")
    dirty = [
        *own,
        own[0] | {"key": "again"},
        base | {"key": "x"},
        own[1] | {"weight": "heavy"},
        own[2] | {"note": f"ask {EMAIL}"},
        own[3] | {"label": "good" if own[3]["label"] == "bad" else "bad"},
    ]
    found, _ = check(dirty, base=[base])
    assert found.valid
    counts = found.counts
    assert counts is not None
    assert (counts.read, counts.rejected, counts.duplicates_within) == (405, 1, 1)
    assert (counts.duplicates_of_base, counts.usable, counts.conflicts) == (1, 402, 2)
    (problem,) = found.problems
    assert (problem.column, problem.reason, problem.first_rows) == (
        "weight",
        "not a number",
        (403,),
    )
    assert problem.remedy.startswith("Write digits")
    assert [(p.column, p.detector, p.action, p.cells) for p in found.pii] == [
        ("note", "email", "mask", 1)
    ]
    assert found.verdict.startswith("Valid, but not every row")
    assert found.quality is not None


def test_a_clean_file_needs_nothing(check, rows):
    found, _ = check(rows(20, "c"))
    assert found.verdict == "Valid: every row can be used. Nothing needs to be done."
    assert found.problems == found.pii == ()
    assert found.leakage == "not told"


def test_it_is_the_evaluations_own_cleaning(check, rows, source, reference, make_task, tmp_path):
    own = [*rows(30, "c"), *rows(1, "b")]
    found, scratch = check(own, base=rows(1, "b"))
    alone = clean_contributions(
        [source(scratch.parent / "own.csv")],
        make_task(),
        reference(make_task(), rows(1, "b"), rows(3, "m"), key=None)[0],
        None,
        key=None,
        folder=tmp_path / "direct",
    )
    assert found.content_root_usable == alone.contributions[0].content_root_cleaned
    assert found.content_root_received == alone.contributions[0].content_root_received


def test_what_is_not_here_is_said_and_not_checked(check, rows):
    found, _ = check(rows(20, "c"), base=None, benchmark=None)
    assert not found.base_checked
    assert found.counts.duplicates_of_base is None
    assert found.base_sentence.startswith("Duplicates of base data were not checked")
    assert found.leakage == "not checked"
    assert found.leakage_sentence == "Leakage was not checked: the benchmark is not here."


@pytest.mark.parametrize(("leaked", "word"), [(0, "below"), (2, "below"), (3, "above")])
def test_a_benchmark_without_base_data_is_compared_with_all_the_same(check, rows, leaked, word):
    own = rows(200, "c")
    found, _ = check(own, base=None, benchmark=own[:leaked])
    assert (found.leakage, found.base_checked) == (word, False)
    assert found.leakage_sentence == (
        f"Rows that stand in the benchmark: {word} 1 %. The base data are not here; with them the "
        "share can be larger."
    )


@pytest.mark.parametrize("column", [{}, {"role": "group"}])
def test_without_base_no_group_makes_a_file_invalid(check, rows, make_task, column):
    """Which of the benchmark's groups are scored is not known without base."""
    columns = [
        {"name": "key", "type": "text", "role": "id"},
        {"name": "note", "type": "text", "nullable": True},
        {"name": "author", "type": "category", **column},
        {"name": "label", "type": "category", "role": "target"},
    ]
    own, theirs = ([row | {"author": "ann"} for row in rows(150, of)] for of in "cm")
    spare = [row | {"author": "bob"} for row in rows(1, "sparem")]
    task = make_task(columns)
    found, _ = check(own, base=None, benchmark=[*theirs, *spare], task=task, spare=False)
    assert (found.leakage, found.valid) == ("below", True)


@pytest.mark.parametrize(
    ("leaked", "word", "valid"),
    [(0, "below", True), (1, "below", True), (2, "below", True), (3, "above", False)],
)
def test_leakage_is_one_word_and_the_rules_own(check, rows, leaked, word, valid):
    own = rows(200, "c")
    found, _ = check(own, benchmark=own[:leaked])
    assert (found.leakage, found.valid) == (word, valid)
    rule = Fraction(leaked, 200) <= Fraction(1, 100)  # at most, as the decision rule has it
    assert rule is valid


def test_no_single_row_decides_what_is_told(check, rows):
    """A guess among any rows of one's own gets the same answer whether it is right or wrong."""
    guess = rows(1, "guess")
    for others in (0, 1, 98, 99, 150, 400):
        own = [*rows(others, "c"), *guess]
        right, wrong = (check(own, benchmark=rows(1, of))[0] for of in ("guess", "other"))
        assert right == wrong
        assert right.leakage == ("not told" if others < 99 else "below")


def test_of_few_rows_nothing_is_told_however_many_leak(check, rows):
    own = rows(99, "c")
    found, scratch = check([*own, own[0] | {"key": "again"}], benchmark=own)  # 99 of use
    assert (found.leakage, found.valid) == ("not told", True)
    assert found.leakage_sentence == (
        "Leakage is not told of fewer than 100 usable rows: it would say of a single row whether "
        "it stands in the benchmark."
    )
    assert not (scratch / "benchmark").exists()  # not even read
    assert check(rows(100, "c"), benchmark=own)[0].leakage == "above"


@pytest.mark.parametrize(
    ("share", "least"), [(0.01, 100), (0.025, 40), (0.03, 34), (1.0, 1), (0.0, None)]
)
def test_from_how_many_rows_on_leakage_is_told(check, rows, make_task, share, least):
    task = make_task(decision={"max_leaked_share": share})
    assert told_from(task) == least
    if least is None:
        found, _ = check(rows(300, "c"), benchmark=rows(300, "c"), task=task)
        assert found.leakage == "not told"
        assert "of a task that accepts none: it would" in found.leakage_sentence


def test_the_share_is_of_rows_that_fit_the_task(check, rows):
    own = rows(200, "c")
    own[199] |= {"weight": "heavy"}
    assert check(own, benchmark=own[:2])[0].leakage == "above"  # 2 of 199


def test_the_tasks_own_limit_is_named(check, rows, make_task):
    task = make_task(decision={"max_leaked_share": 0.025})
    own = rows(200, "c")
    found, _ = check(own, benchmark=own[:5], task=task)
    assert found.leakage_sentence == "Rows that stand in the benchmark: below 2.5 %."
    found, _ = check(own, benchmark=own[:6], task=task)
    assert found.leakage_sentence == "Rows that stand in the benchmark: above 2.5 %."
    assert "more than 2.5 %" in found.verdict


def test_edited_rows_and_other_labels_leak_too(check, rows):
    own = rows(200, "c")
    edited = own[0] | {"note": own[0]["note"].upper(), "label": "good"}
    assert check(own, benchmark=[edited])[0].leakage == "below"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_how_many_rows_leak_changes_nothing_that_is_told(check, rows, make_task, suffix):
    own = [*rows(1000, "c"), rows(1, "c")[0] | {"key": "again"}]
    told = []
    for leaked in (3, 5):
        found, scratch = check(own, benchmark=own[10 : 10 + leaked], suffix=suffix)
        out = scratch / "fixed.csv"
        write_fixed(str(out), found, make_task(), key=None, folder=scratch)
        changes = Path(f"{out}.changes.json").read_bytes()
        told.append((found.model_dump_json(), out.read_bytes(), changes))
    assert told[0] == told[1]
    assert json.loads(told[0][0])["leakage"] == "below"


def test_a_benchmark_changes_only_the_words_about_it(check, rows):
    own = rows(300, "c")
    ours = {"leakage", "leakage_sentence", "valid", "verdict"}
    without, _ = check(own, benchmark=None)
    for leaked in (0, 1, 50, 300):  # 300: the evaluation would refuse it with their number
        found, scratch = check(own, benchmark=own[:leaked])
        assert found.model_dump(exclude=ours) == without.model_dump(exclude=ours)
        assert read_table(str(scratch / CLEANED)).num_rows == 300


def test_an_unusable_benchmark_is_no_oracle(check, rows):
    bad = [row | {"weight": "x"} for row in rows(10, "m")]
    with pytest.raises(ReferenceDataError) as caught:
        check(rows(120, "c"), benchmark=bad)
    assert caught.value.__suppress_context__
    assert not any(character.isdigit() for character in str(caught.value))


def test_a_refused_file_lists_every_reason(check, rows):
    own = rows(50, "c")
    own[3] |= {"weight": EMAIL}
    own[7] |= {"label": SSN}
    found, scratch = check(own)
    assert not found.valid
    refusal = found.refusal
    assert refusal is not None
    assert refusal.message.startswith("The file own.csv is refused: 2 of 50 rows")
    assert sorted(refusal.reasons) == [
        "column 'label': not one of the task's labels (1 row: 8)",
        "column 'weight': not a number (1 row: 4)",
    ]
    assert refusal.remedy.startswith("Correct these rows")
    assert (found.counts, found.quality, found.content_root_usable) == (None, None, None)
    assert found.file.size_bytes is not None
    assert not (scratch / CLEANED).exists()


def test_no_cell_stands_in_what_is_told(check, rows):
    own = rows(300, "c")
    own[0] |= {"note": f"write to {EMAIL}"}
    own[1] |= {"weight": SSN}

    def break_a_line(path):
        path.write_text(path.read_text() + f'"{SSN},{EMAIL}",x,"broken" {SSN}\n')

    found, _ = check(own, keep=break_a_line)
    assert found.valid
    assert found.counts.rejected == 2
    for canary in (EMAIL, SSN):
        assert canary not in found.model_dump_json()
        assert canary not in json.dumps(changes_of(found))


def test_errors_of_the_operator_and_of_the_command_pass(check, rows, make_task, tmp_path):
    with pytest.raises(MissingFileError):
        validate(str(tmp_path / "no.csv"), make_task(), key=None, folder=tmp_path / "s")
    with pytest.raises(TaskError, match="no detector"):
        check(rows(20, "c"), task=make_task(privacy={"detectors": {"e_mail": "mask"}}))


def test_phases_are_told_in_their_order(tmp_path, write, rows, make_task):
    paths = [str(write(tmp_path / f"{n}.csv", rows(20, n))) for n in ("c", "b", "m")]
    phases: list[str] = []
    validate(
        paths[0],
        make_task(decision={"max_leaked_share": 0.05}),
        key=None,
        base_path=paths[1],
        benchmark_path=paths[2],
        folder=tmp_path / "s",
        progress=phases.append,
    )
    assert [phase.split()[0] for phase in phases] == ["reading", "reading", "looking"]


# --- the cleaned file -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet"])
@pytest.mark.parametrize("key", [None, b"key"])
def test_cleaning_twice_changes_nothing(check, rows, make_task, write, tmp_path, suffix, key):
    columns = [
        {"name": "key", "type": "text", "role": "id"},
        {"name": "note", "type": "text", "nullable": True},
        {"name": "weight", "type": "number"},
        {"name": "size", "type": "integer", "nullable": True},
        {"name": "late", "type": "boolean"},
        {"name": "when", "type": "timestamp"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    task = make_task(columns)
    own = [
        row
        | {
            "size": None if i % 3 else i,
            "late": "true" if i % 2 else "false",
            "when": f"2024-01-02T03:04:05.{i:06d}+02:00",
            "extra": "not the task's",
        }
        for i, row in enumerate(rows(300, "c"))
    ]
    own[0] |= {"note": f'=HYPERLINK("x"), says {EMAIL}\nand "more"; ünïcode'}
    own[1] |= {"note": None, "weight": 0.1 + 0.2}
    own[2] |= {"late": "perhaps"}
    own += [own[5] | {"key": "again"}]
    base = [own[6] | {"key": "theirs"}]
    typical = [row | {"size": 1, "late": "true", "when": "2024-01-01"} for row in rows(10, "b")]
    place = tmp_path / "place"
    place.mkdir()
    base_path = str(write(place / "base.csv", [*base, *typical]))
    file = write(place / "own.csv", own)
    first = validate(str(file), task, key=key, base_path=base_path, folder=place / "scratch")
    out = place / f"new/out{suffix}"
    written = write_fixed(str(out), first, task, key=key, folder=place / "scratch")
    assert written == (str(out), f"{out}.changes.json")
    again = validate(str(out), task, key=key, base_path=base_path, folder=place / "twice")
    assert again.content_root_received == again.content_root_usable == first.content_root_usable
    counts = again.counts
    assert (counts.read, counts.usable) == (298, 298)
    assert (counts.rejected, counts.duplicates_within, counts.duplicates_of_base) == (0, 0, 0)
    assert again.pii == again.problems == again.dropped_columns == ()
    assert first.dropped_columns == ("extra",)


def test_rows_stay_in_the_files_order_and_formulas_as_they_are(check, rows, make_task):
    own = rows(40, "c")
    own[3] |= {"note": "=1+1"}
    found, scratch = check(own)
    out = scratch / "out.csv"
    write_fixed(str(out), found, make_task(), key=None, folder=scratch)
    lines = out.read_text().splitlines()
    assert lines[0] == "key,label,note,weight"
    assert [line.split(",")[0] for line in lines[1:]] == [f"c{i}" for i in range(40)]
    assert lines[4].split(",")[2] == "=1+1"


def test_the_changes_name_columns_with_texts_that_a_spreadsheet_may_run(check, rows, make_task):
    own = rows(40, "c")
    for row, note in enumerate(("=1+1", "+cmd", "-2+3", "@sum", " \t=1", "1=1", "a-b", None)):
        own[row] |= {"note": note}
    own[20] |= {"key": "-dash", "weight": -1.5}
    found, scratch = check(own)
    write_fixed(str(scratch / "out.csv"), found, make_task(), key=None, folder=scratch)
    changes = json.loads((scratch / "out.csv.changes.json").read_text())
    assert changes["like_formulas"] == [
        {"column": "key", "cells": 1},
        {"column": "note", "cells": 5},
    ]
    assert "cmd" not in json.dumps(changes)
    # What is sent is what was there.
    again, _ = check(list(csv.DictReader((scratch / "out.csv").open(newline=""))))
    assert again.content_root_received == found.content_root_usable


def test_the_changes_say_what_was_done(check, rows, make_task):
    own = [*rows(200, "c"), rows(1, "c")[0] | {"key": "again"}]
    own[9] |= {"label": "ugly"}
    own[8] |= {"note": SSN}
    found, scratch = check(own, base=None)
    write_fixed(str(scratch / "o.jsonl"), found, make_task(), key=None, folder=scratch)
    changes = json.loads((scratch / "o.jsonl.changes.json").read_text())
    assert (changes["rows_read"], changes["rows_written"]) == (201, 199)
    assert changes["rejected"]["rows"] == 1
    assert changes["rejected"]["reasons"][0]["first_rows"] == [10]
    assert (changes["duplicates_within"], changes["duplicates_of_base"]) == (1, None)
    assert changes["personal_data"]["found"] == [
        {"column": "note", "detector": "us_ssn", "action": "mask", "cells": 1}
    ]
    assert changes["content_root"] == found.content_root_usable


def test_a_cleaned_file_that_would_be_refused_is_not_written(check, rows, make_task):
    task = make_task(
        [
            {"name": "key", "type": "text", "role": "id"},
            {"name": "note", "type": "text", "nullable": True, "max_null_share": 0.3},
            {"name": "weight", "type": "number"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    own = rows(10, "c")
    for row in own[:3]:
        row["note"] = None
    own += [own[9] | {"key": f"x{i}"} for i in range(5)]  # without these 3 of 10 cells are empty
    own[3]["note"] = None
    found, scratch = check(own, task=task)
    assert found.valid
    with pytest.raises(
        ContributionError, match=r"No cleaned file was written: .* empty in 4 of 10"
    ):
        write_fixed(str(scratch / "o.csv"), found, task, key=None, folder=scratch)
    assert not list(scratch.glob("o.csv*"))


def test_a_format_that_cannot_hold_a_cell_is_refused_by_name(check, rows, make_task):
    own = rows(20, "c")
    own[3]["note"] = "a\rb"  # a line end of its own, which no reader of CSV agrees about
    found, scratch = check(own, suffix="jsonl")
    with pytest.raises(ContributionError, match="choose another format"):
        write_fixed(str(scratch / "o.csv"), found, make_task(), key=None, folder=scratch)
    assert not list(scratch.glob("o.csv*"))
    write_fixed(str(scratch / "o.parquet"), found, make_task(), key=None, folder=scratch)


@pytest.mark.parametrize("taken", ["o.csv", "o.csv.changes.json"])
def test_nothing_is_overwritten(tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    with pytest.raises(UsageError, match="not overwritten"):
        check_fixed_name(str(tmp_path / "o.csv"))


@pytest.mark.parametrize("name", ["o", "o.xlsx", "o.csv.gz"])
def test_a_name_that_says_no_format_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="says no format"):
        check_fixed_name(str(tmp_path / name))


def test_doubles_are_written_so_that_they_are_the_same_again():
    import pyarrow as pa

    table = pa.table({"n": [0.1 + 0.2, 1e-7, 5e300], "b": [True, False, None]})
    assert encode(table, ".csv") == (b"n,b\n0.30000000000000004,true\n1e-07,false\n5e+300,\n")


# --- refusals and remedies ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "The file f.csv is empty: send a file with a header and rows.",
        "the file f.csv lacks the required column 'a': its header has 1. Add it; or do not.",
        "The file f.csv is refused: column 'a' is empty in 4 of 10 rows (40.00%, at most 30.00% is "
        "accepted); column 'b' is empty in 5 of 10 rows (50.00%). Fill these cells.",
        "The file f.csv is refused: 2 of 9 rows (22.22%) do not fit the task, more than the "
        "accepted 1.00%. column 'a': empty (1 row: 1); too many cells (1 row: 2). Correct them.",
        "The file f.csv is refused because the task accepts no such personal data: column 'a': "
        "email in 1 cell (first rows: 4); column 'a': phone in 1 cell (first rows: 5). Remove it.",
    ],
)
def test_no_word_of_a_refusal_is_lost(message):
    parts = refusal_of(f"The contribution of nobody is refused: {message}", "nobody")
    told = " ".join([parts.message, *parts.reasons, parts.remedy])

    def spoken(text):
        return text.lower().replace(";", "").replace(":", "").replace(".", "").split()

    assert spoken(told) == spoken(message)
    assert "nobody" not in told
    assert len(parts.reasons) == (2 if "; column" in message or "; too many" in message else 0)


def test_unknown_reasons_have_a_remedy_too():
    assert remedy_for("something new") == "Correct these rows or leave them out."
    assert remedy_for("below 3").startswith("Check the unit")


@pytest.fixture
def by_author(rows):
    """Rows that differ in everything, of one author."""

    def make(count, prefix, author):
        return [row | {"author": author} for row in rows(count, prefix)]

    return make


def test_of_the_benchmarks_groups_nothing_is_told(check, by_author, make_task):
    """Neither by a count nor by the word: only that not a single row could be used."""
    task = make_task(
        [
            {"name": "key", "type": "text", "role": "id"},
            {"name": "note", "type": "text"},
            {"name": "author", "type": "category", "role": "group", "nullable": True},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    base = by_author(1, "b", "ann")
    scored, other = by_author(20, "m", "bob"), by_author(20, "x", "eve")
    own = [*by_author(50, "c", "bob"), *by_author(50, "d", "cid")]
    told = []
    for benchmark in (scored, other):
        found, _ = check(own, base=base, benchmark=benchmark, task=task)
        told.append(found.model_dump(exclude={"file"}))
    assert told[0] == told[1]
    assert (told[0]["leakage"], told[0]["counts"]["usable"]) == ("below", 100)
    few, _ = check(own[:50], base=base, benchmark=scored, task=task)
    assert (few.leakage, few.valid) == ("not told", True)
    alone, _ = check(by_author(120, "e", "bob"), base=base, benchmark=scored, task=task)
    assert (alone.leakage, alone.valid) == ("above", False)
    assert alone.leakage_sentence == (
        "Rows that stand in the benchmark: above 1 %, or every author does."
    )
    assert "or every author does, so no gain would count" in alone.verdict
