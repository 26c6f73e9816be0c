"""What a contributor may know about a file before it is evaluated: cleaned alike, told in words.

The cleaning is the evaluation's own. What it says is not: every count here is taken with no
benchmark, as if there were none. Counts add up to the rows read, so a single one taken after the
benchmark was matched would tell by subtraction how many rows stand in it, and a contributor could
ask until the benchmark is known. Leakage comes from a second cleaning, of which one word leaves
this module: below or above the share that the task accepts. It is not told apart whether no row
leaks, and of few rows it is not told at all (told_from), so that no single row decides the word.
The word is a bit all the same; who validates for strangers must limit how often they may ask.
Writing the cleaned rows stands in fixing.py; the records in validation.py; what people see, in
reporting/.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.contribution.references import load_base, load_whole_benchmark
from hokusai_assets.contribution.remedies import Refusal, refusal_of, remedy_for
from hokusai_assets.contribution.rows import Count
from hokusai_assets.contribution.validation import (
    Leakage,
    Problem,
    ValidatedFile,
    Validation,
    ValidationCounts,
)
from hokusai_assets.errors import ContributionError, ReferenceDataError
from hokusai_assets.files import is_url
from hokusai_assets.records import (
    BaseDataset,
    CleanContribution,
    CleaningCounts,
    ContributedDataset,
    ContributionSource,
)
from hokusai_assets.task import Task

Progress = Callable[[str], None]

CLEANED = "cleaned"
_ROOTS = ("content_root_received", "content_root_usable")
# Cleaning wants to know whose file it is. Here nobody is named, and errors lose the name again.
_NOBODY = ContributionSource(path="", contributor_id="nobody", wallet_address="")


def validate(
    path: str,
    task: Task,
    *,
    key: bytes | None,
    base_path: str | None = None,
    benchmark_path: str | None = None,
    folder: str | Path,
    progress: Progress = lambda phase: None,
    count: Count = lambda rows, share: None,
) -> Validation:
    """Clean one file as an evaluation would and say what came of it.

    Without a base or a benchmark (None) what needs them is not checked, and the result says so.
    `folder` is a local folder for scratch files; unless the file is refused, the usable rows are
    left in `folder`/CLEANED. `progress` hears of each phase, `count` how many rows were read so
    far, and about which share of the file that is. Raises UsageError for a file that cannot be
    read, TaskError, and ReferenceDataError if base or benchmark cannot be used.
    """
    base = None
    if base_path is not None:
        progress("reading the base data")
        base = load_base(base_path, task, key=key, folder=str(Path(folder, "base")))
    progress("reading and cleaning")
    source = _NOBODY.model_copy(update={"path": path})
    try:
        cleaned = clean_contributions(
            [source],
            task,
            base,
            None,
            key=key,
            folder=Path(folder, CLEANED),
            count=count,
        )
    except ContributionError as error:
        return _refused(path, task, base, refusal_of(str(error), _NOBODY.contributor_id))
    leakage: Leakage = "not checked"
    if benchmark_path is not None:
        leakage = "not told"
        least = told_from(task)
        if least is not None and cleaned.row_count >= least:
            progress("looking for rows that stand in the benchmark")
            leakage = _leakage(source, task, base, benchmark_path, cleaned, key=key, folder=folder)
    return _accepted(cleaned.contributions[0], task, base, leakage)


def told_from(task: Task) -> int | None:
    """Of how many usable rows on leakage is told: the least of which one row is no more than the
    accepted share. Of fewer, one row alone would make the word "above", and so be told to stand in
    the benchmark. None where the task accepts no leaked row: there one row always decides.
    """
    accepted = Fraction(repr(task.decision.max_leaked_share))
    return math.ceil(1 / accepted) if accepted else None


def _leakage(
    source: ContributionSource,
    task: Task,
    base: BaseDataset | None,
    benchmark_path: str,
    cleaned: ContributedDataset,
    *,
    key: bytes | None,
    folder: str | Path,
) -> Leakage:
    """One word about the rows of `cleaned` that stand in the benchmark."""
    try:
        benchmark = load_whole_benchmark(
            benchmark_path, task, key=key, folder=str(Path(folder, "benchmark"))
        )
    except ReferenceDataError:
        # Its message counts and numbers the benchmark's rows; `from None` keeps them out of traces.
        raise ReferenceDataError(
            "The benchmark that the task names cannot be used. Its operator learns why from "
            "`hokusai evaluate`."
        ) from None
    counts = cleaned.contributions[0].counts
    try:
        again = clean_contributions(
            [source],
            task,
            base,
            benchmark,
            key=key,
            folder=Path(folder, "unleaked"),
            assessed=False,
        )
        leaked, distinct = again.leaked_share
    except ContributionError:
        # The same cleaning succeeded without the benchmark: every row stands in it, or its group
        # does. An evaluation would stop; why must not be told, since one row asks for one group.
        leaked = distinct = counts.kept
    # The decision rule's comparison, in its integers, so that both say the same of any file.
    limit = math.floor(Fraction(repr(task.decision.max_leaked_share)) * 10**6)
    return "below" if leaked * 10**6 <= limit * distinct else "above"


def _accepted(
    made: CleanContribution,
    task: Task,
    base: BaseDataset | None,
    leakage: Leakage,
) -> Validation:
    manifest, counts = made.manifest, made.counts
    valid = leakage != "above"
    return Validation(
        task_id=task.id,
        valid=valid,
        verdict=_verdict(counts, task, valid),
        file=ValidatedFile.model_validate(manifest.source.model_dump(exclude={"modified"})),
        refusal=None,
        counts=ValidationCounts(
            read=counts.read,
            rejected=counts.rejected,
            dropped_pii=counts.dropped_pii,
            duplicates_within=counts.duplicates_within,
            duplicates_of_base=None if base is None else counts.duplicates_of_base,
            duplicates_normalised=counts.duplicates_normalised,
            duplicates_near=counts.duplicates_near,
            usable=counts.kept,
            conflicts=counts.conflicts,
        ),
        problems=tuple(
            Problem(**r.model_dump(), remedy=remedy_for(r.reason)) for r in manifest.rejections
        ),
        pii=manifest.pii,
        pii_policy=manifest.pii_policy,
        dropped_columns=manifest.dropped_columns,
        quality=manifest.quality,
        near_method=manifest.near_method,
        content_root_received=made.content_root_received,
        content_root_usable=made.content_root_cleaned,
        base_checked=base is not None,
        base_sentence=_base_sentence(base),
        leakage=leakage,
        leakage_sentence=_leakage_sentence(leakage, task, base is not None),
    )


def _refused(path: str, task: Task, base: BaseDataset | None, refusal: Refusal) -> Validation:
    local = None if is_url(path) else Path(path)
    nothing: dict[str, Any] = dict.fromkeys(
        ("counts", "pii_policy", "quality", "near_method", *_ROOTS)
    )
    return Validation(
        task_id=task.id,
        valid=False,
        verdict="Not valid: the file is refused. Correct what is listed and validate again.",
        file=ValidatedFile(
            name=mask_text(path.rstrip("/").rsplit("/", 1)[-1]),
            size_bytes=local.stat().st_size if local is not None else None,
            format=None,
            encoding=None,
        ),
        refusal=refusal,
        problems=(),
        pii=(),
        dropped_columns=(),
        base_checked=base is not None,
        base_sentence=_base_sentence(base),
        leakage="not checked",
        leakage_sentence="Leakage was not checked: the file is refused.",
        **nothing,
    )


def _verdict(counts: CleaningCounts, task: Task, valid: bool) -> str:
    if not valid:
        return (
            f"Not valid: more than {_limit(task)} of the rows stand in the benchmark"
            f"{_or_groups(task)}, so no gain would count. Send rows from another source."
        )
    if counts.kept == counts.read:
        return "Valid: every row can be used. Nothing needs to be done."
    return (
        "Valid, but not every row can be used. Send it as it is, or correct what is listed first."
    )


def _base_sentence(base: BaseDataset | None) -> str:
    if base is None:
        return "Duplicates of base data were not checked: the base data are not here."
    return "Duplicates of base data were checked."


def _leakage_sentence(leakage: Leakage, task: Task, with_base: bool) -> str:
    if leakage == "not checked":
        return "Leakage was not checked: the benchmark is not here."
    if leakage == "not told":
        least = told_from(task)
        of = "a task that accepts none" if least is None else f"fewer than {least:,} usable rows"
        return (
            f"Leakage is not told of {of}: it would say of a single row whether it stands in the "
            "benchmark."
        )
    other = _or_groups(task) if leakage == "above" else ""
    # Repeats of base leave the rows that the share is of, and near numbers are told by base's.
    less = "" if with_base else " The base data are not here; with them the share can be larger."
    return f"Rows that stand in the benchmark: {leakage} {_limit(task)}{other}.{less}"


def _or_groups(task: Task) -> str:
    """What else the worst word may mean where rows of the benchmark's groups leave too."""
    if task.group_column is None:
        return ""
    return f", or every {task.group_column.name} does"


def _limit(task: Task) -> str:
    return f"{100 * task.decision.max_leaked_share:g} %"
