"""The rule as a function of integers: levels, clauses, guards, verdicts."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets import decision_rule
from hokusai_assets.decision_rule import Facts, GuardFacts
from hokusai_assets.records import Attempt, Clause

RULE = {
    "version": 1,
    "familywise_alpha_pico": 50_000_000_000,
    "attempts_per_benchmark": 30,
    "min_delta_bps": 100,
    "min_benchmark_rows": 2_000,
    "max_leaked_share_millionths": 10_000,
    "primary": "accuracy",
    "tests": {"accuracy": "mcnemar_exact", "delta_one": "influence_normal"},
    "guards": [
        {"name": "recall:bad", "method": "tango_score", "margin_millionths": 50_000},
        {"name": "recall:good", "method": "binomial_exact"},
        {"name": "auroc", "method": "delong_normal"},
    ],
    "guard_level_millionths": 50_000,
    "expected_discordance_millionths": 60_000,
    "retire": "never",
}
GUARDS = (
    GuardFacts("recall:bad", 600, better=9, worse=10, bound_nano=-20_000_000),
    GuardFacts("recall:good", 100, better=5, worse=4, harm_p_pico=700_000_000_000),
    GuardFacts("auroc", 3_000, delta_millionths=9_000, harm_p_pico=990_000_000_000),
)
FACTS = Facts(
    rows=3_000,
    benchmark_rows_in_training=0,
    leaked_rows=15,
    distinct_rows=1_500,
    primary_baseline_millionths=760_000,
    primary_candidate_millionths=792_667,
    primary_p_pico=4_000_000,
    delta_one_p_pico=9_000_000,
    primary_undefined=None,
    delta_one_undefined=None,
    guards=GUARDS,
)


def clauses(attempt=1, rule=RULE, **changes):
    found = decision_rule.evaluate(rule, dataclasses.replace(FACTS, **changes), attempt)
    assert tuple(c.name for c in found) == decision_rule.CLAUSES
    return {c.name: c for c in found}


def with_guard(index, **changes):
    guards = list(GUARDS)
    guards[index] = dataclasses.replace(guards[index], **changes)
    return clauses(guards=tuple(guards))["guards"]


def test_level_of_an_attempt_is_the_formula_rounded_down():
    for attempt in (1, 30, 31, 60, 61, 1_000):
        block = math.ceil(attempt / 30)
        exact = 6 * 0.05 / (math.pi**2 * block**2 * 30)
        found = decision_rule.level_pico(RULE, attempt)
        assert found == math.floor(exact * 10**12)
    assert decision_rule.level_pico(RULE, 1) == 1_013_211_836
    with pytest.raises(ValueError, match="from 1"):
        decision_rule.level_pico(RULE, 0)


def test_levels_of_all_attempts_stay_below_alpha():
    spent = 30 * sum(decision_rule.level_pico(RULE, 30 * e) for e in range(1, 20_000))
    assert 0.9999 * 5e10 < spent < 5e10


def test_all_clauses_hold_and_the_verdict_follows():
    found = clauses()
    assert all(c.holds for c in found.values())
    assert decision_rule.verdict(tuple(found.values()))[0] == "accepted"
    assert found["threshold"].numbers["delta_bps"] == 327
    assert "improved by 327 bps" in found["threshold"].sentence
    assert found["evidence"].numbers["p_pico"] == 9_000_000


@pytest.mark.parametrize(
    ("clause", "changes"),
    [
        ("data", {"benchmark_rows_in_training": 1}),
        ("data", {"leaked_rows": 16}),
        ("data", {"leaked_rows": 0, "distinct_rows": 0}),
        ("rows", {"rows": 1_999}),
        ("threshold", {"primary_candidate_millionths": 769_940}),
        ("threshold", {"primary_candidate_millionths": None, "primary_undefined": "no rows"}),
        ("evidence", {"primary_p_pico": 1_013_211_837}),
        ("evidence", {"delta_one_p_pico": 1_013_211_837}),
        ("evidence", {"primary_p_pico": None}),
        ("evidence", {"delta_one_p_pico": None, "delta_one_undefined": "no spread"}),
        ("guards", {"guards": GUARDS[:2]}),
        ("guards", {"guards": ()}),
    ],
)
def test_one_failing_number_fails_its_clause_alone_and_the_verdict(clause, changes):
    found = clauses(**changes)
    assert [name for name, c in found.items() if not c.holds] == [clause]
    outcome, reasons = decision_rule.verdict(tuple(found.values()))
    assert (outcome, reasons) == ("rejected", (found[clause].sentence,))


@pytest.mark.parametrize(
    "changes",
    [
        {"leaked_rows": 15},
        {"rows": 2_000},
        {"primary_candidate_millionths": 770_000},
        {"primary_p_pico": 1_013_211_836},
    ],
)
def test_what_stands_exactly_at_a_limit_holds(changes):
    assert all(c.holds for c in clauses(**changes).values())


def test_threshold_rounds_each_model_before_the_difference():
    found = clauses(primary_baseline_millionths=770_060, primary_candidate_millionths=780_040)
    assert found["threshold"].numbers["delta_bps"] == 99
    assert not found["threshold"].holds


def test_later_attempts_need_stronger_evidence():
    p = {"primary_p_pico": 500_000_000, "delta_one_p_pico": 1}
    assert clauses(attempt=30, **p)["evidence"].holds
    assert not clauses(attempt=31, **p)["evidence"].holds


def test_a_guard_with_a_margin_holds_above_it_only():
    assert with_guard(0, bound_nano=-49_999_999).holds
    at_margin = with_guard(0, bound_nano=-50_000_000)
    assert not at_margin.holds
    assert "recall:bad may have lost 5.00 points" in at_margin.sentence
    assert not with_guard(0, bound_nano=None).holds
    assert not with_guard(0, undefined="no rows").holds


def test_harm_is_judged_after_holm_over_the_harm_guards():
    # Two guards take the harm test: 0.025 each, then 0.05.
    assert not with_guard(1, harm_p_pico=25_000_000_000).holds
    assert with_guard(1, harm_p_pico=25_000_000_001).holds
    assert not with_guard(2, harm_p_pico=1).holds
    assert not with_guard(2, harm_p_pico=None).holds


def test_a_guard_that_does_not_apply_is_said_and_not_counted_by_holm():
    found = with_guard(2, harm_p_pico=None, skipped="no probabilities")
    assert found.holds
    assert "auroc does not apply (no probabilities)" in found.sentence
    assert found.numbers["guard_2_harm_p_holm_pico"] == 700_000_000_000


def test_a_harm_test_says_what_it_cannot_see():
    # sqrt(6.18 * 0.06 / 100) = 6.09 points.
    assert "on recall:good a loss below 6.09 points would not show" in clauses()["guards"].sentence


@given(st.dictionaries(st.text("abcdef", min_size=1), st.integers(0, 10**12), min_size=1))
def test_holm_against_its_definition(p_values):
    adjusted = decision_rule.holm(p_values)
    ordered = sorted(p_values, key=lambda name: (p_values[name], name))
    k = len(ordered)
    for i, name in enumerate(ordered):
        steps = [min((k - j) * p_values[ordered[j]], 10**12) for j in range(i + 1)]
        assert adjusted[name] == max(steps)


def test_rows_that_a_margin_needs():
    assert decision_rule.rows_for_margin(20_000, 60_000) == 927
    assert decision_rule.rows_for_margin(50_000, 60_000) == 149  # 148.3
    # Where hardly any row is discordant, identical predictions are what must pass.
    assert decision_rule.rows_for_margin(20_000, 100) == 133


def test_a_missing_clause_rejects():
    found = tuple(c for c in clauses().values() if c.name != "guards")
    assert decision_rule.verdict(found) == ("rejected", ("The clause guards was not evaluated.",))
    assert decision_rule.verdict(())[0] == "rejected"


def test_another_version_of_the_rule_is_refused():
    with pytest.raises(ValueError, match="version 1"):
        clauses(rule={**RULE, "version": 2})


def test_the_decision_says_attempt_level_and_whether_it_is_provisional():
    stored = tuple(Clause(**dataclasses.asdict(c)) for c in clauses(attempt=31).values())
    decision = decision_rule.decide(
        stored,
        RULE,
        Attempt(number=31, provisional=True),
        dry_run=True,
        measured_bps=150,
        payable_bps=40,
    )
    assert (decision.measured_bps, decision.payable_bps) == (150, 40)
    assert (decision.verdict, decision.provisional, decision.dry_run) == ("accepted", True, True)
    assert (decision.attempt, decision.alpha_pico) == (31, 253_302_959)
    assert decision.retire == "never"


def test_nothing_is_payable_for_what_is_rejected():
    decision = decision_rule.decide(
        (), RULE, Attempt(number=1, provisional=False), dry_run=False, measured_bps=9, payable_bps=5
    )
    assert (decision.verdict, decision.measured_bps, decision.payable_bps) == ("rejected", 9, 0)
