"""Typing of whole columns: what typing_cells.py says of each cell, said of many at once.

Plain numbers and texts go through Arrow; every other cell is asked of typing_cells.py, once for
each different text. A test holds both ways against each other.
"""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.rows import Kind, RawColumn
from hokusai_assets.contribution.typing_cells import CellError, type_cell
from hokusai_assets.digests import Cell
from hokusai_assets.errors import TaskError
from hokusai_assets.table_digests import composed
from hokusai_assets.tables import arrow_type
from hokusai_assets.task import Column, Task

if TYPE_CHECKING:
    import pyarrow as pa

# As many digits as a 64-bit integer surely holds, and as long as a double is ever written.
_PLAIN_INTEGER = r"^-?[0-9]{1,18}$"
_PLAIN_NUMBER = r"^-?[0-9]{1,15}(?:\.[0-9]{1,17})?$"
_PLAIN_NUMBER_BYTES = 24
_NUMERIC = (Kind.TEXT, Kind.NUMBER)


def type_column(column: Column, raw: RawColumn, task: Task) -> tuple[pa.Array, dict[str, Any]]:
    """The column's typed cells, and positions (int64 arrays) of cells that do not fit, by reason.

    Cells that do not fit are null.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    text = raw.text
    lengths = pc.min_max(pc.binary_length(text)).as_py()
    if lengths["min"] == 0:
        text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    limit = task.reading.max_cell_bytes
    if lengths["max"] is not None and lengths["max"] > limit:
        return _without_long(column, text, raw.kind, task)
    if isinstance(raw.kind, Kind):
        return _of_one_kind(column, text, raw.kind, task)
    kinds = raw.kind.to_numpy(zero_copy_only=False)
    present = np.unique(kinds)
    if len(present) <= 1:  # none at all in a part whose rows are all malformed
        return _of_one_kind(column, text, Kind(int(present.max(initial=0))), task)
    parts: list[pa.Array] = []
    places: list[Any] = []
    bad: dict[str, list[Any]] = {}
    for kind in present:
        where = np.flatnonzero(kinds == kind)
        cells, wrong = _of_one_kind(column, text.take(pa.array(where)), Kind(int(kind)), task)
        parts.append(cells)
        places.append(where)
        for reason, positions in wrong.items():
            bad.setdefault(reason, []).append(where[positions])
    order = np.argsort(np.concatenate(places), kind="stable")
    typed = pa.concat_arrays(parts).take(pa.array(order))
    return typed, {reason: np.sort(np.concatenate(found)) for reason, found in bad.items()}


def unmatched(column: Column, cells: pa.Array) -> Any:
    """Positions of texts that do not match the column's pattern as a whole (RE2, linear time)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        matches = pc.match_substring_regex(cells, rf"\A(?:{column.pattern})\z")
    except pa.ArrowInvalid:
        raise TaskError(
            f"The pattern of column {column.name!r} is no RE2 expression: correct it in the task."
        ) from None
    return _positions(pc.invert(pc.fill_null(matches, True)))


def _without_long(
    column: Column, text: pa.Array, kind: Kind | pa.Array, task: Task
) -> tuple[pa.Array, dict[str, Any]]:
    """The column typed without the cells that are longer than the task accepts."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    limit = task.reading.max_cell_bytes
    long = pc.fill_null(pc.greater(pc.binary_length(text), limit), False)
    short = pc.if_else(long, pa.scalar(None, pa.string()), text)
    typed, bad = type_column(column, RawColumn(short, kind), task)
    where = _positions(long)
    if "empty" in bad:  # these are not: they were taken out here
        bad["empty"] = np.setdiff1d(bad["empty"], where)
    return typed, {**bad, f"a cell of more than {limit:,} bytes": where}


def _of_one_kind(
    column: Column, text: pa.Array, kind: Kind, task: Task
) -> tuple[pa.Array, dict[str, Any]]:
    spelling = _closed_list(column, task)
    if spelling is None and column.type in {"text", "category"} and kind is Kind.TEXT:
        return composed(text), _empty(column, text)
    if spelling is None and column.type in {"number", "integer"} and kind in _NUMERIC:
        return _numbers(column, text, kind)
    return _one_by_one(column, spelling, text, kind)


def _empty(column: Column, cells: pa.Array) -> dict[str, Any]:
    if column.nullable or not cells.null_count:
        return {}
    return {"empty": _positions(cells.is_null())}


def _positions(mask: pa.Array) -> Any:
    import numpy as np
    import pyarrow.compute as pc

    return np.asarray(pc.indices_nonzero(mask), np.int64)


def _numbers(column: Column, text: pa.Array, kind: Kind) -> tuple[pa.Array, dict[str, Any]]:
    """Plain numbers by Arrow, the others one by one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = None if column.type == "integer" else _all_plain(text)
    bad: dict[str, Any] = {}
    if numbers is None:
        pattern = _PLAIN_INTEGER if column.type == "integer" else _PLAIN_NUMBER
        plain = pc.fill_null(pc.match_substring_regex(text, pattern), True)
        rest = _positions(pc.invert(plain))
        numbers = pc.if_else(plain, text, pa.scalar(None, pa.string())).cast(
            arrow_type(column.type)
        )
        bad = _beyond(column, numbers) | _empty(column, text)
        if len(rest):
            cells, wrong = _one_by_one(column, None, text.take(pa.array(rest)), kind)
            numbers = pc.replace_with_mask(numbers, pc.invert(plain), cells)
            for reason, positions in wrong.items():
                known = bad.get(reason)
                bad[reason] = _merged(known, rest[positions])
    else:
        bad = _beyond(column, numbers) | _empty(column, text)
    if column.type == "number":
        numbers = pc.add(numbers, 0.0)  # -0 as 0
    return numbers, bad


def _merged(first: Any, second: Any) -> Any:
    import numpy as np

    return second if first is None else np.sort(np.concatenate([first, second]))


def _beyond(column: Column, numbers: pa.Array) -> dict[str, Any]:
    import pyarrow.compute as pc

    bad = {}
    for limit, beyond, word in (
        (column.minimum, pc.less, "below"),
        (column.maximum, pc.greater, "above"),
    ):
        if limit is not None:
            edge: float = limit
            if column.type == "integer":
                # As integers: doubles do not hold all of 64 bits.
                whole = math.ceil(limit) if beyond is pc.less else math.floor(limit)
                edge = min(max(whole, -(2**63)), 2**63 - 1)
            positions = _positions(pc.fill_null(beyond(numbers, edge), False))
            if len(positions):
                bad[f"{word} {limit:g}"] = positions
    return bad


def _all_plain(text: pa.Array) -> pa.Array | None:
    """The cells as doubles if Arrow can read them all as finite numbers of usual length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    longest = pc.max(pc.binary_length(text)).as_py()
    if longest is None or longest > _PLAIN_NUMBER_BYTES:
        return None
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return numbers if pc.all(pc.is_finite(numbers)).as_py() else None


def _one_by_one(
    column: Column, spelling: dict[Any, Any] | None, text: pa.Array, kind: Kind
) -> tuple[pa.Array, dict[str, Any]]:
    import numpy as np
    import pyarrow as pa

    encoded = text.dictionary_encode(null_encoding="encode")
    values: list[Cell] = []
    reasons: dict[str, list[int]] = {}
    for code, cell in enumerate(encoded.dictionary.to_pylist()):
        value = _value(column, spelling, cell, kind)
        if isinstance(value, CellError):
            reasons.setdefault(str(value), []).append(code)
            value = None
        values.append(value)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    typed = pa.array(values, arrow_type(column.type)).take(encoded.indices)
    bad = {reason: np.flatnonzero(np.isin(codes, wrong)) for reason, wrong in reasons.items()}
    return typed, bad


def _value(
    column: Column, spelling: dict[Any, Any] | None, text: str | None, kind: Kind
) -> Cell | CellError:
    try:
        value = type_cell(column.type, text, kind) if text else None
    except CellError as reason:
        return reason
    if value is None:
        return None if column.nullable else CellError("empty")
    if spelling is not None:
        key = unicodedata.normalize("NFC", value) if isinstance(value, str) else value
        if key not in spelling:
            what = "labels" if column.role == "target" else "allowed texts"
            return CellError(f"not one of the task's {what}")
        value = spelling[key]
    if isinstance(value, int | float):
        if column.minimum is not None and value < column.minimum:
            return CellError(f"below {column.minimum:g}")
        if column.maximum is not None and value > column.maximum:
            return CellError(f"above {column.maximum:g}")
    return value


def _closed_list(column: Column, task: Task) -> dict[Any, Any] | None:
    """Accepted values in NFC, each with the task's own spelling, which is what models see."""
    accepted: list[Any] = []
    if column.allowed is not None:
        accepted.extend(column.allowed)
    if column.role == "target" and task.data.labels:
        accepted = [x for x in task.data.labels if column.allowed is None or x in column.allowed]
    elif column.allowed is None:
        return None
    return {unicodedata.normalize("NFC", x) if isinstance(x, str) else x: x for x in accepted}
