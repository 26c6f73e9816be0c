"""A first task file from a profile: TOML that loads, with a comment wherever it guessed.

Says only what a profile says (profiling.py); the labels are the one thing in it that stands in
cells, because a task must list them. Limits that were merely seen are comments: the next file may
hold a larger number and be right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from hokusai_assets.contribution.pii_detectors import mask_text
from hokusai_assets.contribution.profiling import Profile
from hokusai_assets.contribution.rows import counted


def draft_task(profile: Profile, file_stem: str) -> str:
    """The text of a task file; `file_stem` gives it its id, unless that names somebody."""
    return "\n".join([*_head(profile, file_stem), *_columns(profile), *_tail()]) + "\n"


def sample_words(profile: Profile) -> str:
    """Which rows the profile is of."""
    which = "all" if profile.whole_file else "the first"
    skipped = f"; {profile.skipped:,} more could not be read" if profile.skipped else ""
    return f"{which} {profile.rows:,} rows{skipped}"


def _head(profile: Profile, file_stem: str) -> Iterator[str]:
    labels = ", ".join(_toml(label) for label in profile.labels)
    yield f"# Drafted from {sample_words(profile)}. Check every line: what is right for a sample"
    yield "# can be wrong for the next file."
    yield "task_schema = 1"
    yield f"id = {_toml(task_id(file_stem))}"
    yield "seed = 42"
    yield ""
    yield "[data]"
    yield 'base = "base.csv"             # rows that the baseline was trained on'
    yield 'benchmark = "benchmark.csv"   # rows that both models are scored on; never published'
    yield f"labels = [{labels}]   # class order; of two, the second is the positive class"


def _columns(profile: Profile) -> Iterator[str]:
    for column in profile.columns:
        yield ""
        yield "[[columns]]"
        yield f"name = {_toml(column.name)}"
        if column.ignored is not None:
            yield 'type = "text"'
            yield f'role = "ignore"   # {column.ignored}'
            yield "required = false"
            continue
        yield f'type = "{column.type}"'
        yield f'role = "{column.role}"'
        if column.empty and column.role == "target":
            yield f"# empty cells: {column.empty:,}; rows without a label are rejected"
        elif column.empty:
            yield f"nullable = true   # empty cells: {column.empty:,}"
        if column.minimum is not None and column.maximum is not None:
            yield f"# minimum = {column.minimum!r}   # the least that was seen"
            yield f"# maximum = {column.maximum!r}   # the most that was seen"
        if column.personal_cells or column.by_name:
            kinds = ", ".join(column.detectors) or str(column.by_name)
            yield f'pii = "hash"   # {kinds} in {counted(column.personal_cells, "cell")}'


def _tail() -> Iterator[str]:
    yield ""
    yield "[model]"
    yield 'estimator = "logistic_regression"'
    yield ""
    yield "[metrics]"
    yield 'primary = "accuracy"'
    yield ""
    yield "[decision]"
    yield "min_delta_bps = 100         # a gain below one point is not accepted"
    yield "min_benchmark_rows = 2000"


def task_id(file_stem: str) -> str:
    """An id that a task may have, from a file's name."""
    words = re.sub(r"[^a-z0-9]+", "-", mask_text(file_stem).lower()).strip("-")
    return words[:64] or "task"


def _toml(value: str | int) -> str:
    """A TOML string or integer; JSON's escapes are TOML's, except that TOML refuses a bare DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
