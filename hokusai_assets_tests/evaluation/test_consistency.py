"""What is inconsistent in benchmark metrics is named, each thing once."""

import pytest

from hokusai_assets.evaluation.consistency import inconsistencies
from hokusai_assets.records import JointCount, MetricValue


def value(number, millionths, metric="accuracy", undefined=None):
    return MetricValue(metric=metric, value=number, millionths=millionths, undefined=undefined)


def cells(*counts):
    return tuple(
        JointCount(label=0, baseline=0, candidate=i, count=n) for i, n in enumerate(counts)
    )


@pytest.fixture
def metrics(evaluated):
    def make(**changes):
        return evaluated["benchmark_metrics"].model_copy(update=changes)

    return make


def test_metrics_of_a_real_evaluation_are_consistent(metrics):
    assert inconsistencies(metrics()) == []


@pytest.mark.parametrize(
    ("number", "millionths"),
    [(0.0, 0), (1.0, 1_000_000), (1 / 3, 333_333), (2 / 3, 666_667), (0.0000005, 0), (0.5e-6, 1)],
)
def test_the_ends_and_either_side_of_half_a_millionth_are_fine(metrics, number, millionths):
    assert inconsistencies(metrics(baseline=(value(number, millionths),))) == []


@pytest.mark.parametrize("number", [-1e-9, 1 + 1e-9, 2.0])
@pytest.mark.parametrize("model", ["baseline", "candidate"])
def test_a_metric_outside_0_to_1_is_named_with_its_model(metrics, model, number):
    broken = metrics(**{model: (value(number, round(number * 1e6), "f1_score"),)})
    assert inconsistencies(broken) == [f"{model} f1_score is {number}, outside 0 to 1"]


@pytest.mark.parametrize(
    ("metric", "fine", "wrong"),
    [
        ("log_loss", (0.0, 14.5), (-0.1, 14.6)),
        ("brier_score", (0.0, 2.0), (-0.1, 2.1)),
        ("matthews_correlation", (-1.0, 1.0), (-1.1, 1.1)),
    ],
)
def test_each_metric_has_its_own_range(metrics, metric, fine, wrong):
    for number in fine:
        held = metrics(baseline=(value(number, round(number * 1e6), metric),))
        assert inconsistencies(held) == []
    for number in wrong:
        (found,) = inconsistencies(metrics(baseline=(value(number, round(number * 1e6), metric),)))
        assert f"{metric} is {number}, outside" in found


@pytest.mark.parametrize("millionths", [None, 0, 500_001, 499_999, -500_000])
def test_a_value_must_be_its_own_millionths(metrics, millionths):
    broken = metrics(candidate=(value(0.5, millionths, "auroc"),))
    assert inconsistencies(broken) == ["candidate auroc and its millionths disagree"]


@pytest.mark.parametrize("reason", [None, ""])
def test_an_absent_metric_needs_a_reason(metrics, reason):
    absent = value(None, None, "precision", undefined=reason)
    assert inconsistencies(metrics(baseline=(absent,))) == [
        "baseline precision has neither a value nor a reason"
    ]
    given = value(None, None, "precision", undefined="the model predicts class 1 for no row")
    assert inconsistencies(metrics(baseline=(given,))) == []


def test_joint_counts_must_add_up_in_every_pair_of_seeds(metrics):
    broken = metrics(row_count=10, joint_counts=(cells(4, 6), cells(4, 5), cells(), cells(11)))
    assert inconsistencies(broken) == [
        "joint counts of seed 1 hold 9 rows of 10 scored",
        "joint counts of seed 2 hold 0 rows of 10 scored",
        "joint counts of seed 3 hold 11 rows of 10 scored",
    ]


@pytest.mark.parametrize("counts", [(10, 0), (12, -2)])
def test_a_cell_below_one_is_named_even_where_the_sum_is_right(metrics, counts):
    broken = metrics(row_count=10, joint_counts=(cells(*counts),))
    assert inconsistencies(broken) == ["joint counts of seed 0 hold a count below 1"]


def test_everything_is_named_at_once_baseline_first(metrics):
    broken = metrics(
        row_count=3,
        baseline=(value(None, None), value(0.25, 250_000, "recall")),
        candidate=(value(7.0, 7_000_000), value(0.5, 1, "recall")),
        joint_counts=(cells(2, 0),),
    )
    assert inconsistencies(broken) == [
        "baseline accuracy has neither a value nor a reason",
        "candidate accuracy is 7.0, outside 0 to 1",
        "candidate recall and its millionths disagree",
        "joint counts of seed 0 hold 2 rows of 3 scored",
        "joint counts of seed 0 hold a count below 1",
    ]


def test_a_value_and_its_absence_exclude_each_other(metrics):
    both = metrics(baseline=(value(0.5, 500_000, undefined="no probabilities"),))
    assert inconsistencies(both) == ["baseline accuracy has a value and a reason to have none"]
    half = metrics(baseline=(value(None, 500_000, undefined="no probabilities"),))
    assert inconsistencies(half) == ["baseline accuracy has millionths but no value"]
