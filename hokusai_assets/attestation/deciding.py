"""The decision computed again from core and plan, as anyone can who has only the attestation.

The rule itself stands in decision_rule; here its facts are read from the core's integers.
"""

from collections.abc import Mapping
from typing import Any

from hokusai_assets import decision_rule
from hokusai_assets.records import Attempt, Clause, Decision


def facts_of(core: Mapping[str, Any], rule: Mapping[str, Any]) -> decision_rule.Facts:
    """What the rule needs to know of one evaluation; raises KeyError where the core lacks it."""
    primary, delta_one = core["metrics"][rule["primary"]], core["delta_one"]
    return decision_rule.Facts(
        rows=core["benchmark"]["rows"],
        benchmark_rows_in_training=core["benchmark"]["rows_left_in_training"],
        leaked_rows=sum(counts["leaked"] for counts in core["counts"]),
        distinct_rows=sum(
            counts["leaked"] + counts["already_paid"] + counts["kept"] for counts in core["counts"]
        ),
        primary_baseline_millionths=primary["baseline_millionths"],
        primary_candidate_millionths=primary["candidate_millionths"],
        primary_p_pico=primary["p_value_pico"],
        delta_one_p_pico=delta_one["p_value_pico"],
        primary_undefined=primary["undefined"],
        delta_one_undefined=delta_one["undefined"],
        guards=tuple(decision_rule.GuardFacts(**guard) for guard in core["guards"]),
    )


def decision_of(
    core: Mapping[str, Any], plan: Mapping[str, Any], attempt: int, provisional: bool
) -> Decision:
    """The decision that follows at this attempt, of which core and plan know nothing."""
    rule = plan["rule"]
    clauses = tuple(
        Clause(name=c.name, holds=c.holds, numbers=c.numbers, sentence=c.sentence)
        for c in decision_rule.evaluate(rule, facts_of(core, rule), attempt)
    )
    counted = Attempt(number=attempt, provisional=provisional)
    return decision_rule.decide(clauses, rule, counted, dry_run=core["dry_run"])
