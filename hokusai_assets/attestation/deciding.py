"""The decision computed again from core and plan, as anyone can who has only the attestation.

The rule itself stands in decision_rule; here its facts are read from the core's integers.
"""

from collections.abc import Mapping
from typing import Any

from hokusai_assets import decision_rule, scoring
from hokusai_assets.records import Attempt, Clause, Decision


def facts_of(core: Mapping[str, Any], rule: Mapping[str, Any]) -> decision_rule.Facts:
    """What the rule needs to know of one evaluation; raises KeyError where the core lacks it."""
    primary, delta_one = core["metrics"][rule["primary"]], core["delta_one"]
    return decision_rule.Facts(
        rows=core["benchmark"]["rows"],
        benchmark_rows_in_training=core["benchmark"]["rows_left_in_training"],
        leaked_rows=sum(counts["leaked"] for counts in core["counts"]),
        distinct_rows=sum(counts["leaked"] + counts["kept"] for counts in core["counts"]),
        primary_baseline_millionths=primary["baseline_millionths"],
        primary_candidate_millionths=primary["candidate_millionths"],
        primary_p_pico=primary["p_value_pico"],
        delta_one_p_pico=delta_one["p_value_pico"],
        primary_undefined=primary["undefined"],
        delta_one_undefined=delta_one["undefined"],
        guards=tuple(decision_rule.GuardFacts(**guard) for guard in core["guards"]),
    )


def decision_of(
    core: Mapping[str, Any],
    plan: Mapping[str, Any],
    attempt: int,
    provisional: bool,
    current: bool | None = None,
) -> Decision:
    """The decision that follows at this attempt, of which core and plan know nothing.

    `current` is the ledger's answer when the decision was appended: is the benchmark live and the
    baseline the model's head? None without a ledger; the clause is then not evaluated.
    """
    rule = plan["rule"]
    found = decision_rule.evaluate(rule, facts_of(core, rule), attempt)
    if current is not None:
        found = (*found, decision_rule.current_clause(current))
    clauses = tuple(
        Clause(name=c.name, holds=c.holds, numbers=c.numbers, sentence=c.sentence) for c in found
    )
    measured = core["delta_one"]["millionths"]
    gain, payable = gain_of(core, rule), 0
    if gain is not None:
        level = decision_rule.level_pico(rule, attempt) / 10**12
        payable = scoring.payable_bps(gain, min_delta_bps=int(rule["min_delta_bps"]), level=level)
    return decision_rule.decide(
        clauses,
        rule,
        Attempt(number=attempt, provisional=provisional),
        dry_run=core["dry_run"],
        measured_bps=None if measured is None else decision_rule.basis_points(measured),
        payable_bps=payable,
    )


def gain_of(core: Mapping[str, Any], rule: Mapping[str, Any]) -> scoring.Gain | None:
    """What the payable amount is computed from; None where DeltaOne or its error is undefined."""
    delta_one = core["delta_one"]
    if delta_one["millionths"] is None or delta_one["standard_error_nano"] is None:
        return None
    degrees = delta_one["degrees_of_freedom_milli"]
    return scoring.Gain(
        measured=delta_one["millionths"] / 100,
        # from 1e-9 to basis points
        standard_error=delta_one["standard_error_nano"] / 10**5,
        null_error=delta_one["null_standard_error_nano"] / 10**5,
        degrees_of_freedom=None if degrees is None else max(degrees / 1000, 1.0),
        # That bound was simulated where the exact test of accuracy decides; a bet asks for more, so
        # that what it passed is selected more sharply, and the plain bound pays less.
        conditional=delta_one["metrics_included"] == [rule["primary"]]
        and not rule["tests"][rule["primary"]].endswith("betting"),
    )
