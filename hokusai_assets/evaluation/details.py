"""What a page shows beside the deltas: tables by class, and the curves behind the scores.

Of the first seed, whose model is the one released. For people; no decision depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hokusai_assets import scoring
from hokusai_assets.records import CalibrationBin, ClassScores, ErrorBin, ModelDetails
from hokusai_assets.scoring import MILLION, Undefined
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.task import Label

BINS = 10
CURVE_POINTS = 101


def details_of(rows: ScoredRows, names: Sequence[Label]) -> tuple[ModelDetails, ModelDetails]:
    """Of the baseline and of the candidate."""
    return tuple(  # type: ignore[return-value]
        _of_model(rows.truth, *model.of_seed(0), names) for model in (rows.baseline, rows.candidate)
    )


def _of_model(truth: Any, labels: Any, scores: Any, names: Sequence[Label]) -> ModelDetails:
    if not names:
        deciles = _deciles(truth, labels)
        return ModelDetails(confusion=(), classes=(), roc=None, calibration=None, deciles=deciles)
    table = scoring.confusion(truth, labels, len(names))
    binary = scores is not None and len(names) == 2
    return ModelDetails(
        confusion=tuple(tuple(row) for row in table.tolist()),
        classes=tuple(_class(table, index, names) for index in range(len(names))),
        roc=_roc(truth == 1, scores[:, -1]) if binary else None,
        calibration=_calibration(truth, labels, scores, binary) if scores is not None else None,
    )


def _deciles(truth: Any, predicted: Any) -> tuple[ErrorBin, ...]:
    """What is predicted of rows with similar labels: tenths of the rows, equal labels together."""
    inner = np.quantile(truth, np.linspace(0, 1, BINS + 1)[1:-1], method="lower")
    places = np.searchsorted(np.unique(inner), truth, side="left")
    found = []
    for place in np.unique(places).tolist():
        label, said = truth[places == place], predicted[places == place]
        found.append(
            ErrorBin(
                lowest_label=int(label.min()) / MILLION,
                highest_label=int(label.max()) / MILLION,
                rows=len(label),
                mean_label=round(float(label.mean()) / MILLION, 6),
                mean_prediction=round(float(said.mean()) / MILLION, 6),
                mean_error=round(float(np.abs(label - said).mean()) / MILLION, 6),
            )
        )
    return tuple(found)


def _class(table: Any, index: int, names: Sequence[Label]) -> ClassScores:
    values = {
        metric: scoring.class_value(metric, table, index, names)
        for metric in ("precision", "recall", "f1_score")
    }
    return ClassScores(
        label=names[index],
        rows=int(table[index].sum()),
        **{m: None if isinstance(v, Undefined) else float(v) for m, v in values.items()},
    )


def _roc(positive: Any, scores: Any) -> tuple[tuple[float, float], ...] | None:
    """False and true positive rates at falling thresholds, at most CURVE_POINTS of them."""
    inside, outside = int(positive.sum()), int((~positive).sum())
    if not inside or not outside:
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(positive[order])
    # A threshold lies between two different scores only.
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    false, true = (ends + 1 - hits[ends]) / outside, hits[ends] / inside
    points = np.array([[0.0, 0.0], *zip(false.tolist(), true.tolist(), strict=True)])
    if len(points) > CURVE_POINTS:
        # Evenly along the curve: its steep part would lose its shape on an even grid of rates.
        along = np.concatenate([[0], np.cumsum(np.abs(np.diff(points, axis=0)).sum(axis=1))])
        wanted = np.linspace(0, along[-1], CURVE_POINTS)
        points = points[np.unique(np.searchsorted(along, wanted).clip(0, len(points) - 1))]
    return tuple((round(x, 4), round(y, 4)) for x, y in points.tolist())


def _calibration(truth: Any, labels: Any, scores: Any, binary: bool) -> tuple[CalibrationBin, ...]:
    """How often what was said with a probability was so, in bins of equal width.

    With two classes of the positive class's probability; with more, of the class predicted.
    """
    if binary:
        said, came = scores[:, -1], truth == 1
    else:
        said, came = scores[np.arange(len(labels)), labels], truth == labels
    places = np.minimum(said * BINS // MILLION, BINS - 1)
    bins = []
    for place in np.unique(places).tolist():
        among = places == place
        bins.append(
            CalibrationBin(
                mean_score=round(float(said[among].mean()) / MILLION, 6),
                share=round(float(came[among].mean()), 6),
                rows=int(among.sum()),
            )
        )
    return tuple(bins)
