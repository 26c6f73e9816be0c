"""The rule of a plan against what version 1 of the rule fixes, whatever a task says.

A task chooses metrics, weights, margins and levels. It does not choose which test judges a metric,
leave out a guard, or make a metric primary whose test errs too often. A plan that does is followed
to the letter by every number of the core, so that only its rule can be refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hokusai_assets import decision_rule
from hokusai_assets.attestation.bundle import CORE, PLAN
from hokusai_assets.scoring import METRICS
from hokusai_assets.scoring.methods import GUARDED_NUMBERS, OF_NUMBER_SLICES, Methods
from hokusai_assets.task import TaskKind, is_own
from hokusai_assets.task.metrics import metrics_of, primary_problem


def rule_problems(core: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    """Where the rule is none of version 1 for these labels, seeds and groups."""
    labels = core["benchmark"]["labels"]
    methods = Methods(
        len(labels), rule["number_of_seeds"], core["benchmark"]["clusters"] is not None
    )
    yield from _metric_problems(rule, methods)
    yield from _guard_problems(core, rule, methods)
    if rule["guard_level_millionths"] != decision_rule.GUARD_LEVEL_MILLIONTHS:
        yield f"{PLAN}: rule.guard_level_millionths is not {decision_rule.GUARD_LEVEL_MILLIONTHS:,}"


def _metric_problems(rule: Mapping[str, Any], methods: Methods) -> Iterator[str]:
    included, primary = rule["included"], rule["primary"]
    kind: TaskKind = "classification" if methods.classes else "regression"
    judged = {*included, *(guard["metric"] for guard in rule["guards"])}
    others = [n for n in judged if not is_own(n) and n not in metrics_of(kind)]
    if others:
        yield f"{PLAN}: rule names {', '.join(sorted(others))}, no metrics of a {kind}"
        return
    if len(set(included)) != len(included) or primary not in included:
        yield f"{PLAN}: rule.included names a metric twice, or not the primary one"
    if primary_problem(primary, methods.classes) is not None:
        yield f"{PLAN}: rule.primary cannot be {primary}, whose test may err too often"
    losses = rule.get("lower_is_better", [])
    turned = [
        name
        for name in judged
        if not is_own(name) and (name in losses) is METRICS[name].higher_is_better
    ]
    if turned:
        yield f"{PLAN}: rule.lower_is_better is wrong about {', '.join(sorted(turned))}"
    due = {name: methods.of_metric(name, primary=name == primary) for name in included}
    due["delta_one"] = methods.delta_one
    for name, method in due.items():
        if rule["tests"].get(name) != method:
            yield f"{PLAN}: rule.tests.{name} must be {method}"
    if set(rule["tests"]) != set(due) or set(rule["weights"]) != set(included):
        yield f"{PLAN}: rule.tests or rule.weights are of other metrics than rule.included"
    if any(weight < 0 for weight in rule["weights"].values()):
        yield f"{PLAN}: rule.weights are negative"


def _guard_problems(
    core: Mapping[str, Any], rule: Mapping[str, Any], methods: Methods
) -> Iterator[str]:
    guards, labels = rule["guards"], core["benchmark"]["labels"]
    names = [guard["name"] for guard in guards]
    if len(set(names)) != len(names):
        yield f"{PLAN}: rule.guards name one twice"
    due = {f"recall:{label}" for label in labels} | {"auroc"} if labels else {*GUARDED_NUMBERS}
    due -= set() if labels else {rule["primary"]}
    for name in sorted(due - set(names)):
        yield f"{PLAN}: rule.guards lack {name}"
    for guard, found in zip(guards, core["guards"], strict=True):
        if (problem := _guard_problem(guard, rule, labels, methods, due)) is not None:
            yield f"{PLAN}: rule.guards: {guard['name']} {problem}"
        elif guard.get("rows", found["rows"]) != found["rows"]:
            yield f"{PLAN}: rule.guards: {guard['name']} has other rows than in {CORE}"


def _guard_problem(
    guard: Mapping[str, Any],
    rule: Mapping[str, Any],
    labels: list[Any],
    methods: Methods,
    due: set[str],
) -> str | None:
    """What is wrong with one guard, or None."""
    metric, margin = guard["metric"], "margin_millionths" in guard
    name: str = metric
    applies: str | None = "always"
    if "class" in guard:
        if not (labels and 0 <= guard["class"] < len(labels)) or "slice" in guard:
            return "is of no class"
        name, applies, metric = f"recall:{labels[guard['class']]}", None, "recall"
    elif "slice" in guard:
        name, metric = f"slice:{guard['slice']}", "accuracy" if labels else OF_NUMBER_SLICES
    elif metric == "auroc" and not margin:
        applies = "where_scored"
    if (guard["name"], guard["metric"], guard.get("applies")) != (name, metric, applies):
        return f"must be {name}, of {metric}, and apply {applies or 'without a condition'}"
    method = methods.of_guard(metric, of_class="class" in guard, margin=margin)
    if guard["method"] != method:
        return f"must be judged by {method}"
    if margin:
        return None
    if name not in due:
        return "has no margin"
    needed = decision_rule.rows_a_class_needs(rule["expected_discordance_millionths"])
    if "class" in guard and guard["rows"] >= needed:
        return f"has {needed:,} rows or more, and no margin"
    return None
