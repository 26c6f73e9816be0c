"""From leaves and the plan's rule back to the core's numbers, by the code of the pipeline.

Counts, metrics and deltas must match exactly; standard errors, bounds and p values within one
unit, since sums of floats depend on their order. A metric of the task's own cannot be computed
from leaves, nor what is averaged with it; that is said of each and not passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hokusai_assets.attestation.canonical import composed
from hokusai_assets.attestation.measured import (
    delta_one_section,
    guard_sections,
    joint_count_section,
    metric_section,
)
from hokusai_assets.attestation.rows.reading import OpenedRows
from hokusai_assets.errors import AttestationError
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.comparing import compare_metric
from hokusai_assets.scoring.deltas import deltas_of, joint_counts
from hokusai_assets.scoring.number_intervals import intervals_of
from hokusai_assets.scoring.prediction_lines import prediction_cells, predictions_digest
from hokusai_assets.task import is_own

_WITHIN_ONE = ("_nano", "_pico", "_milli")


@dataclass(frozen=True)
class Recount:
    """What leaves say, in the form of the core, and what they cannot say, with the reason.

    `sections` holds parts of a core; keys of `not_recounted` name fields, such as
    "metrics.module:function".
    """

    sections: dict[str, Any]
    not_recounted: dict[str, str]


def recount(opened: OpenedRows, core: Mapping[str, Any], rule: Mapping[str, Any]) -> Recount:
    """The core's numbers from its rows; of `core` only the labels' names are used.

    Raises AttestationError where core or rule are not of their form.
    """
    try:
        return _recount(opened, list(core["benchmark"]["labels"]), rule)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise AttestationError(
            f"The rows cannot be recounted: core.benchmark.labels or plan.rule are not of their "
            f"form, or not of these rows ({type(error).__name__})."
        ) from error


def _recount(opened: OpenedRows, names: Sequence[str | int], rule: Mapping[str, Any]) -> Recount:
    rows, classes = opened.rows, len(names)
    if rows.pairs() != rule["number_of_seeds"]:
        raise ValueError("the rows are of another number of seeds than the plan")
    if ("cluster" in rule["tests"]["delta_one"]) != (rows.clusters is not None):
        raise ValueError("the rows have groups and the rule has none, or the other way round")
    own = [name for name in rule["included"] if is_own(name)]
    compared = [compare_metric(n, rows, names) for n in rule["included"] if not is_own(n)]
    measured = deltas_of(compared, rows, names, rule, intervals_of(rows, classes, draw=False))
    joint = joint_count_section(joint_counts(rows, classes))
    sections: dict[str, Any] = {
        "rows": {"root": opened.root, "count": opened.count},
        "benchmark": {"rows": rows.row_count, "clusters": rows.cluster_count},
        "joint_counts": joint,
        "predictions_digests": {
            "baseline": _digest(rows.baseline, classes),
            "candidate": _digest(rows.candidate, classes),
        },
        "metrics": {delta.metric: metric_section(delta) for delta in measured.deltas},
        "guards": guard_sections(measured.guards),
    }
    missing = {
        f"metrics.{name}": "a metric of the task's own does not follow from leaves" for name in own
    }
    if any(rule["weights"][name] for name in own):
        missing["delta_one"] = "a metric of the task's own, which leaves do not hold, has a weight"
    else:
        sections["delta_one"] = delta_one_section(
            measured.delta_one, rule["primary"], joint, rows.cluster_count
        )
    return Recount(composed(sections), missing)


def differences(core: Mapping[str, Any], found: Recount) -> list[str]:
    """Where the core says something else than its rows, one line a field."""
    problems = section_differences(core, found.sections, "core")
    named = set(core["metrics"]) if isinstance(core.get("metrics"), Mapping) else set()
    unknown = named - set(found.sections["metrics"])
    problems += [
        f"core.metrics.{name} is no included metric of the plan's rule"
        for name in sorted(unknown)
        if f"metrics.{name}" not in found.not_recounted
    ]
    return problems


def section_differences(said: Any, counted: Any, field: str) -> list[str]:
    """Where what is said at `field` is not what was counted, one line a field."""
    return list(_differences(said, counted, field))


def _differences(said: Any, counted: Any, field: str) -> Iterator[str]:
    if isinstance(counted, dict):
        if not isinstance(said, Mapping):
            yield f"{field} is missing or no object"
            return
        for key, item in counted.items():
            if key not in said:
                yield f"{field}.{key} is missing"
            else:
                yield from _differences(said[key], item, f"{field}.{key}")
    elif isinstance(counted, list) and isinstance(said, list) and len(counted) == len(said):
        for index, (one, other) in enumerate(zip(said, counted, strict=True)):
            yield from _differences(one, other, f"{field}[{index}]")
    elif not _equal(said, counted, field):
        shown = "another list" if isinstance(counted, list) else repr(counted)
        yield f"{field} does not follow from the rows, which say {shown}"


def _equal(said: Any, counted: Any, field: str) -> bool:
    if type(said) is int and type(counted) is int and field.endswith(_WITHIN_ONE):
        return abs(said - counted) <= 1
    return type(said) is type(counted) and bool(said == counted)


def _digest(predictions: Predictions, classes: int) -> str:
    return predictions_digest(prediction_cells(predictions, scores=True, classes=classes))
