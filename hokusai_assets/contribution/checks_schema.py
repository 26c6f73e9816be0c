"""The task's demands on stored data as a pandera schema, and what of a dataset breaks them.

An independent second look at what schema.py has typed: it runs on what was stored, so it also
finds what later steps or hands did to it. Reports name column, demand, count and first rows, and
never a cell's value; rows are numbered as in the file that held them, where that is stored.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.rows import FIRST_ROWS, describe
from hokusai_assets.contribution.schema import UNMATCHED
from hokusai_assets.contribution.sorted_roots import SortedRoot
from hokusai_assets.contribution.stored_ids import StoredIds
from hokusai_assets.contribution.typing_columns import unmatched
from hokusai_assets.records import Dataset, RejectionReason
from hokusai_assets.table_digests import digest_rows
from hokusai_assets.tables import ROW_NUMBER, arrow_type, read_parts
from hokusai_assets.task import Column, Task

if TYPE_CHECKING:
    import pandera.pandas as pandera
    import pyarrow as pa

_PANDAS_TYPES = {
    "text": "str",
    "category": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "timestamp": "datetime64[us, UTC]",
}


def pandera_schema(task: Task, *, null_shares: bool = True) -> pandera.DataFrameSchema:
    """Types, nullability, bounds, allowed texts, labels and null shares of the kept columns.

    Without `null_shares` of a part of a dataset, whose share says nothing of the whole.
    """
    import pandera.pandas as pandera

    return pandera.DataFrameSchema(
        {
            column.name: pandera.Column(
                None if _PANDAS_TYPES[column.type] == "str" else _PANDAS_TYPES[column.type],
                checks=_checks(column, task, null_shares),
                nullable=column.nullable or not column.required,
                required=True,
            )
            for column in task.kept_columns
        },
        strict=False,
    )


def violations(
    task: Task, table: pa.Table, *, null_shares: bool = True
) -> tuple[RejectionReason, ...]:
    """Everything in a stored table that breaks the task's schema; empty if nothing does."""
    from pandera.errors import SchemaErrors

    try:
        pandera_schema(task, null_shares=null_shares).validate(_frame(task, table), lazy=True)
    except SchemaErrors as errors:
        numbers: Sequence[int] = range(1, table.num_rows + 1)
        if ROW_NUMBER in table.column_names:
            numbers = table.column(ROW_NUMBER).to_pylist()
        return _summary(errors.failure_cases, numbers)
    return ()


def stored_violations(task: Task, dataset: Dataset) -> list[str]:
    """Each violation in a stored dataset as a phrase with its column, count and first rows.

    Rows that are not those of the dataset's record are one too, however well they fit the task.
    """
    names = [c.name for c in task.content_columns]
    kept = [c.name for c in task.kept_columns]
    empty: Counter[str] = Counter()
    seen: list[RejectionReason] = []
    unique = task.id_column if task.id_column is not None and task.id_column.unique else None
    with tempfile.TemporaryDirectory(prefix="hokusai-") as scratch:
        root, ids = SortedRoot(scratch), StoredIds(scratch)
        rows, whole = 0, True
        for part in read_parts(dataset.folder):
            seen.extend(violations(task, part, null_shares=False))
            if unique is not None and unique.name in part.column_names:
                numbers: Any = range(rows + 1, rows + part.num_rows + 1)
                if ROW_NUMBER in part.column_names:
                    numbers = part.column(ROW_NUMBER).to_numpy()
                ids.add(part, unique.name, numbers)
            rows += part.num_rows
            empty.update({n: part.column(n).null_count for n in kept if n in part.column_names})
            whole = whole and all(
                c.name in part.column_names and part.schema.field(c.name).type == arrow_type(c.type)
                for c in task.content_columns
            )
            if whole:
                root.add(digest_rows({name: part.column(name) for name in names}))
        count, first = ids.repeated()
        if count and unique is not None:
            reason = "shares its id with another row"
            seen.append(
                RejectionReason(column=unique.name, reason=reason, count=count, first_rows=first)
            )
        found = [describe([violation]) for violation in _added(seen)]
        found.extend(_null_shares(task, empty, rows))
        if rows != dataset.row_count:
            found.append(f"{rows:,} rows are stored, {dataset.row_count:,} are recorded")
        elif whole and root.root() != dataset.content_root:
            found.append("the stored rows are not those that are recorded (their content root)")
    return found


def _added(seen: Sequence[RejectionReason]) -> list[RejectionReason]:
    """The violations of several parts as those of their whole."""
    added: dict[tuple[str | None, str], RejectionReason] = {}
    for one in seen:
        key = (one.column, one.reason)
        before = added.get(key)
        if before is not None:
            rows = sorted((*before.first_rows, *one.first_rows))[:FIRST_ROWS]
            count = before.count + one.count
            # A column is missing once, however many parts lack it.
            count = before.count if not rows else count
            one = one.model_copy(update={"count": count, "first_rows": tuple(rows)})
        added[key] = one
    return [added[key] for key in sorted(added, key=str)]


def _null_shares(task: Task, empty: Mapping[str, int], rows: int) -> list[str]:
    return [
        f"column {c.name!r}: more than {c.max_null_share:.2%} of the cells are empty"
        for c in task.kept_columns
        if c.max_null_share is not None and empty[c.name] > c.max_null_share * rows
    ]


def _checks(column: Column, task: Task, null_shares: bool) -> list[Any]:
    import pandera.pandas as pandera

    checks = []
    if column.type in {"text", "category"}:
        checks.append(
            pandera.Check(
                lambda cell: isinstance(cell, str), element_wise=True, error="is not text"
            )
        )
    if column.minimum is not None:
        checks.append(pandera.Check.ge(column.minimum, error=f"below {column.minimum:g}"))
    if column.maximum is not None:
        checks.append(pandera.Check.le(column.maximum, error=f"above {column.maximum:g}"))
    if column.allowed is not None:
        checks.append(
            pandera.Check.isin(column.allowed, error="not one of the task's allowed texts")
        )
    if column.pattern is not None:
        checks.append(pandera.Check(lambda cells: ~_unmatched(column, cells), error=UNMATCHED))
    if column.role == "target" and task.data.labels:
        checks.append(pandera.Check.isin(task.data.labels, error="not one of the task's labels"))
    limit = column.max_null_share
    if limit is not None and null_shares:
        checks.append(
            pandera.Check(
                lambda cells: bool(cells.isna().mean() <= limit),
                ignore_na=False,
                error=f"more than {limit:.2%} of the cells are empty",
            )
        )
    return checks


def _unmatched(column: Column, cells: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    texts = pa.array([c if isinstance(c, str) else None for c in cells], pa.string())
    found = pd.Series(False, index=cells.index)
    found.iloc[unmatched(column, texts)] = True
    return found


def _frame(task: Task, table: pa.Table) -> Any:
    """The kept columns that are there, as pandas types that hold null beside every value."""
    import pandas as pd
    import pyarrow as pa

    names = [c.name for c in task.kept_columns if c.name in table.column_names]
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    return table.select(names).to_pandas(types_mapper=nullable.get)


def _summary(cases: Any, numbers: Sequence[int]) -> tuple[RejectionReason, ...]:
    """Failure cases by column and check; `failure_case`, which holds cells, is left behind."""
    found: dict[tuple[str | None, str], list[int]] = {}
    counts: dict[tuple[str | None, str], int] = {}
    for context, column, check, index, case in zip(
        *(cases[name] for name in ("schema_context", "column", "check", "index", "failure_case")),
        strict=True,
    ):
        # A missing column is reported on the whole frame, with its name where cells would stand.
        whole = context == "DataFrameSchema"
        name = str(case) if whole and check == "column_in_dataframe" else column
        key = (None if name is None else str(name), _reason(str(check)))
        counts[key] = counts.get(key, 0) + 1
        rows = found.setdefault(key, [])
        if isinstance(index, int):
            rows.append(numbers[index])
    return tuple(
        RejectionReason(
            column=column,
            reason=reason,
            count=counts[column, reason],
            first_rows=tuple(sorted(rows)[:FIRST_ROWS]),
        )
        for (column, reason), rows in sorted(found.items(), key=lambda item: str(item[0]))
    )


def _reason(check: str) -> str:
    if check == "column_in_dataframe":
        return "the column is missing"
    if check == "not_nullable":
        return "empty"
    if check.startswith("dtype('"):
        return f"not of the type {check[7:-2]}"
    # A check that cannot run on a wrong type carries the library's message, which quotes cells.
    return "cannot be compared" if "Error(" in check else check
