"""The contributor's page and the Markdown summary: the verdict and cleaning, and no number more."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.reporting.report.contributor import (
    contributor_names,
    is_retired,
    leakage_sentence,
    render_contributor_pages,
)
from hokusai_assets.reporting.report.markdown import escaped, markdown_summary
from hokusai_assets_tests.conftest import Evaluated
from hokusai_assets_tests.reporting.report.conftest import Documents, Page, assert_needs_nothing

HOSTILE = "<script>alert(1)</script>"
NONE_GONE = {
    **{f"duplicates_{of}": 0 for of in ("within", "of_base", "across")},
    "rejected": 0,
    "dropped_pii": 0,
}


def page(documents: Documents) -> str:
    (made,) = render_contributor_pages(documents.output, documents.attestation).values()
    return made


def cleaning(documents: Documents) -> dict[str, Any]:
    found: dict[str, Any] = documents.output["contributor_attribution"]["data_manifest"]["cleaning"]
    return found


def told(documents: Documents) -> list[str]:
    """Everything that contributors are given."""
    return [page(documents), markdown_summary(documents.output, documents.attestation)]


def scrambled(documents: Documents) -> Documents:
    """Another outcome on the benchmark, with the same verdict on the same file."""
    other = copy.deepcopy(documents)
    computation = other.output["delta_computation"]
    for delta in computation["metric_deltas"].values():
        delta |= {"baseline_value": 0.1234, "new_value": 0.9876, "absolute_delta": 0.8642}
    computation["delta_one_score"] = 0.4321
    statistics = other.output["statistics"]
    statistics |= {"fixed_rows": 398, "broken_rows": 2, "benchmark_rows": 400}
    for key in ("labels", "confusion", "per_class", "curves", "slices"):
        del statistics[key]
    other.decide(
        reasons=["x"],
        clauses=[{"name": "x", "holds": False, "numbers": {"a": 1}, "sentence": "Another."}],
        payable_bps=None,
        measured_bps=None,
    )
    manifest = other.output["contributor_attribution"]["data_manifest"]
    manifest |= {"data_hash": "f" * 64, "quality": None, "row_count": 1}
    manifest["null_counts"] = manifest["unique_counts"] = {}
    other.output["contributor_attribution"]["contributor_weights"] = 0.5
    other.attestation["core_digest"] = "0" * 64
    return other


@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
def test_no_number_of_a_live_benchmark_is_told(whole: Documents, verdict: str) -> None:
    """Nothing that is told depends on how the models scored, but by the verdict."""
    whole.decide(verdict=verdict, provisional=True)
    assert told(whole) == told(scrambled(whole))


def test_how_many_rows_leaked_is_not_told(whole: Documents) -> None:
    """Nor does a count of rewritten or near rows tell it, which are leaked instead if they leak."""
    cleaning(whole).update(read=1004, leaked=1, leaked_exact=1, kept=999, duplicates_within=1)
    cleaning(whole).update(duplicates_normalised=2, duplicates_near=1, deduplicated=4)
    one_leaked = told(whole)
    cleaning(whole).update(leaked=2, leaked_exact=0, leaked_near=1, leaked_normalised=1, kept=999)
    cleaning(whole).update(duplicates_normalised=1, already_paid=1, deduplicated=2)
    cleaning(whole)["near_method"] = "Another."
    assert told(whole) == one_leaked
    assert (
        "compared with the benchmark and with rows that say nearly the same 1,003"
        in Page(page(whole)).text
    )


@pytest.mark.parametrize(
    ("leaked", "kept", "said"),
    [(0, 199, "below 1 %."), (1, 198, "below 1 %."), (1, 99, "below 1 %."), (2, 197, "above 1 %.")],
)
def test_leakage_is_one_word(one: Documents, leaked: int, kept: int, said: str) -> None:
    cleaning(one).update(read=leaked + kept, **NONE_GONE)
    cleaning(one).update(leaked=leaked, kept=kept, already_paid=0)
    sentence = leakage_sentence(one.output["contributor_attribution"], one.attestation)
    assert sentence == f"Rows that stand in the benchmark: {said}"
    for each in told(one):
        assert sentence in " ".join(each.split())


def test_of_few_rows_leakage_is_not_told(one: Documents) -> None:
    """One row alone would be above, so the sentence would say of it that it leaks."""
    said = []
    for leaked in (0, 1, 99):
        cleaning(one).update(read=99, **NONE_GONE)
        cleaning(one).update(leaked=leaked, kept=99 - leaked, already_paid=0)
        said.append(leakage_sentence(one.output["contributor_attribution"], one.attestation))
    assert said[0].startswith("Whether rows stand in the benchmark is not told of so few")
    assert set(said) == {said[0]}
    cleaning(one).update(read=100, leaked=100, kept=0)
    one_more = leakage_sentence(one.output["contributor_attribution"], one.attestation)
    assert one_more == "Rows that stand in the benchmark: above 1 %."
    # One guess among a hundred writings of one other row.
    for leaked in (0, 1):
        cleaning(one).update(read=101, leaked=leaked, kept=2 - leaked, duplicates_normalised=99)
        guess = leakage_sentence(one.output["contributor_attribution"], one.attestation)
        assert guess == said[0]


@pytest.mark.parametrize(
    ("changes", "retired"),
    [
        ({}, True),
        ({"verdict": "rejected"}, False),
        ({"retire": "never"}, False),
        ({"provisional": True}, False),
        ({"dry_run": True}, False),
    ],
)
def test_only_an_acceptance_that_counts_opens_numbers_and_whole_ones(
    whole: Documents, changes: dict[str, Any], retired: bool
) -> None:
    counts = {"verdict": "accepted", "retire": "on_acceptance", "provisional": False}
    whole.decide(**{**counts, "dry_run": False, **changes})
    assert is_retired(whole.decision) is retired
    delta = whole.output["delta_computation"]["metric_deltas"]["accuracy"]
    delta |= {"baseline_value": 0.7512, "new_value": 0.7988, "absolute_delta": 0.0476}
    for each in told(whole):
        assert ("75 %" in each and "80 %" in each and "+5" in each) is retired
        assert not re.search(r"0\.75|75\.1|4\.76", each)


def test_the_page_needs_nothing_and_says_what_cleaning_did(evaluated: Evaluated) -> None:
    record = evaluated["attestation"]
    first, second = (Path(path) for path in record.contributor_page_paths)
    assert [first.name, second.name] == list(contributor_names(record.run_id, 2))
    for path in (first, second):
        assert_needs_nothing(path.read_text(encoding="utf-8"))
    shown = Page(first.read_text(encoding="utf-8")).text
    for said in (
        "read 200",
        "equal to a row here or in the base data −1",
        "phone",
        "mask",
        "first.csv",
    ):
        assert said in shown, said
    assert "bob" not in shown
    assert "alice" not in Page(second.read_text(encoding="utf-8")).text


def test_a_single_contributor_has_a_page_without_number() -> None:
    assert contributor_names("r", 1) == ("contributor_r.html",)


def test_a_dry_run_is_told(whole: Documents) -> None:
    whole.attestation["dry_run"] = True
    whole.decide(dry_run=True)
    for each in told(whole):
        assert "DRY RUN" in each


def test_values_from_data_are_escaped(whole: Documents) -> None:
    first = whole.output["contributor_attribution"]
    first["contributor_id"] = first["data_manifest"]["source_path"] = HOSTILE
    cleaning(whole)["dropped_columns"] = [HOSTILE]
    cleaning(whole)["pii"] = [
        {"column": HOSTILE, "detector": "email", "action": "mask", "cells": 1}
    ]
    cleaning(whole)["rejections"] = [
        {"column": HOSTILE, "reason": HOSTILE, "count": 1, "first_rows": [1]}
    ]
    assert_needs_nothing(page(whole))
    assert Page(page(whole)).text.count(HOSTILE) >= 6
    for each in (*told(whole), markdown_summary(whole.output, whole.attestation, numbers=True)):
        assert "<script" not in each


def test_markdown_with_numbers_is_the_table(whole: Documents) -> None:
    summary = markdown_summary(whole.output, whole.attestation, numbers=True)
    delta = whole.output["delta_computation"]["metric_deltas"]["accuracy"]
    row = f"| accuracy | {delta['baseline_value']:.4f} | {delta['new_value']:.4f} |"
    assert row in summary
    assert "+1.10 to +3.30" in summary
    assert whole.attestation["core_digest"] in summary
    table = [line for line in summary.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {7}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a | b", r"a \| b"),
        ("@everyone", "@&#8203;everyone"),
        ("joe@host.example", "joe@&#8203;host.example"),
        ("see #1", "see \\#&#8203;1"),
        ("![x](https://y)", r"\!\[x\](https&#58;//y)"),
        ("two\nlines # here", r"two lines \# here"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_words_do_nothing_in_markdown(text: str, expected: str) -> None:
    assert escaped(text) == expected
