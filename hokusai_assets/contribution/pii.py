"""Treatment of personal data: what is done with each hit, and the table afterwards.

Every text cell of the kept columns is searched, ids and groups included, whatever the column is
called; closed lists (labels, allowed texts) are the task's own words and are not. Columns that
hold such data by name are treated whole. Nothing is random: a keyed hash, or a constant where no
key is given. What is found where stands in pii_detectors.py and pii_columns.py.
"""

from __future__ import annotations

import difflib
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hokusai_assets.contribution.folding import fold, fold_column
from hokusai_assets.contribution.pii_columns import detector_by_name
from hokusai_assets.contribution.pii_detectors import (
    DETECTORS,
    PREFILTER,
    TOKEN,
    Hit,
    as_engine_reads,
    find,
    finders_again,
    finders_for,
    mask,
    rewrite_once,
)
from hokusai_assets.contribution.rows import FIRST_ROWS, Renumber, counted, take_rows
from hokusai_assets.errors import ContributionError, TaskError
from hokusai_assets.records import PiiCount
from hokusai_assets.tables import in_one
from hokusai_assets.task import Column, PiiAction, Task

if TYPE_CHECKING:
    import pyarrow as pa

_KEY_ID = b"hokusai/pii/key-id/v1"
_HASH_BYTES = 16


def key_id(key: bytes) -> str:
    """What names a key without telling it: HMAC-SHA256 of a constant, as hex."""
    return hmac.new(key, _KEY_ID, hashlib.sha256).hexdigest()


Found = dict[tuple[str, str, PiiAction], set[int]]


@dataclass
class PiiTally:
    """What was found: cells and first row numbers by column, detector and action; never a value.

    `origins` tells, for columns whose values must stay apart, of how many different values each
    masked one was made: by SHA-256, since the values themselves must not outlive their cells.
    """

    cells: dict[tuple[str, str, PiiAction], int] = field(default_factory=dict)
    first_rows: dict[tuple[str, str, PiiAction], list[int]] = field(default_factory=dict)
    origins: dict[str, dict[str, set[bytes]]] = field(default_factory=dict)

    def include(self, other: PiiTally) -> None:
        """Add what was found in later rows of the same file."""
        for key, cells in other.cells.items():
            self.cells[key] = self.cells.get(key, 0) + cells
            known = self.first_rows.setdefault(key, [])
            known.extend(other.first_rows[key][: FIRST_ROWS - len(known)])
        for column, origins in other.origins.items():
            known_origins = self.origins.setdefault(column, {})
            for new, old in origins.items():
                known_origins.setdefault(new, set()).update(old)

    def counts(self) -> tuple[PiiCount, ...]:
        """For the manifest."""
        return tuple(
            PiiCount(column=column, detector=detector, action=action, cells=cells)
            for (column, detector, action), cells in sorted(self.cells.items())
        )

    def refuse(self, file: str, number: Renumber = list) -> None:
        """Raise ContributionError where the task wants such files refused, or where masking made
        groups or merge keys equal that were not."""
        parts = []
        for (column, detector, action), cells in sorted(self.cells.items()):
            if action == "reject":
                first = ", ".join(map(str, number(self.first_rows[column, detector, action])))
                parts.append(
                    f"column {column!r}: {detector} in {counted(cells, 'cell')} "
                    f"(first rows: {first})"
                )
        if parts:
            raise ContributionError(
                f"The file {file} is refused because the task accepts no such personal data: "
                f"{'; '.join(parts)}. Remove it from these rows."
            )
        for name, origins in self.origins.items():
            merged = sum(len(olds) for olds in origins.values() if len(olds) > 1)
            if merged:
                raise ContributionError(
                    f"The file {file} is refused: column {name!r} tells rows apart by personal "
                    f"data, and masking makes {merged:,} of its values equal. Set HOKUSAI_PII_KEY "
                    "so that they are hashed instead, or use a column without personal data."
                )


@dataclass(frozen=True)
class Treated:
    """The treated table, which of the given rows it holds, and what was found."""

    table: pa.Table
    kept: Sequence[int]
    tally: PiiTally

    @property
    def counts(self) -> tuple[PiiCount, ...]:
        """For the manifest."""
        return self.tally.counts()


@dataclass(frozen=True)
class Policy:
    """The task's actions and the operator's key, which never shows in a repr."""

    task: Task
    key: bytes | None

    def __post_init__(self) -> None:
        for name in self.task.privacy.detectors:
            if name not in DETECTORS:
                near = difflib.get_close_matches(name, DETECTORS, 1)
                raise TaskError(
                    f"privacy.detectors names {name!r}, which is no detector; "
                    + (f"did you mean {near[0]!r}?" if near else f"known: {', '.join(DETECTORS)}.")
                )

    def __repr__(self) -> str:
        return f"Policy({self.sentence!r})"

    @property
    def sentence(self) -> str:
        """What the manifest says about it."""
        if self.key is None:
            return (
                "Found by pattern, checksum and column name. No key was given: what the task wants "
                "hashed was masked by a constant such as [EMAIL]."
            )
        return (
            "Found by pattern, checksum and column name. What the task wants hashed is an "
            f"HMAC-SHA256 of 128 bits under the key with id {key_id(self.key)}."
        )

    def action(self, column: Column, detector: str) -> PiiAction:
        """What is done with this detector's hits in this column: hash only if there is a key."""
        privacy = self.task.privacy
        wanted = column.pii or privacy.detectors.get(detector) or privacy.action
        return "mask" if wanted == "hash" and self.key is None else wanted

    def token(self, action: PiiAction, detector: str, canonical: str) -> str:
        """What stands in the value's place: the same value gives the same token everywhere."""
        if action != "hash" or self.key is None:
            return mask(detector)
        message = detector.encode() + b"\x00" + canonical.encode()
        digest = hmac.digest(self.key, message, "sha256")[:_HASH_BYTES]
        return f"[{detector.upper()}:{digest.hex()}]"


def treat(table: pa.Table, numbers: Sequence[int], policy: Policy, file: str) -> Treated:
    """treat_part of a whole file; raises ContributionError where its tally says so."""
    treated = treat_part(table, numbers, policy)
    treated.tally.refuse(file)
    return treated


def treat_part(table: pa.Table, numbers: Sequence[int], policy: Policy) -> Treated:
    """Treat the text cells of typed rows; `numbers` are the rows' numbers in their file.

    What must refuse the file is for the whole of it to say (PiiTally.refuse). Raises TaskError for
    a column that cannot hold a token.
    """
    import pyarrow as pa

    found: Found = {}
    tally = PiiTally()
    columns: dict[str, pa.Array] = {}
    for column in policy.task.kept_columns:
        cells = table.column(column.name)
        if column.role == "target" or column.allowed is not None:
            columns[column.name] = cells
        elif column.type in {"text", "category"}:
            columns[column.name], changed = _treat_texts(column, in_one(cells), policy, found)
            if _tells_apart(column, policy.task):
                tally.origins[column.name] = _origins(changed)
        else:
            columns[column.name] = _treat_whole_column(column, cells, policy, found)
    drop = {row for (_, _, action), rows in found.items() if action == "drop_row" for row in rows}
    kept: Sequence[int] = range(table.num_rows)
    if drop:
        kept = [row for row in kept if row not in drop]
    treated = pa.table(columns)
    for key, rows in found.items():
        tally.cells[key] = len(rows)
        tally.first_rows[key] = [numbers[row] for row in sorted(rows)[:FIRST_ROWS]]
    return Treated(take_rows(treated, kept) if drop else treated, kept, tally)


def _treat_texts(
    column: Column, cells: pa.Array, policy: Policy, found: Found
) -> tuple[pa.Array, list[tuple[str, str]]]:
    """The treated cells, and what changed: each old text with its new one."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    by_name = detector_by_name(column)
    if by_name is not None:
        new = _treated_whole(column, by_name, cells, policy, found)
    else:
        new = _treated_spans(column, cells, policy, found)
    if not new:
        return cells, []
    places = sorted(new)
    old = cells.take(pa.array(places, pa.int64())).to_pylist()
    mask = np.zeros(len(cells), bool)
    mask[places] = True
    texts = [new[place] for place in places]
    treated = pc.replace_with_mask(cells, pa.array(mask), pa.array(texts, pa.string()))
    return treated, list(zip(old, texts, strict=True))


def _treated_whole(
    column: Column, detector: str, cells: pa.Array, policy: Policy, found: Found
) -> dict[int, str]:
    """The new texts, by position, of a column whose name says that each cell is personal."""
    action = policy.action(column, detector)
    new: dict[int, str] = {}
    for row, text in enumerate(cells.to_pylist()):
        if not text or TOKEN.fullmatch(text):
            continue
        found.setdefault((column.name, detector, action), set()).add(row)
        if action in {"hash", "mask"}:
            new[row] = policy.token(action, detector, _whole_canonical(text, detector))
    return new


def _treated_spans(column: Column, cells: pa.Array, policy: Policy, found: Found) -> dict[int, str]:
    """The new texts, by position, of cells in which something was replaced.

    Looked at again until nothing more is found, as pii_detectors.rewrite does; here the engine
    says whether another look is worth it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    folded = fold_column(cells)
    suspicious = pc.indices_nonzero(
        pc.fill_null(pc.match_substring_regex(as_engine_reads(folded), PREFILTER), False)
    )
    rows = suspicious.to_pylist()
    texts, looks = cells.take(suspicious).to_pylist(), folded.take(suspicious)
    new: dict[int, str] = {}
    recorder = _Recorder(column, policy, found)
    finders = finders_for
    while rows:
        changed: dict[int, str] = {}
        for row, text, look, among in zip(
            rows, texts, looks.to_pylist(), finders(looks), strict=True
        ):
            if among:
                recorder.row = row
                written = rewrite_once(text, look, recorder, among)
                if written != text:
                    changed[row] = written
        new |= changed
        rows, texts = list(changed), list(changed.values())
        looks = fold_column(pa.array(texts, pa.string()))
        finders = finders_again
    return new


def _tells_apart(column: Column, task: Task) -> bool:
    """Whether rows with another value here are other groups, or other rows to update."""
    is_key = task.merge.strategy == "update" and task.merge.key == column.name
    return column.role == "group" or is_key


def _origins(changed: Sequence[tuple[str, str]]) -> dict[str, set[bytes]]:
    """Masks make all e-mail addresses one; hashes of spellings of one value may well agree."""
    origins: dict[str, set[bytes]] = {}
    for old, new in changed:
        if any(":" not in token for token in _tokens(new)):
            origins.setdefault(new, set()).add(hashlib.sha256(old.encode()).digest())
    return origins


class _Recorder:
    """Notes each hit of a column's cell, that of `row`, and says what replaces it."""

    def __init__(self, column: Column, policy: Policy, found: Found) -> None:
        self.row = -1
        self._column = column
        self._policy = policy
        self._found = found
        self._of_detector: dict[str, tuple[PiiAction, set[int]]] = {}

    def __call__(self, hit: Hit) -> str | None:
        known = self._of_detector.get(hit.detector)
        if known is None:
            action = self._policy.action(self._column, hit.detector)
            rows = self._found.setdefault((self._column.name, hit.detector, action), set())
            known = self._of_detector[hit.detector] = (action, rows)
        action, rows = known
        rows.add(self.row)
        if action not in {"hash", "mask"}:
            return None
        return self._policy.token(action, hit.detector, hit.canonical)


def _whole_canonical(text: str, detector: str) -> str:
    """The form that a span of the same value in running text would have."""
    folded = " ".join(fold(text).split())
    hits = find(folded)
    if [(hit.detector, hit.start, hit.end) for hit in hits] == [(detector, 0, len(folded))]:
        return hits[0].canonical
    return folded.casefold()


def _treat_whole_column(
    column: Column,
    cells: pa.ChunkedArray,
    policy: Policy,
    found: Found,
) -> pa.ChunkedArray:
    """A column of numbers or times that is personal by its name: null instead of a token."""
    import pyarrow as pa
    import pyarrow.compute as pc

    by_name = detector_by_name(column)
    if by_name is None:
        return cells
    action = policy.action(column, by_name)
    if action in {"hash", "mask"} and not column.nullable:
        raise TaskError(
            f"Column {column.name!r} holds personal data by its name, and a {column.type} cannot "
            "be masked: make it nullable, give it the type text, or set its pii to keep or "
            "drop_row."
        )
    rows = pc.indices_nonzero(pc.is_valid(cells)).to_pylist()
    if rows:
        found.setdefault((column.name, by_name, action), set()).update(rows)
    return pa.nulls(len(cells), cells.type) if action in {"hash", "mask"} else cells


def _tokens(text: str) -> list[str]:
    return [match[0] for match in TOKEN.finditer(text)]
