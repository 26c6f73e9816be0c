"""A first look at a file whose task is not written yet: what its columns seem to be.

Works on a bounded sample and decides nothing: writing a task file from a profile stands in
drafting.py, and the guesses in column_types.py and column_roles.py. A profile holds no cell, except
the range of plain numbers and the labels of the target, which a task must list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hokusai_assets.contribution.column_roles import id_of, labels_of, target_of
from hokusai_assets.contribution.column_types import fits, type_of, value_of
from hokusai_assets.contribution.folding import fold
from hokusai_assets.contribution.pii_columns import detector_by_name
from hokusai_assets.contribution.pii_detectors import find
from hokusai_assets.contribution.sampling_files import Cell, Sample
from hokusai_assets.errors import UsageError
from hokusai_assets.task import Column, ColumnRole, ColumnType, Label

# Below so few rows, all values of a column may differ by chance.
_ENOUGH_ROWS = 20


@dataclass(frozen=True)
class ColumnProfile:
    """What the sample says of a column; `distinct` and lengths are of its filled cells.

    `by_name` is the kind of personal data that the column's name announces, `detectors` are those
    met in `personal_cells` cells. The range is known for features of numbers without any. `ignored`
    says why a model cannot learn from the column.
    """

    name: str
    type: ColumnType
    role: ColumnRole
    filled: int
    empty: int
    distinct: int
    shortest: int
    longest: int
    minimum: float | None
    maximum: float | None
    by_name: str | None
    detectors: tuple[str, ...]
    personal_cells: int
    ignored: str | None


@dataclass(frozen=True)
class Profile:
    """All columns in the file's order, and the labels of the one that is the target."""

    columns: tuple[ColumnProfile, ...]
    labels: tuple[Label, ...]
    rows: int
    whole_file: bool
    skipped: int


def profile_sample(sample: Sample, target: str | None = None) -> Profile:
    """Profile a sample; `target` names the column to predict, or the likeliest is chosen.

    Raises UsageError if no column can be the target, or none can be learned from.
    """
    types = {name: type_of(cells) for name, cells in sample.cells.items()}
    chosen = target_of(sample, types, target)
    labels = labels_of(sample, chosen)
    identifier = id_of(sample, chosen)
    columns = []
    for name, cells in sample.cells.items():
        if name == chosen:
            # A label may look like a time or a truth value; a task has it as text all the same.
            whole = types[name] == "integer"
            columns.append(_profile(name, cells, "integer" if whole else "category", "target"))
        elif name == identifier:
            columns.append(_profile(name, cells, "text", "id"))
        else:
            columns.append(_profile(name, cells, types[name], "feature"))
    if not any(column.role == "feature" for column in columns):
        raise UsageError(
            f"Beside the target {chosen!r} and ids, no column of the file can be learned from: "
            "name another target, or add columns."
        )
    return Profile(tuple(columns), labels, sample.rows, sample.whole_file, sample.skipped)


def _profile(
    name: str, cells: Sequence[Cell], column_type: ColumnType, role: ColumnRole
) -> ColumnProfile:
    texts = [text for text, _ in cells if text]
    by_name = None if role == "target" else detector_by_name(Column(name=name, type=column_type))
    found = [{hit.detector for hit in find(fold(text))} for text in texts]
    detectors = tuple(sorted(set().union(*found)))
    personal_cells = sum(map(bool, found))
    ignored = None
    if role == "feature":
        ignored = _why_ignored(cells, column_type, texts, by_name, detectors, personal_cells)
    numbers: list[float] = []
    empty = sum(not text for text, _ in cells)
    if ignored is None and role == "feature":
        values = [value_of(column_type, text, kind) for text, kind in cells]
        empty = sum(value is None for value in values)
        if column_type in {"integer", "number"} and not detectors:
            numbers = [value for value in values if isinstance(value, int | float)]
    return ColumnProfile(
        name=name,
        type=column_type,
        role=role if ignored is None else "ignore",
        filled=len(texts),
        empty=empty,
        distinct=len(set(texts)),
        shortest=min(map(len, texts), default=0),
        longest=max(map(len, texts), default=0),
        minimum=min(numbers, default=None),
        maximum=max(numbers, default=None),
        by_name=by_name,
        detectors=detectors,
        personal_cells=personal_cells,
        ignored=ignored,
    )


def _why_ignored(
    cells: Sequence[Cell],
    column_type: ColumnType,
    texts: Sequence[str],
    by_name: str | None,
    detectors: Sequence[str],
    personal_cells: int,
) -> str | None:
    if by_name:
        return f"personal data by its name: {by_name}"
    if not texts:
        return "empty throughout"
    if 2 * personal_cells >= len(texts):
        return f"personal data in most cells: {', '.join(detectors)}"
    if not fits(column_type, cells):
        return "cells of several kinds, lists or objects, which no type fits"
    codes = len(set(texts)) == len(texts) and not any(" " in text for text in texts)
    if column_type == "text" and codes and len(texts) >= _ENOUGH_ROWS:
        return "every value is different: nothing to learn from"
    return None
