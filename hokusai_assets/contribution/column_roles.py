"""Which column is the target, which the id: guesses from names and from how many values differ.

The target's labels must stand in the task file, and they are the only cells that ever do: a column
of personal data is therefore no target, even if somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from hokusai_assets.contribution.column_types import MAX_LABEL_LENGTH, WHOLE, type_of
from hokusai_assets.contribution.folding import fold
from hokusai_assets.contribution.pii_columns import detector_by_name, words
from hokusai_assets.contribution.pii_detectors import find
from hokusai_assets.contribution.rows import Kind
from hokusai_assets.contribution.sampling_files import Sample
from hokusai_assets.errors import UsageError
from hokusai_assets.task import Column, ColumnType, Label

MAX_LABELS = 20
_ID_WORDS = {"id", "ids", "uuid", "guid", "key"}
# The surest first: a score may be a feature, a label hardly.
_TARGET_WORDS = ("label", "target", "class", "outcome", "sentiment", "rating", "score", "y")


def target_of(sample: Sample, types: Mapping[str, ColumnType], named: str | None) -> str:
    """The column to predict: the one `named`, or the likeliest; raises UsageError if none is."""
    if named is not None:
        if named not in types:
            raise UsageError(
                f"The file has no column {named!r}: name one of {', '.join(sample.names)}."
            )
        return named
    able = [
        name
        for name, cells in sample.cells.items()
        if types[name] in {"category", "integer", "boolean"}
        and 2 <= len({text for text, _ in cells if text}) <= MAX_LABELS
        and not _is_personal(name)
    ]
    for word in _TARGET_WORDS:
        for name in able:
            if word in words(name):
                return name
    # By habit the answer stands last; small integers are more often counts.
    categories = [name for name in able if types[name] != "integer"]
    if not categories:
        raise UsageError(
            "No column looks like a target (few different values, called a label or a category): "
            "name it with --target."
        )
    return categories[-1]


def labels_of(sample: Sample, target: str) -> tuple[Label, ...]:
    """The target's labels in order; raises UsageError if they cannot be a task's."""
    cells = sample.cells[target]
    texts = {text for text, _ in cells if text}
    if _is_personal(target) or any(find(fold(text)) for text in texts):
        raise UsageError(
            f"Column {target!r} holds personal data and cannot be the target: its labels would "
            "stand in the task file."
        )
    if not 2 <= len(texts) <= MAX_LABELS or max(map(len, texts)) > MAX_LABEL_LENGTH:
        raise UsageError(
            f"Column {target!r} has {len(texts):,} different values in the sample; a target has 2 "
            f"to {MAX_LABELS} labels of at most {MAX_LABEL_LENGTH} characters. A file that is "
            "sorted by label must be shuffled first. A number to predict has no labels, and its "
            "task is written by hand: type number, with minimum and maximum."
        )
    if type_of(cells) == "integer":
        return tuple(sorted({int(text) for text in texts}))
    if any(kind is not Kind.TEXT for text, kind in cells if text):
        raise UsageError(
            f"Column {target!r} cannot be the target: labels are texts or whole numbers. Write its "
            "values as texts; of a number to predict, write the task by hand: type number, with "
            "minimum and maximum, and no labels."
        )
    return tuple(sorted(texts))


def id_of(sample: Sample, target: str) -> str | None:
    """The first column that is called an id and whose cells are all filled and all differ."""
    for name, cells in sample.cells.items():
        said = words(name)
        texts = {text for text, _ in cells if text}
        # As text, where digits are told from numbers: 1.50 would be refused as an id.
        able = all(kind is Kind.TEXT or WHOLE.fullmatch(text or "") for text, kind in cells)
        if name != target and said and said[-1] in _ID_WORDS and able and len(texts) == sample.rows:
            return name
    return None


def _is_personal(name: str) -> bool:
    return detector_by_name(Column(name=name, type="text")) is not None
