"""The sections of the core that follow from rows and rule, built once for building and recounting.

Integers and text only: metrics and deltas in millionths, errors and bounds in 1e-9, probabilities
in 1e-12 rounded up, degrees of freedom in 1e-3 rounded down.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from hokusai_assets import scoring
from hokusai_assets.decision_rule import GuardFacts
from hokusai_assets.records import DeltaOne, JointCount, MetricDelta, ReportedInterval
from hokusai_assets.scoring.number_intervals import BOOTSTRAP_AND_INFLUENCE

# Drawn from resamples, so that nobody computes it by hand: stands in delta_output only.
_RESAMPLED = ("bootstrap_percentile", BOOTSTRAP_AND_INFLUENCE)


def joint_count_section(tables: Sequence[Sequence[JointCount]]) -> list[list[list[int]]]:
    """Non-zero [label, baseline, candidate, rows], one list a pair of seeds."""
    return [
        [[cell.label, cell.baseline, cell.candidate, cell.count] for cell in table]
        for table in tables
    ]


def metric_section(delta: MetricDelta) -> dict[str, Any]:
    """One metric of both models and their difference."""
    return {
        "baseline_millionths": delta.baseline.millionths,
        "candidate_millionths": delta.candidate.millionths,
        "delta_millionths": delta.delta_millionths,
        "standard_error_nano": delta.standard_error_nano,
        "p_value_pico": delta.p_value_pico,
        "interval": interval_section(delta.interval),
        "method": delta.method,
        "undefined": delta.undefined,
    }


def delta_one_section(
    found: DeltaOne, primary: str, joint: list[list[list[int]]], clusters: int | None
) -> dict[str, Any]:
    """DeltaOne with its error as measured (s) and as it were if nothing had changed (s0)."""
    return {
        "millionths": found.millionths,
        "standard_error_nano": found.standard_error_nano,
        "null_standard_error_nano": _null_error_nano(found, primary, joint, clusters),
        "degrees_of_freedom_milli": found.degrees_of_freedom_milli,
        "p_value_pico": found.p_value_pico,
        "interval": interval_section(found.interval),
        "metrics_included": list(found.metrics_included),
        "metrics_missing": dict(found.metrics_missing),
        "weights_millionths": dict(found.weights_millionths),
        "undefined": found.undefined,
    }


def guard_sections(guards: Sequence[GuardFacts]) -> list[dict[str, Any]]:
    """What was measured for each guard, in the rule's order."""
    return [dataclasses.asdict(guard) for guard in guards]


def interval_section(interval: ReportedInterval | None) -> dict[str, Any] | None:
    """A two-sided 95 % interval in closed form; None for one from resamples."""
    if interval is None or interval.method in _RESAMPLED:
        return None
    return {
        "low_nano": interval.low_nano,
        "high_nano": interval.high_nano,
        "method": interval.method,
    }


def _null_error_nano(
    found: DeltaOne, primary: str, joint: list[list[list[int]]], clusters: int | None
) -> int | None:
    """s0: of accuracy alone, one training and independent rows sqrt(b + c) / n, otherwise s."""
    counted = list(found.metrics_included) == ["accuracy"] == [primary]
    if found.standard_error_nano is None or not counted or clusters is not None or len(joint) != 1:
        return found.standard_error_nano
    rows = sum(cell[3] for cell in joint[0])
    discordant = sum(n for y, before, after, n in joint[0] if (before == y) != (after == y))
    return scoring.nano(math.sqrt(discordant) / rows)
