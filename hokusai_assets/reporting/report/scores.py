"""What the report shows class by class and score by score: confusion, per class, ROC, calibration.

Of predicted numbers instead what is predicted of rows with similar labels.

Each is None where delta_output does not tell it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hokusai_assets.reporting.report import words
from hokusai_assets.reporting.report.plots import calibration_dots, line

MODELS = ("baseline", "candidate")
_MOST_CLASSES = 20  # a wider matrix is not read by anybody
_SCORES = ("recall", "precision", "f1_score")


def confusion(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """Both models' matrices, label by prediction, each cell with its share of the label's rows."""
    statistics = output["statistics"]
    labels, tables = statistics.get("labels"), statistics.get("confusion")
    if not labels or not tables or len(labels) > _MOST_CLASSES:
        return None
    return {
        "labels": labels,
        "models": [{"name": model, "rows": _matrix(labels, tables[model])} for model in MODELS],
    }


def per_class(output: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """A row a class: its rows, and each score of baseline and candidate with the difference."""
    found = output["statistics"].get("per_class")
    if not found:
        return None
    return [
        {
            "label": one["label"],
            "rows": words.count(one["rows"]),
            "scores": [
                _pair(one["baseline"].get(score), one["candidate"].get(score)) for score in _SCORES
            ],
        }
        for one in found
    ]


def curves(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """ROC and calibration curves in boxes of 100."""
    found = output["statistics"].get("curves") or {}
    roc, calibration = found.get("roc"), found.get("calibration")
    if not roc and not calibration:
        return None
    return {
        "roc": {model: line(roc[model]) for model in MODELS} if roc else None,
        "auroc": _auroc(output),
        "calibration": {
            model: {
                "line": line(
                    [(b["mean_score"], b["share"]) for b in calibration[model] if b["rows"]]
                ),
                "dots": calibration_dots(calibration[model]),
            }
            for model in MODELS
        }
        if calibration
        else None,
    }


def deciles(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of a regression what is predicted of rows with similar labels: a plot, and a table's rows.

    The plot is in shares of the target's range, the table's labels in the target's own unit.
    """
    statistics = output["statistics"]
    found, target = statistics.get("deciles"), statistics.get("target")
    if not found or not target:
        return None
    low, high = float(target["minimum"]), float(target["maximum"])

    def in_unit(share: float) -> str:
        return words.short(low + share * (high - low))

    return {
        "target": target["column"],
        "range": f"{words.short(low)} to {words.short(high)}",
        "plot": {
            model: {
                "line": line([(b["mean_label"], b["mean_prediction"]) for b in found[model]]),
                "dots": calibration_dots(
                    [
                        {"mean_score": b["mean_label"], "share": b["mean_prediction"], **b}
                        for b in found[model]
                    ]
                ),
            }
            for model in MODELS
        },
        "rows": [
            {
                "labels": f"{in_unit(old['lowest_label'])} to {in_unit(old['highest_label'])}",
                "rows": words.count(old["rows"]),
                "baseline": words.percent(old["mean_error"], 2),
                "candidate": words.percent(new["mean_error"], 2),
                "delta": words.signed(new["mean_error"] - old["mean_error"], points=True),
                "tone": _tone(old["mean_error"] - new["mean_error"]),
            }
            for old, new in zip(found["baseline"], found["candidate"], strict=True)
        ],
    }


def _tone(gain: float) -> str:
    return "even" if not gain else "good" if gain > 0 else "bad"


def _matrix(labels: Sequence[str], table: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    rows = []
    for index, (label, counts) in enumerate(zip(labels, table, strict=True)):
        total = sum(counts)
        rows.append(
            {
                "label": label,
                "cells": [
                    {
                        "count": words.count(n),
                        "share": words.percent(n / total, 0) if total else "",
                        "weight": round(n / total, 3) if total else 0,
                        "right": column == index,
                    }
                    for column, n in enumerate(counts)
                ],
            }
        )
    return rows


def _pair(baseline: float | None, candidate: float | None) -> dict[str, str]:
    known = baseline is not None and candidate is not None
    change = candidate - baseline if known else None  # type: ignore[operator]
    return {
        "baseline": words.value(baseline),
        "candidate": words.value(candidate),
        "delta": words.signed(change, points=True),
        "tone": _tone(change or 0.0),
    }


def _auroc(output: Mapping[str, Any]) -> dict[str, str] | None:
    delta = output["delta_computation"]["metric_deltas"].get("auroc")
    if delta is None:
        return None
    return {
        "baseline": words.value(delta["baseline_value"]),
        "candidate": words.value(delta["new_value"]),
    }
