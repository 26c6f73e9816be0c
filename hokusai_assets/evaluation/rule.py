"""The parameters of the decision rule in force for one evaluation, as the plan commits to them.

`rule_parameters` writes every default out, in integers and text. What the parameters mean stands
in decision_rule; when they are committed is the plan's business.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from hokusai_assets import decision_rule
from hokusai_assets.errors import TaskError
from hokusai_assets.evaluation.guard_margins import RECALL, SLICE, margin_millionths, scaled_down
from hokusai_assets.evaluation.number_guards import number_guards
from hokusai_assets.evaluation.own_metrics import source_digest
from hokusai_assets.scoring import METRICS
from hokusai_assets.scoring.methods import Methods
from hokusai_assets.task import METRIC_NAMES, Task, is_own
from hokusai_assets.task.metrics import CLASSIFICATION_METRICS

_LARGEST_INTEGER = 2**53 - 1  # of canonical JSON


def rule_parameters(
    task: Task,
    class_counts: Mapping[str, int],
    *,
    number_of_seeds: int,
    slice_counts: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Any]:
    """Every parameter of the rule: version, levels, thresholds, tests, weights, guards.

    `class_counts` are the benchmark's rows by label, as text, `slice_counts` those of the task's
    slices; they decide which guards can have a margin. Raises TaskError where the task names a
    margin that could not pass although nothing changed, with the rows it needs; a default margin
    becomes a harm test instead. A regression has no classes, and guards of its own.
    """
    decision = task.decision
    methods = Methods(len(task.data.labels), number_of_seeds, task.group_column is not None)
    included = [name for name in METRIC_NAMES if name in task.metrics.included]
    own = sorted(name for name in task.metrics.included if is_own(name))
    included += own
    tests = {n: methods.of_metric(n, primary=n == task.metrics.primary) for n in included}
    tests["delta_one"] = methods.delta_one
    parameters: dict[str, Any] = {
        "version": decision_rule.VERSION,
        "familywise_alpha_pico": scaled_down(decision.familywise_alpha, 10**12),
        "attempts_per_benchmark": decision.attempts_per_benchmark,
        "min_delta_bps": decision.min_delta_bps,
        "min_benchmark_rows": decision.min_benchmark_rows,
        "max_leaked_share_millionths": scaled_down(decision.max_leaked_share, 10**6),
        "primary": task.metrics.primary,
        "included": included,
        "weights": _weights(task, included),
        "number_of_seeds": number_of_seeds,
        "tests": tests,
        "guards": _guards(task, methods, class_counts, slice_counts)
        if task.kind == "classification"
        else number_guards(task, methods, slice_counts),
        "guard_level_millionths": decision_rule.GUARD_LEVEL_MILLIONTHS,
        "expected_discordance_millionths": scaled_down(task.guards.expected_discordance, 10**6),
        "retire": task.benchmark.retire,
        "lineage": task.lineage,
    }
    judged = {*included, *(guard["metric"] for guard in parameters["guards"])}
    losses = [n for n in METRIC_NAMES if n in judged and not METRICS[n].higher_is_better]
    losses += sorted(task.metrics.lower_is_better)
    # Plans without a loss or a metric of one's own stay what they were before there were any.
    if losses:
        parameters["lower_is_better"] = losses
    if own:
        parameters["own_metrics_sha256"] = {name: source_digest(name) for name in own}
    return parameters


def _guards(
    task: Task, methods: Methods, class_counts: Mapping[str, int], slice_counts: Mapping[str, int]
) -> list[dict[str, Any]]:
    discordance = scaled_down(task.guards.expected_discordance, 10**6)
    problems: list[str] = []
    guards: list[dict[str, Any]] = []
    for index, label in enumerate(task.data.labels):
        name = f"{RECALL}{label}"
        rows = class_counts.get(str(label), 0)
        named = task.guards.margins.get(name)
        margin = _margin(named)
        needed = decision_rule.rows_for_margin(margin, discordance)
        if named is not None and rows < needed:
            problems.append(_too_few(name, named, rows, needed))
        guard = {"name": name, "metric": "recall", "class": index, "rows": rows}
        enough = rows >= needed
        guard["method"] = methods.of_guard("recall", of_class=True, margin=enough)
        guards.append(guard | ({"margin_millionths": margin} if enough else {}))
    others = []
    for metric in CLASSIFICATION_METRICS:
        named = task.guards.margins.get(metric)
        if metric == "auroc" or named is None:
            continue
        rows = sum(class_counts.values())
        needed = decision_rule.rows_for_margin(_margin(named), discordance)
        # Only of accuracy it is known beforehand how much it varies between rows.
        if metric == "accuracy" and rows < needed:
            problems.append(_too_few(metric, named, rows, needed))
        others.append(
            {
                "name": metric,
                "metric": metric,
                "method": methods.of_guard(metric, of_class=False, margin=True),
                "applies": "always",
                "margin_millionths": _margin(named),
            }
        )
    for part in task.slices:
        name = f"{SLICE}{part.name}"
        named, rows = task.guards.margins.get(name), slice_counts.get(part.name, 0)
        if named is None:
            continue
        needed = decision_rule.rows_for_margin(_margin(named), discordance)
        if rows < needed:
            problems.append(_too_few(name, named, rows, needed))
        others.append(
            {
                "name": name,
                "metric": "accuracy",
                "slice": part.name,
                "rows": rows,
                "method": methods.of_guard("accuracy", of_class=False, margin=True),
                "applies": "always",
                "margin_millionths": _margin(named),
            }
        )
    if problems:
        raise TaskError(
            f"The guards of the task cannot be kept: {'; '.join(problems)}. Widen the margin, "
            "add benchmark rows, or leave the margin out: a test for harm then takes its place."
        )
    named = task.guards.margins.get("auroc")
    auroc: dict[str, Any] = {
        "name": "auroc",
        "metric": "auroc",
        "method": methods.of_guard("auroc", of_class=False, margin=named is not None),
        # A guard that the task names is owed an answer; the default one needs scores to exist.
        "applies": "where_scored" if named is None else "always",
    }
    if named is not None:
        auroc["margin_millionths"] = _margin(named)
    return [*guards, auroc, *others]


def _too_few(name: str, margin: float, rows: int, needed: int) -> str:
    return (
        f"{name} has a margin of {margin:g} points but {rows:,} benchmark rows; with fewer "
        f"than {needed:,} it could not pass although nothing changed"
    )


def _margin(points: float | None) -> int:
    if points is None:
        return decision_rule.DEFAULT_MARGIN_MILLIONTHS
    return margin_millionths(points)


def _weights(task: Task, included: list[str]) -> dict[str, int]:
    """DeltaOne's weights as the smallest integers of the same proportions."""
    given: Mapping[Any, float] = task.metrics.weights or task.default_weights
    exact = {name: Fraction(Decimal(repr(float(given[name])))) for name in included}
    scale = math.lcm(*(weight.denominator for weight in exact.values()))
    integers = {name: int(weight * scale) for name, weight in exact.items()}
    common = math.gcd(*integers.values())
    integers = {name: weight // common for name, weight in integers.items()}
    if sum(integers.values()) > _LARGEST_INTEGER:
        raise TaskError("metrics.weights have too many digits: use at most six decimals.")
    return integers
