"""How good a contribution looks: a score in [0, 1] with its parts, for people and never for money.

Each part is a share with its definition; the score is their mean. A part that cannot be computed is
null, says why, and is left out of the mean. How labels and columns are judged stands in
label_noise.py and drift.py; both look at a sample of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai_assets import second_process
from hokusai_assets.contribution import drift, label_noise
from hokusai_assets.contribution.manifest import StoredRows
from hokusai_assets.records import CleaningCounts, Quality, QualityPart
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

DIGITS = 6  # shares are shown, not computed with

DEFINITIONS = {
    "completeness": "filled cells / all cells of the feature columns, over the kept rows",
    "validity": "rows that fit the task's schema / rows read",
    "uniqueness": "rows whose content was not there already / rows that fit the schema",
    "label_balance": (
        "1 - total variation distance between the shares of labels in the kept rows and in the "
        "base data; of a target that is a number, between those of tenths of its range"
    ),
    "label_noise": (
        "1 - share of kept rows whose label looks wrong, by confident learning (cleanlab) with a "
        f"linear model out of fold, on at most {label_noise.SAMPLE_ROWS:,} rows of contribution "
        f"and base, of labels with {label_noise.MIN_ROWS_OF_LABEL} kept rows or more; rows that "
        "are hard to tell count as wrong in part, so compare it with base's own value"
    ),
    "drift": (
        "1 - mean over the feature columns of the Jensen-Shannon distance (logarithms to base 2) "
        f"between kept rows and base, on at most {drift.SAMPLE_ROWS:,} rows of each; numbers by "
        "deciles of base, categories by value, text by words and by length; empty cells are a bin"
    ),
}

NO_BASE = "the base data are not here"
SAMPLE_ROWS = max(label_noise.SAMPLE_ROWS, drift.SAMPLE_ROWS)


@dataclass(frozen=True)
class Samples:
    """Rows to look at: the first kept ones, and base's, if base is known."""

    ours: pa.Table
    base: pa.Table | None
    learn: bool = True  # whether a model may be fitted for the label noise
    # drift.column_distances of the two, where it was begun elsewhere.
    distances: Callable[[], dict[str, float | None]] | None = None


def assess(
    stored: StoredRows,
    base_labels: Mapping[Any, int] | None,
    counts: CleaningCounts,
    task: Task,
    samples: Samples,
) -> Quality:
    """The quality of a cleaned contribution; `base_labels`, if known, is what base holds."""
    cells = stored.rows * len(task.features)
    empty = sum(stored.null_counts[c.name] for c in task.features)
    fitting = counts.read - counts.rejected
    parts = (
        _part("completeness", _share(cells - empty, cells), "no row was kept"),
        _part("validity", _share(fitting, counts.read), "no row was read"),
        _part(
            "uniqueness", _share(fitting - counts.deduplicated, fitting), "no row fits the schema"
        ),
        _part(
            "label_balance",
            _label_balance(stored.label_counts, base_labels or {}),
            "no row was kept" if base_labels else NO_BASE,
        ),
        _label_noise(samples, task),
        _drift(samples, task),
    )
    known = [part.value for part in parts if part.value is not None]
    score = round(sum(known) / len(known), DIGITS) if known else 0.0
    return Quality(score=score, parts=parts)


def _part(name: str, value: float | None, reason: str | None, **more: Any) -> QualityPart:
    return QualityPart(
        name=name,
        value=_rounded(value),
        definition=DEFINITIONS[name],
        reason=reason if value is None else None,
        **more,
    )


def _label_noise(samples: Samples, task: Task) -> QualityPart:
    if task.kind == "regression":  # nothing is fitted, so no second process need start
        noise = label_noise.estimate(samples.ours, samples.base, task)
        return _part("label_noise", None, noise.reason)
    if not samples.learn:
        return _part("label_noise", None, "no model was to be fitted")
    noise = second_process.call(label_noise.estimate, samples.ours, samples.base, task)
    return _part(
        "label_noise", _rest(noise.share), noise.reason, base_value=_rest(noise.base_share)
    )


def _drift(samples: Samples, task: Task) -> QualityPart:
    if samples.base is None:
        return _part("drift", None, NO_BASE)
    if samples.distances is None:
        found = drift.column_distances(samples.ours, samples.base, task)
    else:
        found = samples.distances()
    told = [found[c.name] for c in task.features]
    distances = [distance for distance in told if distance is not None]
    return _part(
        "drift",
        1 - sum(distances) / len(distances) if distances else None,
        f"contribution or base has fewer than {drift.MIN_ROWS} rows",
        columns={name: _rounded(distance) for name, distance in found.items()},
    )


def _rest(share: float | None) -> float | None:
    return None if share is None else _rounded(1 - share)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _label_balance(ours: Mapping[Any, int], theirs: Mapping[Any, int]) -> float | None:
    if not ours or not theirs:
        return None
    our_rows, their_rows = sum(ours.values()), sum(theirs.values())
    # Sorted, because a sum of floats depends on its order.
    distance = sum(
        abs(ours.get(label, 0) / our_rows - theirs.get(label, 0) / their_rows)
        for label in sorted(ours.keys() | theirs.keys(), key=str)
    )
    return 1 - distance / 2
