"""Which of a file's columns the task wants: names matched, and refused when they do not fit.

Names of a file's own columns are shown only after masking, since a file without a header has a
row of data in its place.
"""

import collections
import unicodedata
from collections.abc import Sequence

from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.contribution.rows import counted
from hokusai_assets.errors import ContributionError
from hokusai_assets.task import Task


def normalised(name: str) -> str:
    """A column's name as it is compared: NFC, since editors differ in it."""
    return unicodedata.normalize("NFC", name)


def required_names(task: Task) -> tuple[str, ...]:
    """The columns that a file must have."""
    return tuple(c.name for c in task.kept_columns if c.required)


def match_columns(
    names: Sequence[str], task: Task, file: str, what: str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Positions of the task's kept columns in `names`, and the other names, masked.

    `what` describes the names' place in errors, such as "its header". Raises ContributionError
    naming every required column that is missing, or columns that come twice.
    """
    if len(names) > task.reading.max_columns:
        raise ContributionError(
            f"The file {file} is refused: {what} has {len(names):,} columns, more than the "
            f"accepted {task.reading.max_columns:,}. Send the task's columns only, or raise "
            "max_columns under [reading] in the task."
        )
    found = [normalised(name) for name in names]
    kept = {normalised(c.name): c.name for c in task.kept_columns}
    missing = [name for name in required_names(task) if normalised(name) not in found]
    if missing:
        raise ContributionError(
            f"The file {file} lacks the required {_listing(missing)}: {what} has "
            f"{counted(len(names), 'column')}, {sum(n in kept for n in found)} of which the task "
            "knows. Add what is missing, or check the header and the delimiter."
        )
    twice = [name for name, count in collections.Counter(found).items() if count > 1]
    if twice:
        known = [repr(kept[name]) for name in twice if name in kept]
        raise ContributionError(
            f"The file {file} has {counted(len(twice), 'column name')} more than once"
            + (f" ({', '.join(known)})" if known else "")
            + ": give every column a name of its own."
        )
    positions = {kept[name]: index for index, name in enumerate(found) if name in kept}
    dropped = tuple(sorted(mask_text(name) for name in found if name not in kept))
    return positions, dropped


def _listing(names: Sequence[str]) -> str:
    quoted = ", ".join(map(repr, names))
    return f"column{'' if len(names) == 1 else 's'} {quoted}"
