"""How good a contribution looks: a score in [0, 1] with its parts, for people and never for money.

Each part is a share with its definition; the score is their mean. A part that has nothing to
divide by is left out of the mean, and its value is null.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

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
        "base data"
    ),
}


def assess(
    table: pa.Table, base: pa.Table | None, counts: CleaningCounts, task: Task
) -> Quality:
    """The quality of a cleaned contribution, with `base`, if any, to compare its labels with."""
    empty = sum(table.column(c.name).null_count for c in task.features)
    fitting = counts.read - counts.rejected
    values = {
        "completeness": _share(
            table.num_rows * len(task.features) - empty, table.num_rows * len(task.features)
        ),
        "validity": _share(fitting, counts.read),
        "uniqueness": _share(fitting - counts.deduplicated, fitting),
        "label_balance": _label_balance(
            table.column(task.target.name).to_pylist(),
            [] if base is None else base.column(task.target.name).to_pylist(),
        ),
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


def _label_balance(labels: list[object], base_labels: list[object]) -> float | None:
    if not labels or not base_labels:
        return None
    ours, theirs = Counter(labels), Counter(base_labels)
    # Sorted, because a sum of floats depends on its order.
    distance = sum(
        abs(ours[label] / len(labels) - theirs[label] / len(base_labels))
        for label in sorted(ours.keys() | theirs.keys(), key=str)
    )
    return 1 - distance / 2
