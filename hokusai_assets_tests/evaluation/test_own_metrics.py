"""A metric of one's own: values, its bootstrap, its direction, and where it does not count."""

import hashlib
import sys

import numpy as np
import pytest

from hokusai_assets import scoring
from hokusai_assets.errors import TaskError
from hokusai_assets.evaluation.benchmarking import measure
from hokusai_assets.evaluation.delta import compare
from hokusai_assets.evaluation.own_metrics import own_values, source_digest
from hokusai_assets.evaluation.rule import rule_parameters
from hokusai_assets.records import Attempt
from hokusai_assets.scoring import Predictions, Spread, Undefined
from hokusai_assets.scoring.delta_one import widened

CODE = """
import numpy as np

number = 3

def share_wrong(truth, labels, scores):
    return np.mean(truth != labels)

def brier(truth, labels, scores):
    return None if scores is None else float(np.mean((scores[:, -1] - truth) ** 2))

def broken(truth, labels, scores):
    raise KeyError("no")

def endless(truth, labels, scores):
    return float("inf")

def square(truth, labels, scores):
    return np.mean((truth - labels) ** 2)

def moody(truth, labels, scores):
    # defined on the whole benchmark, undefined on resamples with fewer rows of class 1
    return 0.5 if truth.sum() >= GOOD else None
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    file = tmp_path / "mine_of_test.py"
    file.write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield file
    sys.modules.pop("mine_of_test", None)


@pytest.fixture
def report_on(make_task, make_benchmark, tmp_path):
    def report(truth, base, cand, groups=None, seeds=1, **metrics):
        task = make_task(group=groups is not None, metrics=metrics)
        bench = make_benchmark(task, truth, groups)
        measured = measure(task, bench, base, cand, tmp_path / "out")
        return compare(
            task,
            measured,
            rule_parameters(task, bench.class_counts, number_of_seeds=seeds),
            leaked=0,
            distinct_rows=100,
            benchmark_rows_in_training=0,
            shares=(),
            attempt=Attempt(number=1, provisional=True),
        )

    return report


WRONG, BRIER = "mine_of_test:share_wrong", "mine_of_test:brier"


def test_it_is_measured_resampled_and_left_out_of_delta_one(report_on, example):
    included = ["accuracy", WRONG, BRIER, "brier_score"]
    report = report_on(*example, included=included, lower_is_better=[WRONG, BRIER])
    accuracy, wrong, own = (report.delta_of(m) for m in ("accuracy", WRONG, BRIER))
    known = report.delta_of("brier_score")
    assert wrong.delta == pytest.approx(-accuracy.delta)
    assert own.delta == pytest.approx(known.delta, abs=1e-15)
    assert (wrong.method, wrong.higher_is_better) == ("row_bootstrap_t", False)
    # 200 resamples know the error to 5 %.
    assert wrong.standard_error_nano == pytest.approx(accuracy.standard_error_nano, rel=0.15)
    assert own.standard_error_nano == pytest.approx(known.standard_error_nano, rel=0.15)
    assert wrong.p_value_pico < 0.01e12
    assert report.delta_one.metrics_included == ("accuracy", "brier_score")
    assert report.delta_one.metrics_missing == {}
    again = report_on(*example, included=included, lower_is_better=[WRONG, BRIER])
    assert again == report


def test_weighted_it_counts_and_widens_delta_ones_error(report_on, example):
    plain = report_on(*example, included=["accuracy", WRONG])
    weights = {"accuracy": 1.0, WRONG: 3.0}
    chosen = {"included": ["accuracy", WRONG], "weights": weights}
    report = report_on(*example, lower_is_better=[WRONG], **chosen)
    assert report.delta_one.value == pytest.approx(plain.delta_one.value)
    errors = (report.delta_of(m).standard_error_nano for m in ("accuracy", WRONG))
    mean = next(errors) / 4 + 3 * next(errors) / 4
    assert report.delta_one.standard_error_nano == pytest.approx(mean, abs=2)
    assert report.delta_one.metrics_included == ("accuracy", WRONG)
    upwards = report_on(*example, **chosen)
    assert upwards.delta_one.value == pytest.approx(-plain.delta_one.value / 2)


def test_identical_models_and_groups_and_seeds(report_on, example):
    truth, base, cand = example
    same = report_on(truth, base, base, included=["accuracy", WRONG]).delta_of(WRONG)
    assert (same.delta, same.standard_error_nano, same.p_value_pico) == (0, 0, 10**12)
    change = (cand.labels[0] == truth).astype(int) - (base.labels[0] == truth)
    groups = [f"g{v}-{i % 20}" for i, v in enumerate(change)]
    grouped = report_on(truth, base, cand, groups, included=["accuracy", WRONG])
    errors = [grouped.delta_of(m).standard_error_nano for m in ("accuracy", WRONG)]
    assert errors[1] == pytest.approx(errors[0], rel=0.25)
    one = report_on(truth, base, cand, ["g"] * 3_000, included=["accuracy", WRONG])
    assert "fewer than two" in one.delta_of(WRONG).undefined
    labels = np.repeat(cand.labels, 3, axis=0)
    labels[1, :300] = 1 - labels[1, :300]
    seeded = Predictions(labels, None)
    wide = report_on(truth, base, seeded, seeds=3, included=["accuracy", WRONG]).delta_of(WRONG)
    expected = (labels != truth).mean() - (base.labels != truth).mean()
    assert wide.delta == pytest.approx(expected)
    over_seeds = np.var((labels != truth).mean(axis=1), ddof=1) / 3
    assert wide.standard_error_nano > np.sqrt(over_seeds) * 1e9


def test_what_it_cannot_say_is_undefined(module, report_on, example):
    truth, base, cand = example
    sys.modules.pop("mine_of_test", None)
    module.write_text(f"GOOD = {truth.sum()}\n{CODE}")
    endless, moody = "mine_of_test:endless", "mine_of_test:moody"
    included = ["accuracy", BRIER, endless, moody]
    report = report_on(truth, base, Predictions(cand.labels, None), included=included)
    assert report.delta_of(BRIER).undefined == "candidate: the function gives nothing"
    assert "the function gives inf" in report.delta_of(endless).undefined
    assert "undefined on many resamples" in report.delta_of(moody).undefined
    assert report.delta_one.metrics_included == ("accuracy",)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine_of_test:nothing", "has no 'nothing'"),
        ("mine_of_test:number", "is not a function"),
        ("no_such_module_here:f", "module no_such_module_here cannot be imported"),
        ("math:sqrt", "written in a Python file"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_the_plan(make_task, name, said):
    task = make_task(metrics={"included": ["accuracy", name]})
    with pytest.raises(TaskError, match=said):
        rule_parameters(task, {"bad": 10, "good": 10}, number_of_seeds=1)


def test_a_function_that_fails_says_whose_fault_it_is(report_on, example):
    with pytest.raises(TaskError, match=r"mine_of_test:broken' failed \(KeyError\)"):
        report_on(*example, included=["accuracy", "mine_of_test:broken"])


def test_the_plan_holds_the_digest_of_its_file(make_task, module):
    task = make_task(metrics={"included": ["accuracy", WRONG], "lower_is_better": [WRONG]})
    rule = rule_parameters(task, {"bad": 10, "good": 10}, number_of_seeds=1)
    digest = hashlib.sha256(module.read_bytes()).hexdigest()
    assert rule["own_metrics_sha256"] == {WRONG: digest} == {WRONG: source_digest(WRONG)}
    assert rule["lower_is_better"] == [WRONG]
    assert rule["weights"] == {"accuracy": 1, WRONG: 0}
    assert "own_metrics_sha256" not in rule_parameters(make_task(), {}, number_of_seeds=1)


def test_the_task_says_what_is_wrong_with_a_metrics_name(make_task):
    with pytest.raises(TaskError, match="'acuracy' is no metric; did you mean 'accuracy'"):
        make_task(metrics={"included": ["acuracy"]})
    with pytest.raises(TaskError, match="cannot be mine:f"):
        make_task(metrics={"primary": "mine:f", "included": ["mine:f"]})
    for wrong in (["log_loss"], ["mine:g"]):
        with pytest.raises(TaskError, match="none of your own"):
            make_task(metrics={"included": ["accuracy", "mine:f"], "lower_is_better": wrong})


def test_equal_weights_of_ones_own_are_another_task(make_task):
    silent = make_task(metrics={"included": ["accuracy", "mine:f"]})
    zero = {"accuracy": 2.0, "mine:f": 0.0}
    assert (
        make_task(metrics={"included": ["accuracy", "mine:f"], "weights": zero}).digest
        == silent.digest
    )
    equal = {"accuracy": 2.0, "mine:f": 2.0}
    assert (
        make_task(metrics={"included": ["accuracy", "mine:f"], "weights": equal}).digest
        != silent.digest
    )


def test_widening_adds_errors_and_keeps_the_fewest_degrees_of_freedom():
    found = widened(Spread(3.0, 90.0), [(-0.5, Spread(2.0, 12.0)), (1.0, Spread(1.0, None))])
    assert found == Spread(5.0, 12.0)
    assert widened(Spread(3.0, None), []) == Spread(3.0, None)
    lost = Undefined("no")
    assert widened(Spread(3.0, None), [(1.0, lost)]) == lost
    assert widened(lost, [(1.0, Spread(1.0, None))]) == lost


def test_numbers_that_no_core_could_hold_are_undefined():
    # Of a regression truth and labels are millionths, and a mean square of these is soon 1e10.
    truth, labels = np.array([0, 1_000_000]), np.array([[400, 999_000]])
    (found,) = own_values("mine_of_test:square", truth, Predictions(labels, None))
    assert found == Undefined("the function gives more than 100,000: let it divide by its unit")
    (found,) = own_values("mine_of_test:square", truth, Predictions(truth[None] + 300, None))
    assert found == 90_000


def test_scores_reach_the_function_as_shares():
    truth = np.array([0, 1])
    predictions = Predictions(np.array([[0, 1]]), np.array([[[250_000], [500_000]]]))
    (value,) = own_values(BRIER, truth, predictions)
    assert float(value) == pytest.approx((0.0625 + 0.25) / 2)
    assert value == scoring.score_metric("brier_score", truth, predictions, "ab")[0]
