"""The report: everything it is told stands there, escaped, and what it is not told does not."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hokusai_assets.reporting.report.page import render_report
from hokusai_assets.scoring import number_power
from hokusai_assets.scoring.power import rows_needed
from hokusai_assets_tests.conftest import ROOT, Evaluated, SmallTask
from hokusai_assets_tests.reporting.report.conftest import Documents, Page, assert_needs_nothing

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
TEMPLATES = ROOT / "hokusai_assets" / "reporting" / "templates"
OPTIONAL = ("Confusion matrices", "Class by class", "ROC", "Calibration", "Slices", "payable")


def page(documents: Documents) -> str:
    return render_report(documents.output, documents.attestation)


def text(documents: Documents) -> str:
    return Page(page(documents)).text


def test_it_needs_nothing_and_is_the_same_each_time(whole: Documents, documents: Documents) -> None:
    for each in (whole, documents):
        assert_needs_nothing(page(each))
        assert page(each) == page(copy.deepcopy(each))


def test_what_was_written_is_what_the_files_give(
    evaluated: Evaluated, documents: Documents
) -> None:
    written = Path(evaluated["attestation"].report_path).read_text(encoding="utf-8")
    assert written == page(documents)


def test_the_order_is_verdict_first(whole: Documents) -> None:
    shown = re.findall(r"<h[12]>(.*?)</h[12]>", page(whole))
    assert "contribution" in shown[0]
    assert shown[1:] == [
        "Baseline and candidate",
        "Rows fixed and rows broken",
        "The decision",
        "Confusion matrices",
        "Class by class",
        "Scores",
        "Slices",
        "From rows read to rows trained on",
        "Quality",
        "Attribution",
        "How to verify",
    ]


def test_every_number_stands_there(whole: Documents) -> None:
    shown = text(whole)
    deltas = whole.output["delta_computation"]["metric_deltas"]
    for metric, delta in deltas.items():
        low, high = whole.output["statistics"]["deltas"][metric]["interval"]
        ends = f"{100 * low:+.2f} to {100 * high:+.2f}".replace("-", "−")
        values = f"{delta['baseline_value']:.4f} {delta['new_value']:.4f}"
        change = f"{100 * delta['absolute_delta']:+.2f}".replace("-", "−")
        assert f"{values} {change} {ends}" in shown.replace("note", ""), metric
    statistics = whole.output["statistics"]
    for said in (
        "+1.10 to +3.30",
        "95 % interval",
        "Few rows tell the models apart in recall",
        f"{statistics['fixed_rows']} fixed",
        f"{statistics['broken_rows']} broken",
        "121 67 %",
        "177 80 %",
        "0.6722 0.7944 +12.22",
        "0.7076 undefined",
        "weight below 40 200 accuracy 0.7500 0.7625 +1.25 −2.00 to +4.50 0.410",
        "Worst: weight from 40, −4.17.",
        "weight unknown 0 undefined: no rows",
        "Measured gain: 273 basis points; payable: 124 basis points.",
        "nobody is paid by them",
        "docs/attestation.md",
        whole.attestation["core_digest"],
        whole.attestation["run_id"],
    ):
        assert said in shown, said
    for clause in whole.decision["clauses"]:
        assert clause["sentence"] in shown
    assert "leaked rows 0" in shown
    assert "recall:bad" in shown


def test_what_is_not_told_is_not_there(one: Documents, whole: Documents) -> None:
    for key in ("labels", "confusion", "per_class", "curves", "slices"):
        one.output["statistics"].pop(key, None)
    for key in ("payable_bps", "measured_bps"):
        one.decision.pop(key, None)
    shown = text(one)
    for word in OPTIONAL:
        assert word not in shown, word
        assert word in text(whole), word


@pytest.mark.parametrize("curve", ["roc", "calibration"])
def test_one_curve_may_be_missing(whole: Documents, curve: str) -> None:
    whole.output["statistics"]["curves"][curve] = None
    shown = text(whole)
    assert ("false positive rate" in shown) is (curve != "roc")
    assert ("mean score of the bin" in shown) is (curve != "calibration")


def test_the_funnel_adds_up(documents: Documents) -> None:
    shown = text(documents)
    for said in (
        "read 300",
        "here or in the base data −1",
        "kept 299",
        "120 base rows and 299 contributed ones make 419 training rows",
        "alice: 200 read, 199 kept",
        "bob: 100 read, 100 kept",
        "phone",
    ):
        assert said in shown, said


def test_an_undefined_metric_says_why_and_is_not_drawn(whole: Documents) -> None:
    del whole.output["delta_computation"]["metric_deltas"]["auroc"]
    whole.output["delta_computation"]["delta_one_score"] = None
    whole.output["statistics"]["undefined_metrics"] = {"auroc": "one class only"}
    whole.output["statistics"]["delta_one"]["undefined"] = "no average"
    shown = text(whole)
    assert "auroc undefined: one class only" in shown
    assert "DeltaOne undefined: no average" in shown


def test_a_loss_is_drawn_by_itself_and_is_better_below_zero(whole: Documents) -> None:
    whole.output["delta_computation"]["metric_deltas"]["log_loss"] = {
        "baseline_value": 0.51,
        "new_value": 0.44,
        "absolute_delta": -0.07,
        "relative_delta": -0.1,
        "improvement": True,
    }
    told = dict(whole.output["statistics"]["deltas"]["accuracy"])
    whole.output["statistics"]["deltas"]["log_loss"] = {
        **told,
        "interval": [-0.09, -0.05],
        "higher_is_better": False,
    }
    made = page(whole)
    shown = Page(made).text
    assert "log loss, in its own unit, lower is better" in shown
    assert "0.5100 0.4400 −0.0700 −0.0900 to −0.0500" in shown
    (row,) = re.findall(r"<tr>(?:(?!</tr>).)*log loss.*?</tr>", made)
    assert 'class="n good"' in row


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (["data"], "too many of the contributed rows stand in the benchmark."),
        (["rows"], "the benchmark has too few rows to tell."),
        (["threshold"], "which is less than is required."),
        (["evidence"], "which could be chance."),
        (["guards"], "in something that is guarded."),
        (["threshold", "evidence"], "(and one more reason)."),
    ],
)
def test_a_rejection_says_why_in_one_sentence(
    whole: Documents, failed: list[str], said: str
) -> None:
    clauses = [{**c, "holds": c["name"] not in failed} for c in whole.decision["clauses"]]
    whole.decide(verdict="rejected", clauses=clauses)
    made = page(whole)
    (sentence,) = re.findall(r"<h1>(.*?)</h1>", made)
    assert sentence.startswith("The contribution is not accepted: ")
    assert sentence.endswith(said)
    assert made.count(">fails<") == len(failed)


def weak(documents: Documents, low: float, high: float, gain: float) -> Documents:
    """The same with too little evidence for a gain of accuracy."""
    clauses = [{**c, "holds": c["name"] != "evidence"} for c in documents.decision["clauses"]]
    documents.decide(verdict="rejected", clauses=clauses, alpha_pico=1_013_211_836)
    statistics = documents.output["statistics"]
    statistics["deltas"]["accuracy"]["interval"] = [low, high]
    statistics.update(benchmark_rows=2_000, fixed_rows=75, broken_rows=45)
    documents.output["delta_computation"]["metric_deltas"]["accuracy"]["absolute_delta"] = gain
    return documents


def test_what_is_inconclusive_says_what_could_have_been_found(whole: Documents) -> None:
    made = text(weak(whole, -0.002, 0.03, 0.015))
    assert "Inconclusive: on 2,000 rows, on 6.0 % of which one model alone is right" in made
    # As `hokusai power` says: 217 basis points of 2,000 rows at 6 % and attempt 1.
    assert "a gain of 217 basis points would be found four times out of five" in made
    needed = rows_needed(0.015, 0.06, 1_013_211_836 / 1e12, 0.01, 0.8)
    assert f"A gain as measured would need about {needed:,}." in made


def test_what_is_excluded_or_shown_is_not_inconclusive(whole: Documents) -> None:
    shown = [{**c, "holds": True} for c in whole.decision["clauses"]]
    whole.decide(clauses=shown)
    assert "Inconclusive" not in text(whole)
    assert "Inconclusive" not in text(weak(whole, -0.03, 0.009, -0.01))


def regression(whole: Documents) -> Documents:
    """The same as though numbers from 10 to 90 had been predicted."""
    statistics = whole.output["statistics"]
    statistics |= {"fixed_rows": None, "broken_rows": None, "nearer_rows": 250, "farther_rows": 90}
    statistics |= {"labels": [], "confusion": {}, "per_class": []}
    statistics["curves"] = {"roc": None, "calibration": None}
    statistics["target"] = {"column": "<b>load", "minimum": "10", "maximum": "90"}
    units = {"baseline_value": 6.4, "new_value": 4.8, "absolute_delta": -1.6}
    statistics["in_target_units"] = {"mae": units}
    part = {"lowest_label": 0.0, "highest_label": 0.5, "rows": 200, "mean_label": 0.25}
    part |= {"mean_prediction": 0.3, "mean_error": 0.08}
    upper = part | {"lowest_label": 0.5, "highest_label": 1.0, "mean_label": 0.75}
    better = [one | {"mean_error": 0.06} for one in (part, upper)]
    statistics["deciles"] = {"baseline": [part, upper], "candidate": better}
    deltas = whole.output["delta_computation"]["metric_deltas"]
    deltas.clear()
    deltas["mae"] = {"baseline_value": 0.08, "new_value": 0.06, "absolute_delta": -0.02}
    deltas["r2"] = {"baseline_value": -0.4, "new_value": 0.1, "absolute_delta": 0.5}
    told = {"p_value": 0.01, "method": "betting", "n": 400, "interval": [-0.03, -0.01]}
    told |= {"interval_level": 0.95, "interval_method": "bootstrap_percentile"}
    loss = told | {"standard_error": 0.005, "higher_is_better": False}
    gain = told | {"standard_error": 0.1, "higher_is_better": True, "interval": [0.3, 0.7]}
    statistics["deltas"] = {"mae": loss, "r2": gain}
    statistics["undefined_metrics"] = {}
    statistics["slices"] = []
    whole.output["pipeline_metadata"]["config"]["primary_metric"] = "mae"
    return whole


def test_a_regression_fixes_no_rows_and_tells_errors_in_points_and_in_their_unit(
    whole: Documents,
) -> None:
    regression(whole).decide(verdict="accepted")
    shown = text(whole)
    assert "mae fell by 2.0 points (8.0 % to 6.0 %)" in shown
    assert "lower is better; 6.4000 to 4.8000 in <b>load" in shown
    assert "in its own unit" in shown
    assert "Rows nearer and rows farther" in shown
    assert "250 nearer the candidate predicts them more closely" in shown
    assert "on 60 both models are equally far off" in shown
    assert "Rows fixed" not in shown and "Confusion" not in shown and "Class by class" not in shown
    assert "Predicted and true numbers" in shown
    assert "10 to 50 200 8.00 % 6.00 % −2.00" in shown
    made = page(whole)
    assert "<b>load" not in made
    assert 'aria-label="Mean predictions of baseline and candidate"' in made
    assert_needs_nothing(made)


def test_a_regression_that_is_inconclusive_says_what_could_have_been_found(
    whole: Documents,
) -> None:
    clauses = [{**c, "holds": c["name"] != "evidence"} for c in whole.decision["clauses"]]
    numbers = {"primary": "mae", "min_delta_bps": 100}
    clauses = [c | ({"numbers": numbers} if c["name"] == "threshold" else {}) for c in clauses]
    regression(whole).decide(verdict="rejected", clauses=clauses, alpha_pico=1_013_211_836)
    whole.output["statistics"]["benchmark_rows"] = 400
    shown = text(whole)
    assert "on 400 rows, whose errors differ by 10.0 points (standard deviation)" in shown
    needed = number_power.rows_needed(0.02, 0.1, 1_013_211_836 / 1e12, 0.01, 0.8)
    assert f"A gain as measured would need about {needed:,}." in shown
    # Of groups and seeds that would be wrong: 319 rows were named where 2,500 did not do.
    mae = whole.output["statistics"]["deltas"]["mae"]
    mae["method"] = "cluster_betting"
    assert "is not computed for rows in groups or for several seeds" in text(whole)
    assert "would need about" not in text(whole)
    mae["interval"] = [-0.009, 0.02]
    assert "Inconclusive" not in text(whole)


def test_a_metric_of_ones_own_with_large_values_is_not_told_in_points(whole: Documents) -> None:
    deltas = whole.output["delta_computation"]["metric_deltas"]
    deltas["coverage"] = {"baseline_value": 120.0, "new_value": 121.0, "absolute_delta": 1.0}
    assert "120.0 121.0 +1.0000" in text(whole)


def test_a_clause_of_tomorrow_tells_itself(whole: Documents) -> None:
    whole.decide(
        verdict="rejected",
        clauses=[{"name": "novelty", "holds": False, "numbers": {}, "sentence": "Seen before."}],
    )
    assert "The contribution is not accepted: Seen before." in text(whole)


def test_provisional_is_said_until_a_ledger_counted(whole: Documents) -> None:
    whole.decide(verdict="accepted", provisional=True)
    assert "no ledger counted the attempt" in text(whole)
    whole.decide(provisional=False)
    assert "rovisional" not in text(whole)


def test_nobody_can_miss_a_dry_run(whole: Documents) -> None:
    assert "DRY RUN" not in page(whole)
    whole.attestation["dry_run"] = True
    whole.decide(dry_run=True)
    made = page(whole)
    assert Page(made).text.startswith("DRY RUN: ")  # the title
    assert made.index('<div class="banner"') < made.index("<main>")
    assert "Nothing on this page counts." in Page(made).text
    assert "Dry run: would be" in Page(made).text


def test_values_from_data_are_escaped(whole: Documents) -> None:
    statistics = whole.output["statistics"]
    statistics["labels"][0] = HOSTILE
    statistics["per_class"][0]["label"] = HOSTILE
    statistics["slices"][0]["name"] = HOSTILE
    statistics["undefined_metrics"] = {HOSTILE: HOSTILE}
    cleaning = whole.output["contributor_attribution"]["data_manifest"]["cleaning"]
    cleaning["dropped_columns"] = [HOSTILE]
    cleaning["pii"] = [{"column": HOSTILE, "detector": "email", "action": "mask", "cells": 1}]
    cleaning["rejections"] = [{"column": HOSTILE, "reason": HOSTILE, "count": 1, "first_rows": [1]}]
    whole.output["contributor_attribution"]["contributor_id"] = HOSTILE
    whole.output["pipeline_metadata"]["config"]["task_id"] = HOSTILE
    whole.output["evaluation_metadata"]["benchmark_dataset"]["name"] = HOSTILE
    whole.decision["clauses"][0]["sentence"] = HOSTILE
    whole.decision["clauses"][0]["numbers"] = {HOSTILE: HOSTILE, "guard_1": HOSTILE}
    made = page(whole)
    assert_needs_nothing(made)
    assert Page(made).text.count("<script>alert(1)</script>") >= 15
    assert "<script" not in made


def test_no_template_says_that_something_is_safe() -> None:
    for template in TEMPLATES.iterdir():
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape|Markup", source), template.name


def test_a_matrix_of_very_many_classes_is_left_out(whole: Documents) -> None:
    statistics = whole.output["statistics"]
    statistics["labels"] = [f"c{n}" for n in range(21)]
    statistics["confusion"] = {m: [[1] * 21] * 21 for m in ("baseline", "candidate")}
    assert "Confusion" not in text(whole)


def test_the_page_is_made_for_dark_print_and_phones() -> None:
    style = (TEMPLATES / "style.css.jinja").read_text(encoding="utf-8")
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 640px"):
        assert rule in style
    # Every colour of a plot is a class, which all three can change.
    plots = (TEMPLATES / "plots.jinja").read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-f]{3,6}\b", plots)


def test_a_dry_run_loads_no_plotting_library(small: SmallTask, tmp_path: Path) -> None:
    """Its start-up is measured, and matplotlib alone would take a tenth of it."""
    script = (
        "import sys\n"
        "from hokusai_assets.defs.running import evaluate\n"
        f"resources = {{'inputs': {{'mode': 'mock', 'task': {str(small.task)!r}}},"
        f" 'outputs': {{'output_dir': {str(tmp_path / 'out')!r}}}}}\n"
        "assert evaluate(resources, dry_run=True, progress=lambda *_: None).exit_code == 0\n"
        "assert 'matplotlib' not in sys.modules and 'PIL' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
    (report,) = (tmp_path / "out").glob("report_*.html")
    assert "Nothing on this page counts." in report.read_text(encoding="utf-8")
