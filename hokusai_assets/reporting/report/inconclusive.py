"""What the benchmark could have shown, where the evidence was too weak to say yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.report import words
from hokusai_assets.scoring.methods import BETTING, MCNEMAR

CHANCE = 0.8


def inconclusive(output: Mapping[str, Any], decision: Mapping[str, Any]) -> str | None:
    """One sentence where the gain of accuracy or mae is neither shown nor excluded; else None.

    Shown is what the evidence clause accepts; excluded is a gain that the whole interval lies
    below. The models' own share of discordant rows, or spread of errors, stands in for what was
    expected of them.
    """
    clauses = {clause["name"]: clause for clause in decision["clauses"]}
    evidence = clauses.get("evidence", {"holds": True, "numbers": {}})
    numbers = clauses.get("threshold", {"numbers": {}})["numbers"]
    primary = numbers.get("primary")
    delta = output["statistics"]["deltas"].get(primary, {})
    interval = delta.get("interval")
    if evidence["holds"] or interval is None or primary not in ("accuracy", "mae"):
        return None
    threshold, level = numbers["min_delta_bps"] / 10**4, decision["alpha_pico"] / 10**12
    if (interval[1] if primary == "accuracy" else -interval[0]) < threshold:
        return None
    if delta["method"] not in (MCNEMAR, BETTING):
        # How many groups there are, and not how many rows, then limits what can be shown.
        return (
            "Inconclusive: a gain that would be enough is neither shown nor excluded. What more "
            "rows would show is not computed for rows in groups or for several seeds."
        )
    return (_of_accuracy if primary == "accuracy" else _of_mae)(output, level, threshold)


def _of_accuracy(output: Mapping[str, Any], level: float, threshold: float) -> str | None:
    from hokusai_assets.scoring.power import detectable, rows_needed

    statistics = output["statistics"]
    rows = statistics["benchmark_rows"]
    discordance = (statistics["fixed_rows"] + statistics["broken_rows"]) / rows
    if not discordance:
        return None
    least = detectable(rows, discordance, level, threshold, CHANCE)
    gain = output["delta_computation"]["metric_deltas"]["accuracy"]["absolute_delta"]
    needed = None
    if threshold < gain <= discordance:
        needed = rows_needed(gain, discordance, level, threshold, CHANCE)
    told = f"on {words.percent(discordance)} of which one model alone is right"
    return _sentence(rows, told, least, needed)


def _of_mae(output: Mapping[str, Any], level: float, threshold: float) -> str | None:
    from hokusai_assets.scoring.number_power import detectable, rows_needed

    statistics = output["statistics"]
    rows, error = statistics["benchmark_rows"], statistics["deltas"]["mae"]["standard_error"]
    if not error:
        return None
    spread = error * rows**0.5
    least = detectable(rows, spread, level, threshold, CHANCE)
    gain = -output["delta_computation"]["metric_deltas"]["mae"]["absolute_delta"]
    needed = None
    if gain > threshold:
        needed = rows_needed(gain, spread, level, threshold, CHANCE)
    told = f"whose errors differ by {100 * spread:.1f} points (standard deviation)"
    return _sentence(rows, told, least, needed)


def _sentence(rows: int, told: str, least: float | None, needed: int | None) -> str:
    found = (
        f"a gain of {10**4 * least:,.0f} basis points would be found four times out of five"
        if least is not None
        else "hardly any gain would be found"
    )
    more = "" if needed is None else f" A gain as measured would need about {words.count(needed)}."
    return f"Inconclusive: on {words.count(rows)} rows, {told}, {found} at this attempt.{more}"
