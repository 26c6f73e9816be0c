"""Guards: the integers of each are those of binomial tails, score equations and sums by hand."""

import math
from fractions import Fraction
from statistics import NormalDist, fmean, variance

import numpy as np
import pytest
from scipy import special

from hokusai_assets.decision_rule import GuardFacts
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.guards import measure_guard
from hokusai_assets.scoring.rows import ScoredRows

NAMES = ("bad", "good")
Z = NormalDist().inv_cdf(0.95)


def predictions(labels, scores=None):
    labels = np.atleast_2d(np.array(labels, dtype=np.int64))
    if scores is not None:
        scores = np.array(scores, dtype=np.int64).reshape(*labels.shape, -1)
    return Predictions(labels, scores)


def scored(truth, baseline, candidate, clusters=None):
    digests = [bytes([0] * 28) + i.to_bytes(4, "big") for i in range(len(truth))]
    groups = None if clusters is None else np.array(clusters)
    return ScoredRows(digests, np.array(truth), baseline, candidate, groups)


def recall_guard(method, *, index=1, margin=None):
    guard = {"name": "recall:it", "metric": "recall", "class": index, "rows": 0, "method": method}
    return guard if margin is None else {**guard, "margin_millionths": margin}


def auroc_guard(*, applies="where_scored", margin=None):
    guard = {"name": "auroc", "metric": "auroc", "method": "delong_normal", "applies": applies}
    return guard if margin is None else {**guard, "margin_millionths": margin}


def counted_rows(size, better, worse, others=6):
    """`size` rows of class 1, after `others` of class 0 that the candidate all breaks."""
    truth = [0] * others + [1] * size
    same = size - better - worse
    baseline = [0] * others + [0] * better + [1] * worse + [1] * same
    candidate = [1] * others + [1] * better + [0] * worse + [1] * same
    return scored(truth, predictions(baseline), predictions(candidate))


@pytest.mark.parametrize(("better", "worse"), [(2, 5), (0, 4), (5, 2), (0, 0), (1, 1), (3, 0)])
def test_harm_is_the_binomial_tail_of_the_broken_rows_of_the_class_alone(better, worse):
    found = measure_guard(recall_guard("binomial_exact"), counted_rows(10, better, worse), NAMES)
    discordant = better + worse
    tail = sum(math.comb(discordant, k) for k in range(worse, discordant + 1))
    assert found.harm_p_pico == pytest.approx(tail * 10**12 / 2**discordant, abs=2)
    assert (found.rows, found.better, found.worse) == (10, better, worse)
    assert found.delta_millionths == (better - worse) * 100_000
    assert found.bound_nano is found.standard_error_nano is found.undefined is found.skipped is None


def score_statistic(rows, better, worse, difference):
    """Tango's, its nuisance parameter found by climbing the multinomial likelihood."""

    def likelihood(q):
        shares = (q + difference, q, 1 - 2 * q - difference)
        counts = (better, worse, rows - better - worse)
        return sum(c * math.log(max(p, 1e-300)) for c, p in zip(counts, shares, strict=True) if c)

    low, high = max(0.0, -difference), (1 - difference) / 2
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if likelihood(left) < likelihood(right):
            low = left
        else:
            high = right
    spread = 2 * low + difference - difference**2
    return (better - worse - rows * difference) / math.sqrt(rows * spread)


@pytest.mark.parametrize(
    ("size", "better", "worse"), [(20, 3, 1), (150, 4, 9), (400, 0, 12), (60, 10, 0)]
)
def test_a_margin_gives_tangos_bound_as_a_scan_of_the_score_equation_finds_it(size, better, worse):
    found = measure_guard(
        recall_guard("tango_score", margin=50_000), counted_rows(size, better, worse), NAMES
    )
    low, high = -0.999, (better - worse) / size
    for _ in range(60):
        middle = (low + high) / 2
        if score_statistic(size, better, worse, middle) > Z:
            low = middle
        else:
            high = middle
    assert found.bound_nano == pytest.approx(low * 10**9, abs=1_000)
    assert found.harm_p_pico is None
    assert found.delta_millionths == round(Fraction(better - worse, size) * 10**6)


def test_identical_models_have_the_bound_of_the_closed_form_and_no_harm():
    rows = counted_rows(148, 0, 0, others=0)
    bound = measure_guard(recall_guard("tango_score", margin=50_000), rows, NAMES).bound_nano
    assert bound == pytest.approx(-(Z**2) / (148 + Z**2) * 10**9, abs=2)
    assert measure_guard(recall_guard("binomial_exact"), rows, NAMES).harm_p_pico == 10**12


@pytest.mark.parametrize("margin", [None, 50_000])
def test_identical_models_over_seeds_have_neither_spread_nor_harm(margin):
    model = predictions([[0, 1, 1, 0], [1, 1, 0, 0]])
    rows = scored([1, 1, 1, 0], model, model)
    found = measure_guard(recall_guard("seed_mean_t", margin=margin), rows, NAMES)
    assert (found.delta_millionths, found.standard_error_nano) == (0, 0)
    expected = (None, 10**12) if margin is None else (0, None)
    assert (found.bound_nano, found.harm_p_pico) == expected


def test_one_row_of_the_class_can_say_little():
    rows = counted_rows(1, 0, 1)
    harm = measure_guard(recall_guard("binomial_exact"), rows, NAMES)
    assert (harm.rows, harm.delta_millionths) == (1, -1_000_000)
    assert harm.harm_p_pico == pytest.approx(5 * 10**11, abs=1)
    bound = measure_guard(recall_guard("tango_score", margin=50_000), rows, NAMES)
    assert bound.bound_nano == -(10**9)


@pytest.mark.parametrize("method", ["tango_score", "binomial_exact", "cluster_t", "seed_mean_t"])
def test_a_class_without_rows_is_undefined_whatever_the_method(method):
    model = predictions([0, 1, 0])
    rows = scored([0, 0, 0], model, model, [0, 1, 2])
    assert measure_guard(recall_guard(method), rows, NAMES) == GuardFacts(
        name="recall:it", rows=0, undefined="no benchmark row is of class 'good'"
    )
    assert measure_guard(recall_guard(method), rows, (0, 1)).undefined.endswith("of class 1")


def test_the_class_of_a_guard_is_its_index_among_several():
    truth = [0, 1, 1, 2, 2, 2, 2]
    before = predictions([0, 1, 0, 2, 1, 1, 0])
    after = predictions([1, 1, 1, 2, 2, 2, 1])
    rows = scored(truth, before, after)
    found = [
        measure_guard(recall_guard("binomial_exact", index=i), rows, ("a", "b", "c"))
        for i in range(3)
    ]
    assert [(f.rows, f.better, f.worse) for f in found] == [(1, 0, 1), (2, 1, 0), (4, 2, 0)]
    # Half to even: 2 / 4 and 1 / 2 are exact, -1 / 1 is a loss of everything.
    assert [f.delta_millionths for f in found] == [-1_000_000, 500_000, 500_000]


def cluster_example():
    truth = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    before = [1, 1, 1, 1, 0, 0, 1, 1, 0, 1]
    after = [1, 0, 0, 1, 1, 0, 0, 1, 1, 1]
    clusters = [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    return truth, before, after, clusters


@pytest.mark.parametrize("margin", [None, 30_000])
def test_rows_of_one_group_are_summed_before_the_error_of_a_recall(margin):
    truth, before, after, clusters = cluster_example()
    rows = scored(truth, predictions(before), predictions(after), clusters)
    found = measure_guard(recall_guard("cluster_t", margin=margin), rows, NAMES)
    # Of eight rows one is fixed and three are broken: -2/8.
    delta, size = -0.25, 8
    sums = [0.0] * 6
    for label, old, new, group in zip(truth, before, after, clusters, strict=True):
        if label == 1:
            sums[group] += (new - old - delta) / size
    error = math.sqrt(6 / 5 * sum(value**2 for value in sums))
    assert (found.rows, found.delta_millionths) == (8, -250_000)
    assert (found.better, found.worse) == (None, None)
    assert found.standard_error_nano == pytest.approx(error * 10**9, abs=1)
    if margin is None:
        harm = special.stdtr(5, delta / error)
        assert found.harm_p_pico == pytest.approx(harm * 10**12, abs=1_000)
        assert found.bound_nano is None
    else:
        bound = delta - special.stdtrit(5, 0.95) * error
        assert found.bound_nano == pytest.approx(bound * 10**9, abs=2)
        assert found.harm_p_pico is None


@pytest.mark.parametrize("guard", [recall_guard("cluster_t"), recall_guard("cluster_t", margin=1)])
def test_a_single_group_leaves_a_recall_without_error_and_says_so(guard):
    truth, before, after, _ = cluster_example()
    rows = scored(truth, predictions(before), predictions(after), [0] * 10)
    found = measure_guard(guard, rows, NAMES)
    assert found == GuardFacts(
        name="recall:it",
        rows=8,
        delta_millionths=-250_000,
        undefined="all rows belong to one group, so groups cannot be compared",
    )


def test_a_stored_baseline_stands_against_every_seed_of_the_candidate():
    rng = np.random.default_rng(3)
    truth = np.array([1] * 40 + [0] * 20)
    before = np.where(rng.random((1, 60)) < 0.7, truth, 1 - truth)
    after = np.where(rng.random((3, 60)) < 0.8, truth, 1 - truth)
    rows = scored(truth, predictions(before), predictions(after))
    found = measure_guard(recall_guard("seed_mean_t"), rows, NAMES)
    right_before = before[0, :40].tolist()
    right_after = after[:, :40].tolist()
    recalls = [Fraction(sum(seed), 40) for seed in right_after]
    delta = sum(recalls) / 3 - Fraction(sum(right_before), 40)
    # The rows' own variance, and what the seeds show beyond their noise within rows.
    means = [fmean(column) for column in zip(*right_after, strict=True)]
    by_rows = (
        sum((m - old - float(delta)) ** 2 for m, old in zip(means, right_before, strict=True))
        / 40**2
    )
    seeds = variance([float(value) for value in recalls]) / 3
    centred = [[x - fmean(seed) for x in seed] for seed in right_after]
    within = sum(variance(column) for column in zip(*centred, strict=True)) / 3 / 40**2
    total = by_rows + max(seeds - within, 0)
    assert found.delta_millionths == round(delta * 10**6)
    assert found.standard_error_nano == pytest.approx(math.sqrt(total) * 10**9, abs=1)
    degrees = total**2 / (by_rows**2 / 59 + seeds**2 / 2)
    harm = special.stdtr(degrees, float(delta) / math.sqrt(total))
    assert found.harm_p_pico == pytest.approx(harm * 10**12, abs=1_000)


def test_a_change_of_every_row_has_no_error_but_a_gain_is_no_harm():
    right, wrong = predictions([1, 1, 1, 1]), predictions([0, 0, 0, 0])
    why = "the difference does not vary between rows, so it has no standard error"
    groups = [0, 1, 2, 3]
    gain, loss = (scored([1, 1, 1, 1], *pair, groups) for pair in ((wrong, right), (right, wrong)))
    harmless = measure_guard(recall_guard("cluster_t"), gain, NAMES)
    assert (harmless.harm_p_pico, harmless.undefined) == (10**12, None)
    assert measure_guard(recall_guard("cluster_t"), loss, NAMES).undefined == why
    for rows, delta in ((gain, 1_000_000), (loss, -1_000_000)):
        found = measure_guard(recall_guard("cluster_t", margin=50_000), rows, NAMES)
        assert (found.undefined, found.bound_nano) == (why, None)
        assert (found.delta_millionths, found.standard_error_nano) == (delta, 0)


def placements(scores, others):
    return [fmean([(o < s) + (o == s) / 2 for o in others]) for s in scores]


def auroc_example():
    rng = np.random.default_rng(8)
    truth = np.array([1] * 9 + [0] * 14)
    before = rng.integers(0, 12, 23) + 3 * truth
    after = before + rng.integers(-4, 4, 23) - truth
    return truth, before * 50_000, after * 50_000


@pytest.mark.parametrize("margin", [None, 20_000])
def test_auroc_is_held_by_delongs_paired_error_found_pair_by_pair(margin):
    truth, before, after = auroc_example()
    guess = [0] * 23
    rows = scored(truth, predictions(guess, before), predictions(guess, after))
    found = measure_guard(auroc_guard(margin=margin), rows, NAMES)
    inside = [placements(x[:9].tolist(), x[9:].tolist()) for x in (before, after)]
    outside = [placements(x[9:].tolist(), x[:9].tolist()) for x in (before, after)]
    delta = fmean(inside[1]) - fmean(inside[0])
    error = math.sqrt(
        variance([b - a for a, b in zip(*inside, strict=True)]) / 9
        + variance([b - a for a, b in zip(*outside, strict=True)]) / 14
    )
    assert found.rows == 23
    assert found.delta_millionths == pytest.approx(delta * 10**6, abs=1)
    assert found.standard_error_nano == pytest.approx(error * 10**9, abs=1)
    if margin is None:
        harm = NormalDist().cdf(delta / error)
        assert found.harm_p_pico == pytest.approx(harm * 10**12, abs=1_000)
    else:
        assert found.bound_nano == pytest.approx((delta - Z * error) * 10**9, abs=2)


def test_auroc_over_several_classes_is_the_mean_of_one_against_the_rest():
    rng = np.random.default_rng(4)
    truth = np.array([0, 1, 2] * 8)
    tables = [rng.integers(0, 10**6, (24, 3)) for _ in range(2)]
    rows = scored(truth, *(predictions([0] * 24, table) for table in tables))
    found = measure_guard(auroc_guard(), rows, ("a", "b", "c"))
    areas = [
        fmean(
            fmean(placements(table[truth == c, c].tolist(), table[truth != c, c].tolist()))
            for c in range(3)
        )
        for table in tables
    ]
    assert found.delta_millionths == pytest.approx((areas[1] - areas[0]) * 10**6, abs=1)


@pytest.mark.parametrize("silent", ["baseline", "candidate"])
def test_auroc_without_probabilities_is_skipped_unless_the_task_names_it(silent):
    truth, before, after = auroc_example()
    models = [predictions([0] * 23, before), predictions([0] * 23, after)]
    models[silent == "candidate"] = predictions([0] * 23)
    rows = scored(truth, *models)
    assert measure_guard(auroc_guard(), rows, NAMES) == GuardFacts(
        name="auroc", rows=23, skipped="a model gives no probabilities"
    )
    assert measure_guard(auroc_guard(applies="always", margin=1), rows, NAMES) == GuardFacts(
        name="auroc", rows=23, undefined="the model gives no probabilities"
    )


@pytest.mark.parametrize(
    ("truth", "reason"),
    [
        ([0, 0, 0], "no benchmark row is of class 'good'"),
        ([1, 1, 1], "every benchmark row is of class 'good'"),
    ],
)
def test_auroc_of_one_class_is_undefined_and_names_the_first_seed(truth, reason):
    one = predictions([0, 0, 1], [1, 2, 3])
    found = measure_guard(auroc_guard(), scored(truth, one, one), NAMES)
    assert found == GuardFacts(name="auroc", rows=3, undefined=reason)
    two = predictions([[0, 0, 1], [0, 1, 1]], [1, 2, 3, 4, 5, 6])
    found = measure_guard(auroc_guard(), scored(truth, two, two), NAMES)
    assert found.undefined == f"{reason} (seed 1 of 2)"


def test_a_single_row_of_a_class_has_an_area_but_no_error():
    before, after = predictions([0] * 4, [5, 1, 7, 3]), predictions([0] * 4, [5, 1, 4, 3])
    found = measure_guard(auroc_guard(), scored([1, 0, 0, 0], before, after), NAMES)
    assert found == GuardFacts(
        name="auroc",
        rows=4,
        delta_millionths=333_333,  # of three pairs two were right, now all
        undefined="a class has a single row, whose variance is unknown",
    )


def test_auroc_sums_the_placements_of_a_group_before_its_error():
    truth, before, after = auroc_example()
    clusters = [i % 7 for i in range(23)]
    guess = [0] * 23
    rows = scored(truth, predictions(guess, before), predictions(guess, after), clusters)
    found = measure_guard(auroc_guard(), rows, NAMES)
    parts = []
    for table in (before, after):
        inside = placements(table[:9].tolist(), table[9:].tolist())
        outside = placements(table[9:].tolist(), table[:9].tolist())
        area = fmean(inside)
        parts.append(
            [(p - area) / 9 * math.sqrt(9 / 8) for p in inside]
            + [(1 - p - area) / 14 * math.sqrt(14 / 13) for p in outside]
        )
    sums = [sum(b - a for a, b in list(zip(*parts, strict=True))[group::7]) for group in range(7)]
    error = math.sqrt(7 / 6 * sum(value**2 for value in sums))
    assert found.standard_error_nano == pytest.approx(error * 10**9, abs=1)
