"""The delta report end to end on small benchmarks."""

import numpy as np
import pytest
from scipy import stats

from hokusai_assets import decision_rule
from hokusai_assets.errors import ModelError
from hokusai_assets.evaluation.benchmarking import measure
from hokusai_assets.evaluation.delta import compare
from hokusai_assets.evaluation.rule import rule_parameters
from hokusai_assets.records import Attempt, ContributorShare
from hokusai_assets.scoring import Predictions

SHARES = (ContributorShare(contributor_id="alice", contributed_samples=3, total_samples=4),)


@pytest.fixture
def report_on(make_task, make_benchmark, tmp_path):
    def report(truth, base, cand, *, task=None, groups=None, seeds=None, attempt=1):
        task = task or make_task(group=groups is not None)
        bench = make_benchmark(task, truth, groups)
        metrics = measure(task, bench, base, cand, tmp_path / "out")
        rule = rule_parameters(task, bench.class_counts, number_of_seeds=seeds or cand.seeds)
        return compare(
            task,
            metrics,
            rule,
            leaked=3,
            distinct_rows=1_500,
            benchmark_rows_in_training=0,
            shares=SHARES,
            attempt=Attempt(number=attempt, provisional=True),
        )

    return report


def clause(report, name):
    return next(c for c in report.clauses if c.name == name)


def test_the_example_is_accepted_with_its_known_numbers(report_on, example):
    report = report_on(*example)
    assert (report.fixed_rows, report.broken_rows, report.row_count) == (285, 187, 3_000)
    accuracy = report.delta_of("accuracy")
    assert accuracy.delta_millionths == 32_667
    assert accuracy.method == "mcnemar_exact"
    expected = stats.binomtest(285, 472, 0.5, alternative="greater").pvalue
    assert accuracy.p_value_pico / 1e12 == pytest.approx(expected, abs=2e-12)
    error = np.sqrt(472 - 98**2 / 3_000) / 3_000
    assert accuracy.standard_error_nano == round(error * 1e9)
    mean = sum(d.delta for d in report.deltas) / 5
    assert report.delta_one.value == pytest.approx(mean, abs=1e-15)
    assert report.delta_one.computation_method == "weighted_average_delta"
    assert report.delta_one.weights_millionths["recall"] == 200_000
    z = report.delta_one.value * 1e9 / report.delta_one.standard_error_nano
    assert report.delta_one.p_value_pico / 1e12 == pytest.approx(stats.norm.sf(z), rel=1e-4)
    assert all(c.holds for c in report.clauses)
    assert decision_rule.verdict(report.clauses)[0] == "accepted"
    assert report.shares == SHARES


@pytest.mark.parametrize("seeds", [1, 5])
def test_identical_models_have_no_delta_p_one_and_a_no(report_on, example, seeds):
    truth, base, _ = example
    same = Predictions(np.repeat(base.labels, seeds, 0), np.repeat(base.scores, seeds, 0))
    if seeds > 1:
        same.labels[0, :40] = 1 - same.labels[0, :40]  # seeds that differ, alike in both models
    report = report_on(truth, same, same)
    for delta in (*report.deltas, report.delta_one):
        assert delta.p_value_pico == 10**12
        assert delta.standard_error_nano == 0
    assert {d.delta for d in report.deltas} == {0.0}
    assert report.delta_one.millionths == 0
    assert decision_rule.verdict(report.clauses)[0] == "rejected"
    assert clause(report, "guards").holds


def test_swapped_models_swap_the_sign(report_on, example):
    truth, base, cand = example
    report = report_on(truth, cand, base)
    assert report.delta_of("accuracy").delta_millionths == -32_667
    assert report.delta_of("accuracy").p_value_pico > 999_990_000_000
    assert not clause(report, "guards").holds


def test_recall_is_tested_exactly_on_the_positive_rows(report_on, example):
    truth, base, cand = example
    recall = report_on(truth, base, cand).delta_of("recall")
    positive = truth == 1
    better = int(((cand.labels[0] == 1) & (base.labels[0] == 0) & positive).sum())
    worse = int(((cand.labels[0] == 0) & (base.labels[0] == 1) & positive).sum())
    expected = stats.binomtest(better, better + worse, 0.5, alternative="greater").pvalue
    assert recall.p_value_pico / 1e12 == pytest.approx(expected, abs=2e-12)


def test_different_metric_sets_are_compared_on_what_both_have(report_on, example):
    truth, base, cand = example
    report = report_on(truth, Predictions(base.labels, None), cand)
    one = report.delta_one
    assert one.metrics_missing == {"auroc": "baseline: the model gives no probabilities"}
    assert one.metrics_included == ("accuracy", "precision", "recall", "f1_score")
    assert set(one.weights_millionths.values()) == {250_000}
    assert "renormalised" in one.computation_method
    four = [d.delta for d in report.deltas if d.metric != "auroc"]
    assert one.value == pytest.approx(sum(four) / 4, abs=1e-15)
    assert report.delta_of("auroc").delta is None
    assert clause(report, "evidence").holds
    assert "auroc does not apply" in clause(report, "guards").sentence


def with_primary(task, primary, *included):
    """A task with a primary metric that no task file may name, since an older one might."""
    changes = {"primary": primary} | ({"included": included} if included else {})
    return task.model_copy(update={"metrics": task.metrics.model_copy(update=changes)})


def test_an_undefined_primary_metric_fails_closed(report_on, example, make_task):
    truth, base, cand = example
    task = with_primary(make_task(), "auroc")
    report = report_on(truth, base, Predictions(cand.labels, None), task=task)
    assert not clause(report, "threshold").holds
    assert not clause(report, "evidence").holds
    assert "the model gives no probabilities" in clause(report, "evidence").sentence
    assert decision_rule.verdict(report.clauses)[0] == "rejected"
    only = with_primary(make_task(metrics={"included": ["accuracy", "auroc"]}), "auroc", "auroc")
    report = report_on(truth, base, Predictions(cand.labels, None), task=only)
    assert (report.delta_one.value, report.delta_one.metrics_included) == (None, ())
    assert report.delta_one.undefined


def test_a_class_that_the_benchmark_lacks_is_guarded_by_nothing_and_so_rejects(report_on):
    truth = np.zeros(2_500, dtype=np.int64)
    base, cand = np.zeros((1, 2_500), dtype=int), np.zeros((1, 2_500), dtype=int)
    base[0, :200] = 1
    report = report_on(truth, Predictions(base, None), Predictions(cand, None))
    assert not clause(report, "guards").holds
    assert "recall:good is undefined" in clause(report, "guards").sentence
    assert report.delta_of("recall").undefined


def test_poisoning_one_class_is_stopped_although_accuracy_gains(report_on, example):
    truth, base, cand = example
    labels = truth.copy()
    labels[np.flatnonzero(truth == 0)[:450]] = 1
    report = report_on(truth, base, Predictions(labels[None], cand.scores))
    assert report.delta_of("accuracy").delta > 0
    assert clause(report, "evidence").numbers["primary_p_pico"] < 10**9
    assert not clause(report, "guards").holds
    assert "recall:bad" in clause(report, "guards").sentence


def test_groups_widen_the_error_and_change_the_test(report_on, example):
    truth, base, cand = example
    # Rows that were fixed, and that were broken, each come from few authors.
    change = (cand.labels[0] == truth).astype(int) - (base.labels[0] == truth)
    groups = [f"g{v}-{i % 20}" for i, v in enumerate(change)]
    plain, clustered = report_on(truth, base, cand), report_on(truth, base, cand, groups=groups)
    accuracy = clustered.delta_of("accuracy")
    assert accuracy.method == "cluster_t"
    assert accuracy.standard_error_nano > 1.5 * plain.delta_of("accuracy").standard_error_nano
    assert accuracy.delta_millionths == 32_667
    t = accuracy.delta * 1e9 / accuracy.standard_error_nano
    assert accuracy.p_value_pico / 1e12 == pytest.approx(stats.t.sf(t, 59), rel=1e-4)


def test_one_group_only_leaves_the_evidence_undefined(report_on, example):
    report = report_on(*example, groups=["g"] * 3_000)
    assert report.delta_of("accuracy").p_value_pico is None
    assert not clause(report, "evidence").holds
    assert not clause(report, "guards").holds


def test_several_seeds_give_the_mean_and_a_wider_test(report_on, example):
    truth, base, cand = example
    rng = np.random.default_rng(1)
    labels = np.repeat(cand.labels, 5, axis=0)
    for seed in range(5):
        flip = rng.permutation(3_000)[: 30 * seed]
        labels[seed, flip] = 1 - labels[seed, flip]
    report = report_on(truth, base, Predictions(labels, np.repeat(cand.scores, 5, axis=0)))
    accuracy = report.delta_of("accuracy")
    expected = (labels == truth).mean() - (base.labels == truth).mean()
    assert accuracy.delta == pytest.approx(expected, abs=1e-12)
    assert accuracy.method == "seed_mean_t_and_mcnemar"
    rows = ((labels == truth).mean(axis=0) - (base.labels[0] == truth)).std() / np.sqrt(3_000)
    assert accuracy.standard_error_nano > rows * 1e9
    # Rows fixed and broken are those of the first seed, whose model is released.
    assert (report.fixed_rows, report.broken_rows) == (285, 187)


def test_later_attempts_meet_a_stricter_level(report_on, example):
    first, later = report_on(*example), report_on(*example, attempt=3_000)
    assert clause(first, "evidence").holds
    numbers = clause(later, "evidence").numbers
    assert (numbers["attempt"], numbers["alpha_pico"]) == (3_000, 101_321)
    assert not clause(later, "evidence").holds


def test_predictions_of_another_number_of_seeds_are_refused(report_on, example):
    with pytest.raises(ModelError, match="other rows or seeds"):
        report_on(*example, seeds=5)


def test_three_classes_go_through(report_on, make_task):
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 2_400)
    noisy = np.where(rng.random((2, 2_400)) < [[0.7], [0.8]], truth, rng.integers(0, 3, (2, 2_400)))
    scores = rng.dirichlet([1, 1, 1], 2_400) + 2 * np.eye(3)[truth]
    millionths = np.rint(scores / scores.sum(axis=1, keepdims=True) * 1e6).astype(np.int64)
    base, cand = (Predictions(labels[None], millionths[None]) for labels in noisy)
    report = report_on(truth, base, cand, task=make_task(("a", "b", "c")))
    assert all(c.holds for c in report.clauses)
    assert report.delta_of("auroc").p_value_pico == 10**12
    assert report.delta_of("f1_score").method == "influence_normal"


def test_several_seeds_have_a_null_run_and_a_released_model(report_on, example, make_task):
    """By the values of each seed, as another route finds them."""
    truth, base, cand = example
    flipped = base.labels[0].copy()
    flipped[:30] ^= 1
    before = Predictions(np.stack([base.labels[0], flipped]), np.repeat(base.scores, 2, 0))
    after = Predictions(np.stack([cand.labels[0], cand.labels[0]]), np.repeat(cand.scores, 2, 0))
    report = report_on(truth, before, after, task=make_task(model={"seeds": 2}))
    accuracies = [(labels == truth).mean() for labels in before.labels]
    gap = abs(accuracies[0] - accuracies[1]) * 10_000
    assert gap > 0
    noise = report.null_run.noise["accuracy"]
    assert (report.null_run.model, report.null_run.seeds) == ("baseline", 2)
    assert (noise.largest_bps, noise.deviation_bps) == pytest.approx((gap, gap))
    assert report.null_run.noise["auroc"].largest_bps == 0
    own = (cand.labels[0] == truth).mean() - accuracies[0]
    assert report.released.deltas["accuracy"] == pytest.approx(own)
    assert report.delta_of("accuracy").delta != pytest.approx(own)
    single = report_on(truth, base, cand)
    assert single.released is None and single.null_run.noise == {}
