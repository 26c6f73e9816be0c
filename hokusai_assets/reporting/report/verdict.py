"""The verdict in one sentence that a contributor understands, and the clauses behind it."""

import re
from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.report import words

# What a clause that fails means to whoever contributed; a clause that is not known here is told
# by its own sentence. {primary} is the primary metric, {gain} how it changed.
_FAILED = {
    "data": "too many of the contributed rows stand in the benchmark",
    "rows": "the benchmark has too few rows to tell",
    "threshold": "{primary} {gain}, which is less than is required",
    "evidence": "{primary} {gain}, which could be chance",
    "guards": "the model became worse, or may have, in something that is guarded",
    "current": "another contribution was accepted, or the benchmark replaced, while it was judged",
}
_GUARD = re.compile(r"guard_(\d+)(?:_(.+))?")


def decision_of(output: Mapping[str, Any], attestation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The decision as delta_output tells it, which may say more; else the attestation's."""
    found: Mapping[str, Any] = output.get("decision") or attestation["decision"]
    return found


def verdict(output: Mapping[str, Any], attestation: Mapping[str, Any]) -> dict[str, Any]:
    """State, badge, sentence and what the verdict is worth."""
    decision = decision_of(output, attestation)
    accepted = decision["verdict"] == "accepted"
    failed = [c for c in decision["clauses"] if not c["holds"]]
    primary = output["pipeline_metadata"]["config"]["primary_metric"]
    gain = _gain(output, primary)
    if accepted:
        sentence = (
            f"The contribution made the model better: {words.spaced(primary)} {gain}, more than "
            "chance explains, and nothing that is guarded was harmed."
        )
    elif failed:
        why = [
            _FAILED[c["name"]].format(primary=words.spaced(primary), gain=gain)
            if c["name"] in _FAILED
            else c["sentence"].rstrip(".")
            for c in failed
        ]
        others = f" ({_more(len(why) - 1)})" if len(why) > 1 else ""
        sentence = f"The contribution is not accepted: {why[0]}{others}."
    else:
        sentence = "The contribution is not accepted."
    return {
        "accepted": accepted,
        "badge": str(decision["verdict"]).capitalize(),
        "sentence": sentence,
        "worth": worth(decision),
    }


def worth(decision: Mapping[str, Any]) -> str:
    """What a verdict is worth, where it is less than it looks."""
    if decision["dry_run"]:
        return ""  # the banner says it louder
    if decision["provisional"]:
        return (
            "Provisional: no ledger counted the attempt, so the verdict counts for nothing "
            "outside and nothing can be paid from it."
        )
    return ""


def clauses(decision: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The clauses with their numbers; guards, which have many, as a table."""
    told = []
    for clause in decision["clauses"]:
        plain, guards = [], {}
        for name, raw in clause["numbers"].items():
            match = _GUARD.fullmatch(name)
            if match is None:
                plain.append(words.number(name, raw))
            elif match[2] is None:
                guards[match[1]] = {"name": str(raw)}
            else:
                label, text = words.number(match[2], raw)
                guards.setdefault(match[1], {"name": match[1]})[label] = text
        columns = list(dict.fromkeys(key for g in guards.values() for key in g if key != "name"))
        told.append(
            {
                "name": words.spaced(clause["name"]),
                "holds": clause["holds"],
                "sentence": clause["sentence"],
                "numbers": plain,
                "guard_columns": columns,
                "guards": [
                    {"name": g["name"], "cells": [g.get(c, "") for c in columns]}
                    for g in guards.values()
                ],
            }
        )
    return told


def level(decision: Mapping[str, Any]) -> str:
    """The attempt and what chance may do at it."""
    alpha = decision["alpha_pico"] / 1e12
    return f"Attempt {decision['attempt']} on this benchmark; its level is {alpha:.3g}."


def money(decision: Mapping[str, Any]) -> str | None:
    """What was measured and what may be paid for, in basis points; None where neither is told."""
    if "payable_bps" not in decision and "measured_bps" not in decision:
        return None
    parts = []
    for key, said in (("measured_bps", "Measured gain:"), ("payable_bps", "payable:")):
        if key in decision:
            bps = decision[key]
            parts.append(f"{said} " + ("none" if bps is None else f"{bps:,} basis points"))
    return "; ".join(parts) + "."


def _gain(output: Mapping[str, Any], primary: str) -> str:
    delta = output["delta_computation"]["metric_deltas"].get(primary)
    if delta is None:
        return "could not be computed"
    change = delta["absolute_delta"]
    if not change:
        return "did not change"
    went = "rose" if change > 0 else "fell"
    if words.in_points(primary, output["statistics"], delta["baseline_value"], delta["new_value"]):
        return (
            f"{went} by {100 * abs(change):.1f} points "
            f"({words.percent(delta['baseline_value'])} to {words.percent(delta['new_value'])})"
        )
    return (
        f"{went} from {words.value(delta['baseline_value'])} to {words.value(delta['new_value'])}"
    )


def _more(count: int) -> str:
    return "and one more reason" if count == 1 else f"and {count} more reasons"
