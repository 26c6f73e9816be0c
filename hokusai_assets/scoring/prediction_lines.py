"""Predictions as canonical text: what leaves hold of a model, and the digest over all rows.

Written by hand and not by a JSON library, because a million rows are; of integers the text is the
same (RFC 8785, section 3.2.2.3), which a test holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hokusai_assets.scoring.metrics import Predictions
from hokusai_assets.scoring.registry import METRICS

_AT_ONCE = 20_000  # rows whose text is held


def needs_scores(rule: Mapping[str, Any]) -> bool:
    """Whether an included metric or a guard of the rule cannot be computed from labels alone.

    Of metrics of the task's own nothing is known; they cannot be recounted from rows anyway.
    """
    named = [*rule["included"], *(guard["metric"] for guard in rule["guards"])]
    return any(METRICS[name].needs == "scores" for name in named if name in METRICS)


def prediction_cells(predictions: Predictions, *, scores: bool, classes: int) -> Iterator[str]:
    """The text `[[prediction, scores...] per seed]` of each row, in the rows' order.

    Predictions are class indices, scores millionths: of the positive class with two classes, of
    all in label order with more, of none without `scores` or for a model without probabilities.
    """
    rows = predictions.labels.shape[1]
    for start in range(0, rows, _AT_ONCE):
        stop = min(start + _AT_ONCE, rows)
        seeds = []
        for seed in range(predictions.seeds):
            labels, given = predictions.of_seed(seed)
            columns = [labels[start:stop].tolist()]
            if scores and given is not None:
                used = given[start:stop, -1:] if classes == 2 else given[start:stop]
                columns += used.T.tolist()
            seeds.append([",".join(map(str, row)) for row in zip(*columns, strict=True)])
        for parts in zip(*seeds, strict=True):
            yield "[[" + "],[".join(parts) + "]]"


def predictions_digest(cells: Iterable[str]) -> str:
    """The SHA-256, as hex, over one line a row in leaf order, each with a line feed.

    A line is the canonical JSON of [index from 0, the row's cell]: it follows from the leaves.
    """
    digest = hashlib.sha256()
    for index, cell in enumerate(cells):
        digest.update(f"[{index},{cell}]\n".encode())
    return digest.hexdigest()
