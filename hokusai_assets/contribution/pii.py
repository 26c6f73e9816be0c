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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai_assets.contribution.folding import fold
from hokusai_assets.contribution.pii_columns import detector_by_name
from hokusai_assets.contribution.pii_detectors import (
    DETECTORS,
    PREFILTER,
    TOKEN,
    Hit,
    find,
    mask,
    rewrite,
)
from hokusai_assets.contribution.rows import FIRST_ROWS, counted, take_rows
from hokusai_assets.errors import ContributionError, TaskError
from hokusai_assets.records import PiiCount
from hokusai_assets.task import Column, PiiAction, Task

if TYPE_CHECKING:
    import pyarrow as pa

_KEY_ID = b"hokusai/pii/key-id/v1"
_HASH_BYTES = 16


def key_id(key: bytes) -> str:
    """What names a key without telling it: HMAC-SHA256 of a constant, as hex."""
    return hmac.new(key, _KEY_ID, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Treated:
    """The treated table, which of the given rows it holds, and what was found."""

    table: pa.Table
    kept: list[int]
    counts: tuple[PiiCount, ...]


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
        digest = hmac.new(self.key, message, hashlib.sha256).digest()[:_HASH_BYTES]
        return f"[{detector.upper()}:{digest.hex()}]"


def treat(table: pa.Table, numbers: Sequence[int], policy: Policy, file: str) -> Treated:
    """Treat the text cells of a typed table; `numbers` are its rows' numbers in `file`.

    Raises ContributionError where the task wants such files refused, or where masking would make
    distinct groups or merge keys equal, and TaskError for a column that cannot hold a token.
    """
    import pyarrow as pa

    found: dict[tuple[str, str, PiiAction], set[int]] = {}
    columns: dict[str, pa.Array] = {}
    for column in policy.task.kept_columns:
        cells = table.column(column.name)
        if column.role == "target" or column.allowed is not None:
            columns[column.name] = cells
        elif column.type in {"text", "category"}:
            texts = _treat_texts(column, cells, policy, found)
            _refuse_merged(column, cells.to_pylist(), texts, policy, file)
            columns[column.name] = pa.array(texts, pa.string())
        else:
            columns[column.name] = _treat_whole_column(column, cells, policy, found)
    _refuse_rejected(found, numbers, file)
    drop = {row for (_, _, action), rows in found.items() if action == "drop_row" for row in rows}
    kept = [row for row in range(table.num_rows) if row not in drop]
    treated = pa.table(columns)
    counts = tuple(
        PiiCount(column=column, detector=detector, action=action, cells=len(rows))
        for (column, detector, action), rows in sorted(found.items())
    )
    return Treated(take_rows(treated, kept) if drop else treated, kept, counts)


def _treat_texts(
    column: Column,
    cells: pa.ChunkedArray,
    policy: Policy,
    found: dict[tuple[str, str, PiiAction], set[int]],
) -> list[str | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts: list[str | None] = cells.to_pylist()
    by_name = detector_by_name(column)
    if by_name is not None:
        for row, text in enumerate(texts):
            if text and not TOKEN.fullmatch(text):
                action = policy.action(column, by_name)
                found.setdefault((column.name, by_name, action), set()).add(row)
                if action in {"hash", "mask"}:
                    texts[row] = policy.token(action, by_name, _whole_canonical(text, by_name))
        return texts
    folded = pa.array([None if text is None else fold(text) for text in texts], pa.string())
    suspicious = pc.match_substring_regex(folded, PREFILTER)
    for row in pc.indices_nonzero(pc.fill_null(suspicious, False)).to_pylist():
        original = texts[row]
        assert original is not None
        texts[row] = rewrite(original, _Recorder(column, policy, found, row))
    return texts


@dataclass(frozen=True)
class _Recorder:
    """Notes each hit of a cell and says what replaces it."""

    column: Column
    policy: Policy
    found: dict[tuple[str, str, PiiAction], set[int]]
    row: int

    def __call__(self, hit: Hit) -> str | None:
        action = self.policy.action(self.column, hit.detector)
        self.found.setdefault((self.column.name, hit.detector, action), set()).add(self.row)
        if action not in {"hash", "mask"}:
            return None
        return self.policy.token(action, hit.detector, hit.canonical)


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
    found: dict[tuple[str, str, PiiAction], set[int]],
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


def _refuse_merged(
    column: Column,
    before: Sequence[str | None],
    after: Sequence[str | None],
    policy: Policy,
    file: str,
) -> None:
    """Masks make all e-mail addresses one: as groups or merge keys they must stay apart."""
    is_key = policy.task.merge.strategy == "update" and policy.task.merge.key == column.name
    if column.role != "group" and not is_key:
        return
    origins: dict[str, set[str]] = {}
    for old, new in zip(before, after, strict=True):
        # Hashes of different spellings of one value may agree; constants agree for all values.
        if old and new and old != new and any(":" not in token for token in _tokens(new)):
            origins.setdefault(new, set()).add(old)
    merged = sum(len(olds) for olds in origins.values() if len(olds) > 1)
    if merged:
        raise ContributionError(
            f"The file {file} is refused: column {column.name!r} tells rows apart by personal "
            f"data, and masking makes {merged:,} of its values equal. Set HOKUSAI_PII_KEY so that "
            "they are hashed instead, or use a column without personal data."
        )


def _tokens(text: str) -> list[str]:
    return [match[0] for match in TOKEN.finditer(text)]


def _refuse_rejected(
    found: dict[tuple[str, str, PiiAction], set[int]], numbers: Sequence[int], file: str
) -> None:
    parts = []
    for (column, detector, action), rows in sorted(found.items()):
        if action == "reject":
            first = ", ".join(str(numbers[row]) for row in sorted(rows)[:FIRST_ROWS])
            parts.append(
                f"column {column!r}: {detector} in {counted(len(rows), 'cell')} "
                f"(first rows: {first})"
            )
    if parts:
        raise ContributionError(
            f"The file {file} is refused because the task accepts no such personal data: "
            f"{'; '.join(parts)}. Remove it from these rows."
        )
