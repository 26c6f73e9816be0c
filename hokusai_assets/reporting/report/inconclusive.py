"""What the benchmark could have shown, where the evidence was too weak to say yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.report import words

CHANCE = 0.8


def inconclusive(output: Mapping[str, Any], decision: Mapping[str, Any]) -> str | None:
    """One sentence where accuracy's gain is neither shown nor excluded; else None.

    Shown is what the evidence clause accepts; excluded is a gain that the whole interval lies
    below. The models' own share of discordant rows stands in for what was expected of them.
    """
    clauses = {clause["name"]: clause for clause in decision["clauses"]}
    evidence = clauses.get("evidence", {"holds": True, "numbers": {}})
    statistics = output["statistics"]
    interval = statistics["deltas"].get("accuracy", {}).get("interval")
    numbers = clauses.get("threshold", {"numbers": {}})["numbers"]
    if evidence["holds"] or interval is None or numbers.get("primary") != "accuracy":
        return None
    threshold = numbers["min_delta_bps"] / 10**4
    rows = statistics["benchmark_rows"]
    discordance = (statistics["fixed_rows"] + statistics["broken_rows"]) / rows
    if interval[1] < threshold or not discordance:
        return None
    from hokusai_assets.scoring.power import detectable, rows_needed

    level = decision["alpha_pico"] / 10**12
    least = detectable(rows, discordance, level, threshold, CHANCE)
    found = (
        f"a gain of {10**4 * least:,.0f} basis points would be found four times out of five"
        if least is not None
        else "hardly any gain would be found"
    )
    gain = output["delta_computation"]["metric_deltas"]["accuracy"]["absolute_delta"]
    needed = None
    if threshold < gain <= discordance:
        needed = rows_needed(gain, discordance, level, threshold, CHANCE)
    more = "" if needed is None else f" A gain as measured would need about {words.count(needed)}."
    return (
        f"Inconclusive: on {words.count(rows)} rows, on {words.percent(discordance)} of which one "
        f"model alone is right, {found} at this attempt.{more}"
    )
