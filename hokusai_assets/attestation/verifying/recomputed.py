"""A core against one that was computed again from the data.

Labels, predictions and counts must be equal. Scores, and predictions that are numbers, may differ
by one millionth: their last bits differ between processors, and where one falls on the border of
two millionths it rounds the other way. What follows from them then differs too, and each side's
follows from its own rows, which is the step before this one; so only they need a tolerance.
Versions of packages may differ and are told.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hokusai_assets.attestation.canonical import composed
from hokusai_assets.attestation.rows.reading import OpenedRows
from hokusai_assets.attestation.rows.recount import section_differences
from hokusai_assets.attestation.verifying.outcome import Step
from hokusai_assets.scoring import Predictions
from hokusai_assets.task import is_own

NAME = "recompute"
SCORE_TOLERANCE = 1  # millionths
# A millionth in the unit that a field's name ends with.
_MILLIONTH = {"_millionths": 1, "_nano": 10**3, "_pico": 10**6, "_milli": 1}

_VERSIONS = ("package_versions", "constraints_sha256")
_FROM_SCORES = ("rows", "predictions_digests", "metrics", "delta_one", "guards")


def compare(
    core: Mapping[str, Any],
    again: Mapping[str, Any],
    rows: OpenedRows | None,
    rows_again: OpenedRows,
) -> Step:
    """The step `recompute`: `again` and `rows_again` are recomputed, `rows` None if not opened."""
    problems = []
    for field in sorted({*core, *again} - {*_VERSIONS, *_FROM_SCORES}):
        problems += _field_differences(core, again, field)
    if problems:
        return _differs(problems)
    moved = 0
    if rows is not None:
        numbers = not again["benchmark"]["labels"]
        problem, moved = _moved_scores(rows, rows_again, numbers=numbers)
        if problem is not None:
            return _differs([problem])
    if not moved:
        for field in _FROM_SCORES:
            problems += _field_differences(core, again, field)
        if problems and rows is None:
            problems.append("the rows are not opened, so that scores cannot be compared")
        if problems:
            return _differs(problems)
    elif problems := _own_differences(core, again):
        return _differs(problems)
    versions = _versions_sentence(core, again)
    if moved:
        return Step(NAME, "holds", f"Equal within tolerance ({moved:,} scores).{versions}")
    return Step(NAME, "holds", f"Equal.{versions}")


def _field_differences(core: Mapping[str, Any], again: Mapping[str, Any], field: str) -> list[str]:
    if field not in core or field not in again:
        return [f"core.{field} stands on one side only"]
    said, found = composed(core[field]), composed(again[field])
    return section_differences(said, found, f"core.{field}")


def _own_differences(core: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Where metrics of the task's own are further apart than a millionth.

    Those alone no step before this one has counted again, and where a score has moved the other
    metrics need not be equal. What is averaged with one has not been counted either.
    """
    own = {name for name in {*core["metrics"], *again["metrics"]} if is_own(name)}
    problems = []
    for name in sorted(own):
        if name not in core["metrics"] or name not in again["metrics"]:
            problems.append(f"core.metrics.{name} stands on one side only")
        else:
            said, found = core["metrics"][name], again["metrics"][name]
            problems += _apart(said, found, f"core.metrics.{name}")
    if own:
        problems += _apart(core["delta_one"], again["delta_one"], "core.delta_one")
    return problems


def _apart(said: Any, found: Any, field: str) -> list[str]:
    if isinstance(said, Mapping) and isinstance(found, Mapping) and set(said) == set(found):
        return [
            line for name in said for line in _apart(said[name], found[name], f"{field}.{name}")
        ]
    unit = next((size for end, size in _MILLIONTH.items() if field.endswith(end)), 0)
    near = type(said) is int and type(found) is int and abs(said - found) <= unit
    same = type(said) is type(found) and bool(said == found)
    return [] if near or same else [f"{field} is not, recomputed, {found!r}"]


def _differs(problems: list[str]) -> Step:
    first, *more = (
        f"{problem.replace('does not follow from the rows, which say', 'is not, recomputed,')}."
        for problem in problems
    )
    return Step(NAME, "differs", first, tuple(more))


def _moved_scores(one: OpenedRows, other: OpenedRows, *, numbers: bool) -> tuple[str | None, int]:
    """What differs beyond tolerance, or how many scores differ within it."""
    mine, theirs = one.rows, other.rows
    if one.count != other.count or not np.array_equal(mine.truth, theirs.truth):
        return "the rows' labels are not those recomputed", 0
    if not np.array_equal(_or_none(mine.clusters), _or_none(theirs.clusters)):
        return "the rows' groups are not those recomputed", 0
    if [name for name, _ in mine.slices] != [name for name, _ in theirs.slices] or not all(
        np.array_equal(said, found)
        for (_, said), (_, found) in zip(mine.slices, theirs.slices, strict=True)
    ):
        return "the rows' guarded slices are not those recomputed", 0
    moved = 0
    pairs = {
        "baseline": (mine.baseline, theirs.baseline),
        "candidate": (mine.candidate, theirs.candidate),
    }
    for model, (said, found) in pairs.items():
        problem, count = _moved(said, found, numbers=numbers)
        if problem is not None:
            return f"the {model}'s {problem}", 0
        moved += count
    return None, moved


def _or_none(clusters: Any) -> Any:
    """Groups in a form that arrays are compared in; none are unlike any."""
    return np.array([-1]) if clusters is None else clusters


def _moved(said: Predictions, found: Predictions, *, numbers: bool) -> tuple[str | None, int]:
    if said.labels.shape != found.labels.shape:
        return "predictions are of another number of seeds", 0
    # A number predicted is rounded as a score is, and differs where one does.
    most = SCORE_TOLERANCE if numbers else 0
    distance = np.abs(said.labels - found.labels)
    wrong = np.flatnonzero((distance > most).any(axis=0))
    if len(wrong):
        return f"predictions differ on {len(wrong):,} rows, the first of them {wrong[0]}", 0
    if numbers:
        return None, int(np.count_nonzero(distance))
    if (said.scores is None) is not (found.scores is None):
        return "scores stand on one side only", 0
    if said.scores is None or found.scores is None:
        return None, 0
    if said.scores.shape != found.scores.shape:
        return "scores are of another shape", 0
    apart = np.abs(said.scores - found.scores)
    far = int(np.count_nonzero(apart > SCORE_TOLERANCE))
    if far:
        return f"scores differ by more than {SCORE_TOLERANCE} millionth, {far:,} of them", 0
    return None, int(np.count_nonzero(apart))


def _versions_sentence(core: Mapping[str, Any], again: Mapping[str, Any]) -> str:
    theirs, ours = core["package_versions"], again["package_versions"]
    other = [
        f"{name} {theirs.get(name)} (here {ours.get(name)})"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]
    return f" Other versions: {', '.join(other)}." if other else ""
