"""Base and benchmark: the operator's own data, read like a contribution and stored as datasets.

They get the same typing and PII treatment as contributions, so that equal rows stay equal. How the
benchmark is sampled is evaluation/'s business; the function is handed in.
"""

import math
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from hokusai_assets import decision_rule
from hokusai_assets.contribution.leakage import write_benchmark_keys
from hokusai_assets.contribution.near_rows import count_near_base
from hokusai_assets.contribution.paid_in_benchmark import refuse_paid_rows
from hokusai_assets.contribution.reference_rows import (
    leave_out_base_rows,
    leaving_columns,
    load_reference,
    store_reference,
)
from hokusai_assets.digests import content_root
from hokusai_assets.errors import ReferenceDataError
from hokusai_assets.records import BaseDataset, BenchmarkDataset, ColumnSchema, Dataset, PaidDataset
from hokusai_assets.tables import ROW_DIGEST, SOURCE, read_parts, write_table
from hokusai_assets.task import Task

Sample = Callable[[Any, Task], Any]
# From a benchmark's root as received to the root over the rows paid for, and these.
Paid = Callable[[str], tuple[str | None, Sequence[PaidDataset]]]


def _nothing_paid(root: str) -> tuple[str | None, Sequence[PaidDataset]]:
    return None, ()


def load_base(path: str, task: Task, *, key: bytes | None, folder: str) -> BaseDataset:
    """Read, type and treat the base rows, and store them in `folder`."""
    manifest = store_reference(path, task, key=key, kind="base", folder=folder)
    return BaseDataset(
        folder=folder,
        content_root=manifest.data_hash,
        row_count=manifest.row_count,
        columns=_columns(task),
        manifest=manifest,
    )


def load_benchmark(
    path: str,
    task: Task,
    base: BaseDataset,
    *,
    key: bytes | None,
    sample: Sample,
    folder: str,
    paid: Paid = _nothing_paid,
) -> BenchmarkDataset:
    """Read, type and treat the benchmark, leave rows and groups of base out, sample, and store.

    The keys of all rows as received are stored beside the sample: a contributed row that equals a
    benchmark row leaks whether or not the sample holds it this time. Raises ReferenceDataError if
    it holds a row that was paid for, or one of a retired benchmark, or one near to these: whoever
    sent or saw it knows the answer.
    """
    received, manifest = load_reference(path, task, key=key, kind="benchmark")
    root_received = _root(received)
    paid_root, known = paid(root_received)
    method = refuse_paid_rows(received, known, root_received, task, base, manifest.source.name)
    if method is not None:
        manifest = manifest.model_copy(update={"near_method": method})
    parts = read_parts(base.folder, leaving_columns(task))
    kept, left_out = leave_out_base_rows(received, parts, task)
    if kept.num_rows == 0:
        raise ReferenceDataError(
            f"No benchmark row is left: all {received.num_rows} stand in the base data too"
            + (f", {left_out.group} of them by their group alone" if left_out.group else "")
            + ". Give a benchmark that the baseline was not trained on."
        )
    scored = sample(kept, task)
    root = _root(scored)
    _store(scored, root, folder)
    write_benchmark_keys(received, task, folder)
    with tempfile.TemporaryDirectory(prefix="hokusai-") as signed:
        near_base = count_near_base(task, base, scored, Path(signed))
    labels = scored.column(task.target.name).to_pylist()
    return BenchmarkDataset(
        folder=folder,
        content_root=root,
        row_count=scored.num_rows,
        columns=_columns(task),
        manifest=manifest,
        content_root_received=root_received,
        paid_root=paid_root,
        left_out_exact=left_out.exact,
        left_out_normalised=left_out.normalised,
        left_out_group=left_out.group,
        near_base=near_base,
        sampled_from=kept.num_rows,
        class_counts={str(label): labels.count(label) for label in task.data.labels},
        class_rows_needed=decision_rule.rows_a_class_needs(
            math.floor(Fraction(repr(task.guards.expected_discordance)) * 10**6)
        ),
    )


def load_whole_benchmark(path: str, task: Task, *, key: bytes | None, folder: str) -> Dataset:
    """The benchmark's rows as received, stored in `folder`: all that leakage is looked for in.

    Rows of base stay among them, so base need not be known; nothing is scored on such a benchmark.
    """
    manifest = store_reference(path, task, key=key, kind="benchmark", folder=folder)
    return Dataset(
        folder=folder,
        content_root=manifest.data_hash,
        row_count=manifest.row_count,
        columns=_columns(task),
    )


def _root(table: Any) -> str:
    return content_root(table.column(ROW_DIGEST).to_pylist())


def _store(table: Any, root: str, folder: str) -> None:
    import pyarrow as pa

    source = pa.array([root] * table.num_rows, pa.string())
    position = table.schema.get_field_index(SOURCE)
    if position >= 0:
        table = table.set_column(position, SOURCE, source)
    else:
        table = table.append_column(SOURCE, source)
    write_table(table, folder)


def _columns(task: Task) -> tuple[ColumnSchema, ...]:
    return tuple(ColumnSchema(name=c.name, type=c.type) for c in task.kept_columns)
