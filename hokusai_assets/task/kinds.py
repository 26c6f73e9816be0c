"""Which kind of task it is, what that changes of the defaults, and the scale of a number target.

Everything past cleaning has a regression's target as a whole number of millionths of its scale,
maximum - minimum (scoring/target_scale.py computes them). Errors are then shares of a range that
the task states, and points and basis points mean the same as of any other metric: 100 bps are 1 %
of the range.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

TaskKind = Literal["classification", "regression"]

# What a regression says where its task file is silent; of a classification the sections' own
# defaults hold. r2's unit is the labels' variance, which no task states, so it weighs nothing in
# DeltaOne, of which a point is a hundredth of the range.
REGRESSION_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "metrics": {"primary": "mae", "included": ("mae", "rmse", "r2")},
    "model": {"estimator": "ridge_regression"},
}
REGRESSION_WEIGHTS: Mapping[str, float] = {"mae": 1.0, "rmse": 1.0, "r2": 0.0}


def kind_of(target_type: str, labels: Any) -> TaskKind:
    """A task is a regression if its target is a number, or whole numbers that are no labels."""
    if target_type == "number" or (target_type == "integer" and not labels):
        return "regression"
    return "classification"


def with_defaults(raw: Any) -> Any:
    """A task as plain data, with the defaults of a regression where it is one and is silent."""
    if not isinstance(raw, Mapping) or not _says_regression(raw):
        return raw
    filled = dict(raw)
    for section, defaults in REGRESSION_DEFAULTS.items():
        given = raw.get(section, {})
        if isinstance(given, Mapping):
            filled[section] = {**defaults, **given}
    return filled


def _says_regression(raw: Mapping[str, Any]) -> bool:
    columns, data = raw.get("columns"), raw.get("data")
    if not isinstance(columns, list | tuple) or not isinstance(data, Mapping):
        return False
    targets = [c for c in columns if isinstance(c, Mapping) and c.get("role") == "target"]
    types = {kind_of(str(c.get("type")), data.get("labels")) for c in targets}
    return types == {"regression"}


@dataclass(frozen=True)
class TargetScale:
    """The range of a regression's target: the least and the greatest accepted number."""

    minimum: float
    maximum: float

    @property
    def width(self) -> float:
        """maximum - minimum, in the target's unit."""
        return self.maximum - self.minimum

    def body(self) -> dict[str, str]:
        """As it stands in digested records: plain decimal text, since these hold no floats."""
        return {
            "minimum": plain_decimal(self.minimum),
            "maximum": plain_decimal(self.maximum),
        }


def plain_decimal(value: float) -> str:
    """The shortest decimal that is this double, without an exponent; 4.0 is 4, and -0.0 is 0."""
    return format(decimal.Decimal(repr(value + 0.0)).normalize(), "f")
