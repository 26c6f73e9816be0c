"""A loss improves by falling: in deltas, DeltaOne, p values, the threshold, guards and wording."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from hokusai_assets import decision_rule, scoring
from hokusai_assets.defs.metadata import deltas_table
from hokusai_assets.errors import TaskError
from hokusai_assets.evaluation.benchmarking import measure
from hokusai_assets.evaluation.consistency import inconsistencies
from hokusai_assets.evaluation.delta import compare
from hokusai_assets.evaluation.rule import rule_parameters
from hokusai_assets.records import Attempt
from hokusai_assets.task.metrics import CLASSIFICATION_METRICS

ALL = {"included": list(CLASSIFICATION_METRICS)}
LOSSES = ("log_loss", "brier_score")


@pytest.fixture
def report_on(make_task, make_benchmark, tmp_path):
    def report(truth, base, cand, *, rule_changes=None, **sections):
        task = make_task(**{"metrics": ALL, **sections})
        bench = make_benchmark(task, truth)
        metrics = measure(task, bench, base, cand, tmp_path / "out")
        assert inconsistencies(metrics) == []
        rule = rule_parameters(task, bench.class_counts, number_of_seeds=1)
        return compare(
            task,
            metrics,
            rule | (rule_changes or {}),
            leaked=0,
            distinct_rows=100,
            benchmark_rows_in_training=0,
            shares=(),
            attempt=Attempt(number=1, provisional=True),
        )

    return report


def clause(report, name):
    return next(c for c in report.clauses if c.name == name)


@pytest.mark.parametrize("swapped", [False, True])
def test_every_metric_says_which_way_it_went(report_on, example, swapped):
    truth, base, cand = example
    report = report_on(truth, cand, base) if swapped else report_on(truth, base, cand)
    for name in ("accuracy", "balanced_accuracy", "matthews_correlation", *LOSSES):
        delta = report.delta_of(name)
        better = (delta.delta < 0) if name in LOSSES else (delta.delta > 0)
        assert better is not swapped
        assert delta.delta == pytest.approx(delta.candidate.value - delta.baseline.value)
        assert delta.higher_is_better is (name not in LOSSES)
        gain = -delta.delta if name in LOSSES else delta.delta
        if name != "accuracy":
            expected = stats.norm.sf(gain * 1e9 / delta.standard_error_nano)
            assert delta.p_value_pico / 1e12 == pytest.approx(expected, rel=1e-4, abs=2e-12)
    signs = [-1 if d.metric in LOSSES else 1 for d in report.deltas]
    mean = np.mean([sign * d.delta for sign, d in zip(signs, report.deltas, strict=True)])
    assert report.delta_one.value == pytest.approx(mean, abs=1e-12)
    assert set(report.delta_one.weights_millionths.values()) == {100_000}


def test_delta_ones_error_is_of_the_negated_losses(report_on, example):
    truth, base, cand = example
    report = report_on(truth, base, cand, metrics={"included": ["accuracy", "log_loss"]})
    rows = 0
    for model, way in ((cand, 1), (base, -1)):
        rows = rows + way * sum(
            sign * scoring.influence(name, truth, *model.of_seed(0), 2) / 2
            for name, sign in (("accuracy", 1), ("log_loss", -1))
        )
    error = np.sqrt(np.square(rows).sum()) / truth.size
    assert report.delta_one.standard_error_nano == pytest.approx(error * 1e9, abs=1)


def test_only_a_plan_with_a_loss_says_so(make_task):
    counts = {"bad": 1_200, "good": 1_800}
    without = rule_parameters(make_task(), counts, number_of_seeds=1)
    assert "lower_is_better" not in without
    with_all = rule_parameters(make_task(metrics=ALL), counts, number_of_seeds=1)
    assert with_all["lower_is_better"] == list(LOSSES)
    assert with_all["included"] == list(CLASSIFICATION_METRICS)
    assert with_all["tests"]["log_loss"] == "influence_normal"
    guarded = make_task(guards={"margins": {"brier_score": 1.0}})
    assert rule_parameters(guarded, counts, number_of_seeds=1)["lower_is_better"] == ["brier_score"]


def test_the_threshold_clause_of_a_loss_asks_for_a_fall(report_on, example):
    truth, base, cand = example
    primary = {"primary": "log_loss"}  # no task may say so; the rule must do right all the same
    better = report_on(truth, base, cand, rule_changes=primary)
    worse = report_on(truth, cand, base, rule_changes=primary)
    held, failed = clause(better, "threshold"), clause(worse, "threshold")
    assert held.holds
    assert not failed.holds
    assert held.numbers["delta_bps"] == -held.numbers["improvement_bps"] < -100
    assert failed.numbers["improvement_bps"] < -100
    gain = held.numbers["improvement_bps"]
    assert f"log_loss (lower is better) improved by {gain:,} bps" in held.sentence
    assert clause(better, "evidence").numbers["primary_p_pico"] < 0.01e12
    assert clause(worse, "evidence").numbers["primary_p_pico"] > 0.99e12


def test_a_guard_may_name_any_metric_and_knows_its_direction(report_on, example):
    truth, base, cand = example
    margins = {"margins": {"log_loss": 1.0, "accuracy": 2.0, "average_precision": 3.0}}
    better = report_on(truth, base, cand, guards=margins)
    guards = {g.name: g for g in better.guards}
    assert list(guards)[2:] == ["auroc", "accuracy", "log_loss", "average_precision"]
    assert clause(better, "guards").holds
    loss = better.delta_of("log_loss")
    assert guards["log_loss"].delta_millionths == loss.delta_millionths < 0
    bound = -loss.delta * 1e9 - stats.norm.ppf(0.95) * loss.standard_error_nano
    assert guards["log_loss"].bound_nano == pytest.approx(bound, abs=3)
    assert (guards["accuracy"].better, guards["accuracy"].worse) == (285, 187)
    assert guards["accuracy"].rows == 3_000
    worse = report_on(truth, cand, base, guards=margins)
    assert not clause(worse, "guards").holds
    assert "log_loss may have risen by" in clause(worse, "guards").sentence
    assert "accuracy may have lost" in clause(worse, "guards").sentence


def test_a_margin_of_accuracy_that_could_not_pass_is_refused(make_task):
    task = make_task(guards={"margins": {"accuracy": 2.0}})
    with pytest.raises(TaskError, match=r"accuracy has a margin of 2 points but 500"):
        rule_parameters(task, {"bad": 200, "good": 300}, number_of_seeds=1)


def test_a_named_guard_without_scores_fails_closed(report_on, example):
    truth, base, cand = example
    unscored = dataclasses.replace(cand, scores=None)
    report = report_on(truth, base, unscored, guards={"margins": {"brier_score": 5.0}})
    assert "brier_score is undefined (the model gives no probabilities)" in (
        clause(report, "guards").sentence
    )
    assert set(report.delta_one.metrics_missing) == {"auroc", "average_precision", *LOSSES}


def test_the_table_marks_losses(report_on, example):
    table = deltas_table(report_on(*example).deltas)
    assert "| log_loss (lower is better) |" in table
    assert "| accuracy |" in table


def test_a_rule_that_names_no_loss_takes_none_for_one():
    assert decision_rule.direction({}, "log_loss") == 1
    assert decision_rule.direction({"lower_is_better": ["log_loss"]}, "log_loss") == -1
