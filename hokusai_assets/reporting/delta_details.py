"""What delta_output tells beside the deltas: tables by class and curves, or errors by decile.

Of the first seed's models; none of it decides anything.
"""

from typing import Any

from hokusai_assets.records import DeltaReport

_SHARES_OF_RANGE = ("mae", "rmse")
_OF_CLASS = {"precision", "recall", "f1_score"}


def in_target_units(report: DeltaReport) -> dict[str, dict[str, float]] | None:
    """The errors of a regression as they are in its target's unit."""
    if report.target_range is None:
        return None
    width = float(report.target_range.maximum) - float(report.target_range.minimum)
    return {
        d.metric: {
            "baseline_value": d.baseline.value * width,
            "new_value": d.candidate.value * width,
            "absolute_delta": d.delta * width,
        }
        for d in report.deltas
        if d.metric in _SHARES_OF_RANGE
        and d.delta is not None
        and d.baseline.value is not None
        and d.candidate.value is not None
    }


def details(report: DeltaReport) -> dict[str, Any]:
    """Tables and curves of both models' first seeds."""
    models = {"baseline": report.baseline_details, "candidate": report.candidate_details}
    pairs = zip(*(model.classes for model in models.values()), strict=True)
    return {
        "labels": [scores.label for scores in report.baseline_details.classes],
        "confusion": {name: [list(row) for row in m.confusion] for name, m in models.items()},
        "per_class": [
            {
                "label": before.label,
                "rows": before.rows,
                "baseline": before.model_dump(include=_OF_CLASS),
                "candidate": after.model_dump(include=_OF_CLASS),
            }
            for before, after in pairs
        ],
        "deciles": {name: [one.model_dump() for one in m.deciles] for name, m in models.items()}
        if report.target_range is not None
        else None,
        "curves": {
            "roc": _both({name: m.roc for name, m in models.items()}),
            "calibration": _both(
                {
                    name: m.calibration and [b.model_dump() for b in m.calibration]
                    for name, m in models.items()
                }
            ),
        },
    }


def _both(curves: dict[str, Any]) -> dict[str, Any] | None:
    return None if None in curves.values() else curves
