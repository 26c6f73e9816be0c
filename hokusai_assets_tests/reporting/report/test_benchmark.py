"""What the report says beside the deltas: of the benchmark, of seeds, of the released model."""

from hokusai_assets.reporting.report.benchmark import benchmark_notes, training_notes
from hokusai_assets.reporting.report.contributor import render_contributor_pages
from hokusai_assets.reporting.report.markdown import markdown_summary
from hokusai_assets.reporting.report.page import render_report
from hokusai_assets_tests.reporting.report.conftest import Documents, Page

NOISE = {"largest_bps": 41.6, "deviation_bps": 20.4, "deviation_of_means_bps": 9.1}


def told(documents: Documents) -> Documents:
    """With several seeds, a small class and rows that left by their group."""
    documents.output["evaluation_metadata"]["benchmark_dataset"] |= {
        "left_out_as_in_base": 3,
        "left_out_as_group_in_base": 1_200,
        "class_rows_needed": 148,
        "small_classes": {"<b>rare</b>": 12, "gone": 0},
    }
    documents.output["statistics"] |= {
        "null_run": {
            "model": "baseline",
            "seeds": 5,
            "noise": {"accuracy": NOISE, "delta_one": NOISE},
            "reason": None,
        },
        "released_model": {"deltas": {"accuracy": 0.0125, "auroc": -0.003}, "delta_one": 0.0047},
    }
    return documents


def test_each_note_has_its_numbers(whole: Documents) -> None:
    output = told(whole).output
    left, small = benchmark_notes(output)
    assert left == (
        "Rows left out of the benchmark: 3 because base holds their features; 1,200 because base "
        "holds others of their group."
    )
    assert small.startswith("Too few rows to say anything of <b>rare</b> (12) and gone (0): below ")
    assert "148 rows" in small
    noise, released = training_notes(output)
    assert "the baseline against itself with other seeds, 5 trainings" in noise
    assert "accuracy at most 42, standard deviation 20 (9 of two means); DeltaOne at most" in noise
    assert released.endswith(
        "accuracy +1.25 points, auroc \N{MINUS SIGN}0.30 points, DeltaOne +0.47 points."
    )


def test_a_seed_free_estimator_says_that_it_is(whole: Documents) -> None:
    (said,) = training_notes(whole.output)
    assert said.startswith("Null run: The estimator has no seed")
    assert "0 by construction" in said
    assert "0 by construction" in Page(render_report(whole.output, whole.attestation)).text


def test_they_stand_on_the_page_escaped_and_nowhere_that_contributors_see(
    whole: Documents,
) -> None:
    documents = told(whole)
    page = render_report(documents.output, documents.attestation)
    for note in (*benchmark_notes(documents.output), *training_notes(documents.output)):
        assert note in Page(page).text
    assert "<b>rare" not in page
    seen = [
        *render_contributor_pages(documents.output, documents.attestation).values(),
        markdown_summary(documents.output, documents.attestation),
    ]
    for text in seen:
        assert not any(word in text for word in ("1,200", "Null run", "rare", "Too few rows"))


def test_files_of_an_older_version_have_none_of_it(whole: Documents) -> None:
    benchmark = whole.output["evaluation_metadata"]["benchmark_dataset"]
    for key in ("left_out_as_group_in_base", "class_rows_needed", "small_classes"):
        del benchmark[key]
    for key in ("null_run", "released_model"):
        del whole.output["statistics"][key]
    del whole.output["contributor_attribution"]["data_manifest"]["cleaning"]["benchmark_group"]
    benchmark["left_out_as_in_base"] = 0
    assert benchmark_notes(whole.output) == training_notes(whole.output) == []
    assert "Null run" not in render_report(whole.output, whole.attestation)


def test_a_groups_rows_stand_in_the_funnel_and_not_on_the_contributors_page(
    whole: Documents,
) -> None:
    cleaning = whole.output["contributor_attribution"]["data_manifest"]["cleaning"]
    cleaning.update(benchmark_group=77, kept=cleaning["kept"] - 77)
    meaning = "of a group that stands in the benchmark"
    text = Page(render_report(whole.output, whole.attestation)).text
    assert f"{meaning} \N{MINUS SIGN}77" in text
    (page,) = render_contributor_pages(whole.output, whole.attestation).values()
    assert meaning not in page and "77" not in Page(page).text.split("Personal data")[0]
    told_operator = markdown_summary(whole.output, whole.attestation, numbers=True)
    assert "77 of groups in the benchmark" in told_operator
    assert "of groups" not in markdown_summary(whole.output, whole.attestation)
