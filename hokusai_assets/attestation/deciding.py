"""The decision computed again from core and plan, as anyone can who has only the attestation.

The rule itself stands in decision_rule; here its facts are read from the core's integers.
"""

import math
from collections.abc import Mapping
from typing import Any

from hokusai_assets import decision_rule, scoring
from hokusai_assets.records import Attempt, Clause, Decision

_CURRENT = {
    holds: Clause(name=decision_rule.CURRENT, holds=holds, numbers={}, sentence=sentence)
    for holds, sentence in (
        (True, "The benchmark is live, and the baseline is the model's head, or it has none."),
        (
            False,
            "The benchmark was retired, the baseline replaced or rows paid for meanwhile: "
            "evaluate anew.",
        ),
    )
}


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

    `current` is what a ledger says of benchmark and baseline; None without one.
    """
    rule = plan["rule"]
    clauses = tuple(
        Clause(name=c.name, holds=c.holds, numbers=c.numbers, sentence=c.sentence)
        for c in decision_rule.evaluate(rule, facts_of(core, rule), attempt)
    )
    if current is not None:
        clauses += (_CURRENT[current],)
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


def _degrees(seeds: int, clusters: int | None) -> int | None:
    """The fewest that the error can rest on: the core does not say which part was the larger."""
    known = ([seeds - 1] if seeds > 1 else []) + ([] if clusters is None else [clusters - 1])
    return max(min(known), 1) if known else None


def gain_of(core: Mapping[str, Any], rule: Mapping[str, Any]) -> scoring.Gain | None:
    """What the payable amount is computed from; None where DeltaOne or its error is undefined."""
    delta_one, benchmark = core["delta_one"], core["benchmark"]
    if delta_one["millionths"] is None or delta_one["standard_error_nano"] is None:
        return None
    clusters = benchmark["clusters"]
    error = delta_one["standard_error_nano"] / 10**5  # from 1e-9 to basis points
    alone = delta_one["metrics_included"] == [rule["primary"]]
    null_error = error
    if alone and rule["primary"] == "accuracy" and clusters is None and len(core["seeds"]) == 1:
        (table,) = core["joint_counts"]
        discordant = sum(n for y, before, after, n in table if (before == y) != (after == y))
        null_error = 10**4 * math.sqrt(discordant) / benchmark["rows"]
    return scoring.Gain(
        measured=delta_one["millionths"] / 100,
        standard_error=error,
        null_error=null_error,
        degrees_of_freedom=_degrees(len(core["seeds"]), clusters),
        conditional=alone,
    )
