"""How good a contribution looks: a score in [0, 1] with its parts, for people and never for money.

Each part is a share with its definition; the score is their mean. A part that has nothing to
divide by is left out of the mean, and its value is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hokusai_assets.contribution.manifest import StoredRows
from hokusai_assets.records import CleaningCounts, Quality, QualityPart
from hokusai_assets.task import Task

DIGITS = 6  # shares are shown, not computed with

DEFINITIONS = {
    "completeness": "filled cells / all cells of the feature columns, over the kept rows",
    "validity": "rows that fit the task's schema / rows read",
    "uniqueness": "rows whose content was not there already / rows that fit the schema",
    "label_balance": (
        "1 - total variation distance between the shares of labels in the kept rows and in the "
        "base data"
    ),
}


def assess(
    stored: StoredRows, base_labels: Mapping[Any, int] | None, counts: CleaningCounts, task: Task
) -> Quality:
    """The quality of a cleaned contribution; `base_labels`, if known, is what base holds."""
    cells = stored.rows * len(task.features)
    empty = sum(stored.null_counts[c.name] for c in task.features)
    fitting = counts.read - counts.rejected
    values = {
        "completeness": _share(cells - empty, cells),
        "validity": _share(fitting, counts.read),
        "uniqueness": _share(fitting - counts.deduplicated, fitting),
        "label_balance": _label_balance(stored.label_counts, base_labels or {}),
    }
    known = [value for value in values.values() if value is not None]
    return Quality(
        score=round(sum(known) / len(known), DIGITS) if known else 0.0,
        parts=tuple(
            QualityPart(
                name=name,
                value=None if value is None else round(value, DIGITS),
                definition=DEFINITIONS[name],
            )
            for name, value in values.items()
        ),
    )


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
