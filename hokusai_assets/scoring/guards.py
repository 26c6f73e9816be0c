"""What is measured for each guard of the rule, in integers.

Whether a guard holds is decision_rule's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.decision_rule import GuardFacts
from hokusai_assets.scoring import Undefined
from hokusai_assets.scoring.rows import ScoredRows, rows_of
from hokusai_assets.scoring.uncertainty import influences, spread_of
from hokusai_assets.task import Label

LEVEL = 0.95


def measure_guard(
    guard: Mapping[str, Any], rows: ScoredRows, names: Sequence[Label], sign: int = 1
) -> GuardFacts:
    """The facts of one entry of rule["guards"]; `sign` is -1 where its metric is a loss."""
    if "slice" in guard:
        rows = rows_of(rows, dict(rows.slices)[guard["slice"]])
        if not rows.row_count:
            reason = "no benchmark row belongs to it"
            return GuardFacts(name=guard["name"], rows=0, undefined=reason)
    if "class" in guard:
        return _recall(guard, rows, names)
    return _whole_metric(guard, rows, names, sign)


def _recall(guard: Mapping[str, Any], rows: ScoredRows, names: Sequence[Label]) -> GuardFacts:
    index = int(guard["class"])
    of_class = rows.truth == index
    size = int(of_class.sum())
    if not size:
        reason = f"no benchmark row is of class {names[index]!r}"
        return GuardFacts(name=guard["name"], rows=0, undefined=reason)
    if guard["method"] in {"tango_score", "binomial_exact"}:
        return _counted(guard, rows, of_class)
    values = [
        [_class_recall(rows.truth, model.labels[seed], index) for seed in range(model.seeds)]
        for model in (rows.baseline, rows.candidate)
    ]
    parts = [
        np.stack([scoring.recall_influence(rows.truth, labels, index) for labels in model.labels])
        for model in (rows.baseline, rows.candidate)
    ]
    spread = spread_of(parts[0], parts[1], values[0], values[1], rows.clusters)
    return _approximated(guard, size, _mean(values[1]) - _mean(values[0]), spread)


def _class_recall(truth: Any, labels: Any, index: int) -> Fraction:
    of_class = truth == index
    return Fraction(int((labels[of_class] == index).sum()), int(of_class.sum()))


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _whole_metric(
    guard: Mapping[str, Any], rows: ScoredRows, names: Sequence[Label], sign: int
) -> GuardFacts:
    metric, size = guard["metric"], rows.row_count
    if guard["method"] == "tango_score":
        return _counted(guard, rows, rows.truth >= 0)
    scored = rows.baseline.scores is not None and rows.candidate.scores is not None
    if not scored and guard.get("applies") == "where_scored":
        reason = "a model gives no probabilities"
        return GuardFacts(name=guard["name"], rows=size, skipped=reason)
    values = []
    for model in (rows.baseline, rows.candidate):
        of_model = scoring.score_metric(metric, rows.truth, model, names)
        mean = scoring.seed_mean(of_model)
        if isinstance(mean, Undefined):
            return GuardFacts(name=guard["name"], rows=size, undefined=mean.reason)
        values.append([value for value in of_model if isinstance(value, Fraction)])
    before, after = (
        influences(metric, rows.truth, model, len(names))
        for model in (rows.baseline, rows.candidate)
    )
    spread = spread_of(before, after, values[0], values[1], rows.clusters)
    return _approximated(guard, size, _mean(values[1]) - _mean(values[0]), spread, sign)


def _counted(guard: Mapping[str, Any], rows: ScoredRows, among: Any) -> GuardFacts:
    right_before = (rows.baseline.labels[0] == rows.truth)[among]
    right_after = (rows.candidate.labels[0] == rows.truth)[among]
    size = right_before.size
    better = int((right_after & ~right_before).sum())
    worse = int((right_before & ~right_after).sum())
    bound, p_value = None, None
    if "margin_millionths" in guard:
        found = scoring.tango_lower_bound(size, better, worse, LEVEL)
        bound = None if isinstance(found, Undefined) else scoring.nano_below(found)
    else:
        p_value = scoring.pico(scoring.mcnemar_p(worse, better))
    return GuardFacts(
        name=guard["name"],
        rows=size,
        better=better,
        worse=worse,
        delta_millionths=scoring.millionths(Fraction(better - worse, size)),
        bound_nano=bound,
        harm_p_pico=p_value,
    )


def _approximated(
    guard: Mapping[str, Any],
    size: int,
    delta: Fraction,
    spread: scoring.Spread | Undefined,
    sign: int = 1,
) -> GuardFacts:
    with_margin = "margin_millionths" in guard
    gain = sign * delta
    found = (
        scoring.lower_bound(gain, spread, LEVEL) if with_margin else scoring.harm_p(gain, spread)
    )
    bound, p_value, undefined = None, None, None
    if isinstance(found, Undefined):
        undefined = found.reason
    elif with_margin:
        bound = scoring.nano_below(found)
    else:
        p_value = scoring.pico(found)
    error = None if isinstance(spread, Undefined) else scoring.nano(spread.standard_error)
    return GuardFacts(
        name=guard["name"],
        rows=size,
        delta_millionths=scoring.millionths(delta),
        standard_error_nano=error,
        bound_nano=bound,
        harm_p_pico=p_value,
        undefined=undefined,
    )
