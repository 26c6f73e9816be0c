"""The usable rows of a validated file as a new file, and the list of what was changed.

Written from rows that were cleaned without the benchmark: a file without the rows that stand in it
would show, compared with the original, which those are. Cells are written as they are: the file is
made to be sent, not to be looked at. A text that begins with = + - or @ can be a formula to a
spreadsheet, but a mark before it would change the data, and the digest of its row with them; the
list of changes says in which columns such texts stand.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.validating import CLEANED, validate
from hokusai_assets.contribution.validation import Validation
from hokusai_assets.errors import ContributionError, UsageError
from hokusai_assets.files import write_once
from hokusai_assets.tables import OWN_COLUMNS, ROW_NUMBER, read_table
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".jsonl", ".json", ".parquet")
CHANGES = ".changes.json"
# What a spreadsheet takes for a formula, also behind the white space that it skips.
_FORMULA = r"^\s*[=+\-@]"


def check_free(*paths: str | None) -> None:
    """Raise UsageError if one of `paths` is there already: nothing is overwritten."""
    for path in paths:
        if path is not None and Path(path).exists():
            raise UsageError(
                f"There is a file {path} already, and it is not overwritten: choose another name."
            )


def check_fixed_name(out: str) -> None:
    """Raise UsageError unless the cleaned file and its changes can be written as `out` says."""
    if Path(out).suffix.lower() not in SUFFIXES:
        raise UsageError(f"The name {out} says no format: let it end in {', '.join(SUFFIXES)}.")
    check_free(out, out + CHANGES)


def write_fixed(
    out: str, validation: Validation, task: Task, *, key: bytes | None, folder: str | Path
) -> tuple[str, str]:
    """Write the rows that `validate` left in `folder` to `out`; also what was changed, beside it.

    Returns both paths. The content is validated before anything is written, and must be found
    unchanged. Raises ContributionError if it is not, as when rows that left made a column too
    empty, and AlreadyWrittenError if somebody else was faster.
    """
    table = read_table(str(Path(folder, CLEANED))).sort_by(ROW_NUMBER).drop_columns(OWN_COLUMNS)
    content = encode(table, Path(out).suffix.lower())
    with tempfile.TemporaryDirectory(dir=folder, prefix="again-") as scratch:
        copy = Path(scratch, Path(out).name)
        copy.write_bytes(content)
        again = validate(str(copy), task, key=key, folder=scratch)
    if again.content_root_received != validation.content_root_usable:
        why = "it would not be read as it was written"
        if again.refusal is not None:
            why = "; ".join((again.refusal.message, *again.refusal.reasons))
        raise ContributionError(
            f"No cleaned file was written: {why.rstrip('.')}. Correct the file "
            "by hand, or choose another format for it."
        )
    told = changes_of(validation) | {"like_formulas": like_formulas(table)}
    changes = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    target = Path(out)
    return (
        write_once(str(target.parent), target.name, content),
        write_once(str(target.parent), target.name + CHANGES, changes.encode()),
    )


def changes_of(validation: Validation) -> dict[str, Any]:
    """What makes the cleaned file differ from the one given; row numbers are the latter's."""
    told = validation.model_dump(mode="json")
    counts = told["counts"]
    return {
        "changes_schema": 1,
        "file": told["file"]["name"],
        "task_id": told["task_id"],
        "rows_read": counts["read"],
        "rows_written": counts["usable"],
        "rejected": {"rows": counts["rejected"], "reasons": told["problems"]},
        "dropped_for_personal_data": counts["dropped_pii"],
        "duplicates_within": counts["duplicates_within"],
        "duplicates_of_base": counts["duplicates_of_base"],
        "personal_data": {"policy": told["pii_policy"], "found": told["pii"]},
        "dropped_columns": told["dropped_columns"],
        "content_root": told["content_root_usable"],
    }


def like_formulas(table: pa.Table) -> list[dict[str, Any]]:
    """How many texts of each column a spreadsheet may run; columns without any are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    for field in table.schema:
        if pa.types.is_string(field.type):
            cells = pc.sum(pc.match_substring_regex(table.column(field.name), _FORMULA)).as_py()
            if cells:
                found.append({"column": field.name, "cells": cells})
    return found


def encode(table: pa.Table, suffix: str) -> bytes:
    """The table's bytes in the format of `suffix`, one of SUFFIXES; null is an empty CSV cell."""
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        return sink.getvalue()
    rows = [{name: _plain(cell) for name, cell in row.items()} for row in table.to_pylist()]
    if suffix == ".csv":
        return _csv(table.column_names, rows)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    if suffix == ".jsonl":
        return "".join(line + "\n" for line in lines).encode()
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def _csv(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        # repr gives the shortest text that is the same double again.
        writer.writerow([repr(c) if isinstance(c, float) else _word(c) for c in row.values()])
    return stream.getvalue().encode()


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime.datetime):
        return cell.isoformat().replace("+00:00", "Z")
    return cell


def _word(cell: Any) -> Any:
    return str(cell).lower() if isinstance(cell, bool) else cell
