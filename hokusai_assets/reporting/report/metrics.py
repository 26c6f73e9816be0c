"""What the report shows of deltas: plots by axis, one table, rows fixed and broken, slices."""

from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.report import words
from hokusai_assets.reporting.report.plots import Effect, tone, whisker_plot

# What rows that tell the models apart are called, and why.
_RIGHT_OR_WRONG = {
    "fixed": "fixed",
    "broken": "broken",
    "why_fixed": "only the candidate has them right",
    "why_broken": "only the baseline has them right",
    "same": "both models are right or both wrong",
}
_NEARER_OR_FARTHER = {
    "fixed": "nearer",
    "broken": "farther",
    "why_fixed": "the candidate predicts them more closely",
    "why_broken": "the baseline predicts them more closely",
    "same": "both models are equally far off",
}


def metric_rows(output: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row of the table for each metric, DeltaOne last; what is undefined says why."""
    statistics = output["statistics"]
    rows = []
    for metric, delta in output["delta_computation"]["metric_deltas"].items():
        told = statistics["deltas"].get(metric, {})
        points = words.in_points(metric, statistics, delta["baseline_value"], delta["new_value"])
        effect = _effect(metric, delta["absolute_delta"], told)
        rows.append(
            {
                "name": words.spaced(metric),
                "baseline": words.value(delta["baseline_value"]),
                "candidate": words.value(delta["new_value"]),
                "delta": words.signed(delta["absolute_delta"], points=points),
                "tone": tone(effect),
                "note": _note(metric, effect, statistics),
                **_uncertainty(told, points),
            }
        )
    for metric, reason in statistics["undefined_metrics"].items():
        rows.append({"name": words.spaced(metric), "undefined": reason})
    one, told = output["delta_computation"]["delta_one_score"], statistics["delta_one"]
    if one is None:
        reason = told.get("undefined") or "no metric has a delta"
        rows.append({"name": "DeltaOne", "undefined": reason})
    else:
        rows.append(
            {
                "name": "DeltaOne",
                "baseline": "",
                "candidate": "",
                "delta": words.signed(one, points=True),
                "tone": tone(_effect("DeltaOne", one, told)),
                "note": "weighted average",
                "strong": True,
                **_uncertainty(told, True),
            }
        )
    return rows


def _note(metric: str, effect: Effect, statistics: Mapping[str, Any]) -> str:
    """The direction, and of a share of the target's range what it is in the target's unit."""
    said = [] if effect.higher_is_better else ["lower is better"]
    if metric == "r2":
        said.append("in its own unit")
    units = (statistics.get("in_target_units") or {}).get(metric)
    if units is not None:
        ends = (words.value(units[key]) for key in ("baseline_value", "new_value"))
        said.append(f"{' to '.join(ends)} in {statistics['target']['column']}")
    return "; ".join(said)


def delta_plots(output: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The dot-and-whisker plots: one of all that is told in points, one for each other metric."""
    statistics = output["statistics"]
    shared: list[Effect] = []
    own: list[dict[str, Any]] = []
    for metric, delta in output["delta_computation"]["metric_deltas"].items():
        told = statistics["deltas"].get(metric, {})
        if words.in_points(metric, statistics, delta["baseline_value"], delta["new_value"]):
            shared.append(_effect(metric, delta["absolute_delta"], told, scale=100))
        else:
            effect = _effect(metric, delta["absolute_delta"], told)
            direction = "" if effect.higher_is_better else ", lower is better"
            unit = f"{words.spaced(metric)}, in its own unit{direction}"
            own.append({"plot": whisker_plot([effect]), "unit": unit})
    one = output["delta_computation"]["delta_one_score"]
    if one is not None:
        told = statistics["delta_one"]
        shared.append(_effect("DeltaOne", one, told, scale=100, strong=True))
    plots = [{"plot": whisker_plot(shared), "unit": "points"}] if shared else []
    return plots + own


def notes(output: Mapping[str, Any]) -> list[str]:
    """What a reader must know to read the intervals and p values."""
    statistics = output["statistics"]
    told = {**statistics["deltas"], "DeltaOne": statistics["delta_one"]}
    ways: dict[str, list[str]] = {}
    for name, one in told.items():
        if one.get("interval") is not None and one.get("interval_method"):
            ways.setdefault(words.spaced(one["interval_method"]), []).append(words.spaced(name))
    said = []
    if ways:
        listed = "; ".join(f"{way} for {words.names(metrics)}" for way, metrics in ways.items())
        said.append(f"Intervals: {listed}.")
    tests: dict[str, list[str]] = {}
    for name, one in statistics["deltas"].items():
        if one.get("method"):
            tests.setdefault(words.spaced(one["method"]), []).append(words.spaced(name))
    if tests:
        listed = "; ".join(f"{way} for {words.names(metrics)}" for way, metrics in tests.items())
        said.append(f"p is one-sided, against no gain: {listed}.")
    few = [
        words.spaced(m) for m, one in statistics["deltas"].items() if one.get("few_discordant_rows")
    ]
    if few:
        said.append(
            f"Few rows tell the models apart in {words.names(few)}: these intervals are wide, and "
            "cover more often than they say."
        )
    return said


def row_changes(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """Benchmark rows fixed, broken and neither, with their widths on a bar of 100.

    In a regression rows are nearer and farther: which model predicts them more closely. None where
    neither is told.
    """
    statistics = output["statistics"]
    rows, fixed, broken = (
        statistics[key] for key in ("benchmark_rows", "fixed_rows", "broken_rows")
    )
    said = _RIGHT_OR_WRONG
    if fixed is None or broken is None:
        fixed, broken = statistics.get("nearer_rows"), statistics.get("farther_rows")
        said = _NEARER_OR_FARTHER
    if fixed is None or broken is None:
        return None
    most = max(fixed, broken, 1)
    net = fixed - broken
    return {
        "rows": words.count(rows),
        "fixed": words.count(fixed),
        "broken": words.count(broken),
        "same": words.count(rows - fixed - broken),
        "net": words.signed(net, points=False).split(".")[0],
        "said": said,
        "fixed_width": round(50 * fixed / most, 2),
        "broken_width": round(50 * broken / most, 2),
    }


def slices(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """Deltas on named subsets of the benchmark, the worst one named; None where there are none."""
    found = output["statistics"].get("slices")
    if not found:
        return None
    told = [_slice(one, output["statistics"]) for one in found]
    known = [(row, effect) for row, effect, _ in told if effect is not None]
    drawn = [effect for _, effect, points in told if effect is not None and points]
    worst = min(
        known, key=lambda k: k[1].delta if k[1].higher_is_better else -k[1].delta, default=None
    )
    return {
        "rows": [row for row, _, _ in told],
        "plot": whisker_plot(drawn) if drawn else None,
        "worst": None if worst is None else worst[0],
    }


def _slice(
    one: Mapping[str, Any], statistics: Mapping[str, Any]
) -> tuple[dict[str, Any], Effect | None, bool]:
    points = words.in_points(one["metric"], statistics, one["baseline"], one["candidate"])
    row = {"name": one["name"], "rows": words.count(one["rows"])}
    if one["delta"] is None:
        return {**row, "undefined": one.get("undefined") or "no delta"}, None, points
    scale = 100 if points else 1
    effect = Effect(
        name=one["name"],
        delta=scale * one["delta"],
        interval=_ends(one.get("interval"), scale),
        higher_is_better=words.higher_is_better(one["metric"], statistics),
    )
    row |= {
        "metric": words.spaced(one["metric"]),
        "baseline": words.value(one["baseline"]),
        "candidate": words.value(one["candidate"]),
        "delta": words.signed(one["delta"], points=points),
        "tone": tone(effect),
        "interval": words.interval(one.get("interval"), points=points),
        "p": words.p_value(one.get("p_holm")),
    }
    return row, effect, points


def _effect(
    name: str, delta: float, told: Mapping[str, Any], *, scale: int = 1, strong: bool = False
) -> Effect:
    return Effect(
        name=words.spaced(name),
        delta=scale * delta,
        interval=_ends(told.get("interval"), scale),
        higher_is_better=bool(told.get("higher_is_better", True)),
        strong=strong,
    )


def _ends(interval: Any, scale: int) -> tuple[float, float] | None:
    return None if interval is None else (scale * interval[0], scale * interval[1])


def _uncertainty(told: Mapping[str, Any], points: bool) -> dict[str, Any]:
    error = told.get("standard_error")
    return {
        "interval": words.interval(told.get("interval"), points=points),
        "error": "" if error is None else words.signed(error, points=points).lstrip("+"),
        "p": words.p_value(told.get("p_value")),
    }
