"""A validation as a page and on a terminal: what stands there, and that nothing can run."""

import html.parser
import json
import re
import tomllib
from pathlib import Path

import pytest

from hokusai_assets.reporting.profile_summary import print_profile, range_words
from hokusai_assets.reporting.validation_page import bar_of, render_page
from hokusai_assets.reporting.validation_summary import (
    file_words,
    print_validation,
    row_parts,
    size_words,
)

HOSTILE = "<script>alert(1)</script>[bold]x[/bold]"
COUNTS = {
    "read": 2000,
    "rejected": 10,
    "dropped_pii": 0,
    "duplicates_within": 30,
    "duplicates_of_base": None,
    "duplicates_normalised": 0,
    "duplicates_near": 0,
    "usable": 1960,
    "conflicts": 4,
}
PLAIN = {"compression": None, "files": 1, "notes": []}
QUALITY = {"definition": "", "value": None, "reason": None, "base_value": None, "columns": {}}
TOLD = {
    "validation_schema": 1,
    "task_id": "unit",
    "valid": True,
    "verdict": "Valid, but not every row can be used.",
    "file": {"name": "f.csv", "size_bytes": 2_500_000, "format": "csv", "encoding": "utf-8"}
    | PLAIN,
    "refusal": None,
    "counts": COUNTS,
    "problems": [
        {
            "column": HOSTILE,
            "reason": "not a number",
            "count": 8,
            "first_rows": [1, 2, 3, 4, 5],
            "remedy": "Write digits.",
        },
        {"column": None, "reason": "empty", "count": 2, "first_rows": [7, 9], "remedy": "Fill."},
    ],
    "pii": [{"column": "note", "detector": "email", "action": "mask", "cells": 1234}],
    "pii_policy": "Masked by a constant such as [EMAIL].",
    "dropped_columns": [HOSTILE],
    "quality": {
        "score": 0.75,
        "parts": [
            QUALITY | {"name": "validity", "value": 0.995, "definition": "a share"},
            QUALITY | {"name": "label_balance", "definition": "another", "reason": "no base"},
            QUALITY | {"name": "label_noise", "value": 0.9, "base_value": 0.875},
            QUALITY | {"name": "drift", "value": 0.7, "columns": {HOSTILE: 0.6, "late": None}},
        ],
    },
    "near_method": "Near is what is near.",
    "content_root_received": "a" * 64,
    "content_root_usable": "b" * 64,
    "base_checked": False,
    "base_sentence": "Duplicates of base data were not checked.",
    "leakage": "below",
    "leakage_sentence": "Rows that stand in the benchmark: below 1 %.",
}
REFUSED = {
    **TOLD,
    "valid": False,
    "verdict": "Not valid: the file is refused.",
    "file": {"name": "f.csv", "size_bytes": None, "format": None, "encoding": None} | PLAIN,
    "refusal": {
        "message": "2 rows do not fit.",
        "reasons": [f"column '{HOSTILE}': empty", "too many cells"],
        "remedy": "Correct these rows.",
    },
    "counts": None,
    "problems": [],
    "pii": [],
    "pii_policy": None,
    "dropped_columns": [],
    "quality": None,
    "near_method": None,
}


class Tags(html.parser.HTMLParser):
    """Every tag with its attributes, every text, and tags that are open at the end."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(" ".join(data.split()))


@pytest.mark.parametrize("told", [TOLD, REFUSED], ids=["valid", "refused"])
def test_the_page_is_whole_and_loads_and_runs_nothing(told):
    page = render_page(told)
    tags = Tags(page)
    assert tags.open == []
    assert not {tag for tag, _ in tags.seen} & {"script", "link", "img", "iframe", "object", "base"}
    for _, attributes in tags.seen:
        assert not any(name.startswith("on") or name in {"src", "href"} for name in attributes)
    assert not re.search(r"url\(|@import|https?:", page)
    (policy,) = (a for t, a in tags.seen if t == "meta" and "http-equiv" in a)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert HOSTILE in " ".join(tags.texts)


def test_the_page_says_what_was_found():
    texts = " ".join(Tags(render_page(TOLD)).texts)
    for said in (
        "csv, utf-8, 2.5 MB. Validated against the task unit.",
        TOLD["verdict"],
        "Rows read 2,000",
        "10 0.5 %",
        "1,960 98.0 %",
        TOLD["base_sentence"],
        TOLD["leakage_sentence"],
        "not a number 8 1, 2, 3, 4, 5, ... Write digits.",
        "(row) empty 2 7, 9 Fill.",
        "note email 1,234 mask",
        "[EMAIL]",
        "Quality: 0.750 of 1",
        "Part Value Of base",
        "validity a share 0.995",
        "label balance another. Undefined: no base undefined",
        "label noise 0.900 0.875",
        f"By column: {HOSTILE} 0.600, late undefined 0.700",
        TOLD["near_method"],
        "Conflicts: 4 usable rows",
        "b" * 64,
    ):
        assert said in texts, said


def test_a_page_with_nothing_to_correct_says_so():
    texts = Tags(render_page({**TOLD, "problems": [], "pii": []})).texts
    assert "None: every row fits the task." in texts
    assert "None was found." in texts


def test_a_refused_page_lists_its_reasons_and_no_numbers():
    tags = Tags(render_page(REFUSED))
    assert sum(tag == "li" for tag, _ in tags.seen) == 2
    assert "Correct these rows." in tags.texts
    assert not {tag for tag, _ in tags.seen} & {"table", "svg"}


def test_the_bar_is_as_wide_as_its_parts():
    bar = bar_of(COUNTS)
    assert [part["count"] for part in bar] == ["10", "30", "1,960"]
    assert sum(part["width"] for part in bar) == pytest.approx(100)
    assert [part["start"] for part in bar] == [0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, "size unknown"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (2_500_000, "2.5 MB"),
        (3 * 10**9, "3.0 GB"),
    ],
)
def test_sizes_are_words(size, words):
    assert size_words(size) == words


def test_what_is_unknown_of_a_file_is_left_out():
    assert file_words(REFUSED["file"]) == "size unknown"


def test_rows_add_up_on_the_terminal_too():
    numbers = [int(number.replace(",", "")) for number, _ in row_parts(COUNTS)]
    assert numbers == [2000, 10, 30, 1960]
    assert numbers[0] == sum(numbers[1:])


@pytest.mark.parametrize("told", [TOLD, REFUSED], ids=["valid", "refused"])
def test_the_terminal_gets_80_columns_of_plain_words(told, capsys):
    print_validation(told, ["out.csv"])
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)
    joined = "".join(printed.split())
    assert "[bold]x[/bold]" in joined  # a column's name is no markup
    assert lines[-2].startswith("Verdict")
    assert lines[-1].startswith("Written       out.csv")


def test_names_in_tables_are_no_markup(capsys):
    problem = {**TOLD["problems"][1], "column": "[b]n[/b]"}
    print_validation({**TOLD, "problems": [problem]})
    assert "\n[b]n[/b]" in capsys.readouterr().out


def test_the_terminal_says_what_was_found(capsys):
    print_validation(TOLD)
    printed = " ".join(capsys.readouterr().out.split())
    for said in (
        "File f.csv csv, utf-8, 2.5 MB",
        "2,000 rows read 10 do not fit the task 30 repeat another row of the file "
        "1,960 would be used, less those that stand in the benchmark",
        TOLD["leakage_sentence"],
        "4 usable rows have the features of another row",
        "1,234 mask",
        "[EMAIL]",
        "Near rows Near is what is near.",
        "Quality 0.750 of 1, the mean of Part Value Base By column, or why undefined",
        "validity 0.995 label balance undefined no base label noise 0.900 0.875 drift 0.700",
        "late undefined",
        f"Verdict {TOLD['verdict']}",
    ):
        assert said in printed, said


def test_no_personal_data_is_said_too(capsys):
    print_validation({**TOLD, "pii": []})
    assert "Personal data none found" in capsys.readouterr().out


def test_the_template_is_packaged():
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())
    globs = project["tool"]["setuptools"]["package-data"]["hokusai_assets"]
    packaged = {path for glob in globs for path in (root / "hokusai_assets").glob(glob)}
    assert set((root / "hokusai_assets/reporting/templates").iterdir()) <= packaged


def test_a_profile_is_printed_without_lengths_of_what_is_ignored(capsys):
    column = {
        "name": "[red]a[/red]",
        "type": "text",
        "role": "feature",
        "empty": 1000,
        "distinct": 7,
        "lengths": (1, 2000),
        "range": None,
        "personal": ["email", "phone"],
    }
    assert range_words(column) == "1 to 2,000 chars"
    assert range_words({**column, "role": "ignore"}) == ""
    assert range_words({**column, "range": (0.5, 1e6)}) == "0.5 to 1e+06"
    print_profile([column], "all 3 rows", "task.toml")
    printed = capsys.readouterr().out
    assert "[red]a[/red]" in printed
    assert "email, phone" in " ".join(printed.split())
    assert max(map(len, printed.splitlines())) <= 80
    assert json.dumps(column)  # plain data
