"""Predictions of both models on disk: one Parquet row a benchmark row, in leaf order.

Columns: `_row_digest` (32 bytes), `label` (class index, or millionths of the target's scale),
`cluster` (a code from 0, where the task has a group column), `slice:NAME` (whether the row is in
it), and for each model and seed `baseline_prediction_0`, `baseline_score_0_1` (seed 0, class 1, in
millionths) and so on. Metrics over them are benchmarking's and delta's; their digests follow from
leaves and are scoring's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hokusai_assets.errors import StorageError
from hokusai_assets.scoring import Predictions
from hokusai_assets.scoring.rows import ScoredRows
from hokusai_assets.tables import ROW_DIGEST, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

LABEL = "label"
CLUSTER = "cluster"
SLICE = "slice:"
MODELS = ("baseline", "candidate")


def write_predictions(rows: ScoredRows, folder: str | Path) -> None:
    """Write `rows` into a new local folder."""
    import pyarrow as pa

    columns: dict[str, Any] = {
        ROW_DIGEST: pa.array(rows.row_digests, pa.binary(32)),
        LABEL: pa.array(rows.truth, pa.int32()),
    }
    if rows.clusters is not None:
        columns[CLUSTER] = pa.array(rows.clusters, pa.int64())
    for name, mask in rows.slices:
        columns[SLICE + name] = pa.array(mask)
    for model, predictions in zip(MODELS, (rows.baseline, rows.candidate), strict=True):
        for seed in range(predictions.seeds):
            labels, scores = predictions.of_seed(seed)
            columns[f"{model}_prediction_{seed}"] = pa.array(labels, pa.int32())
            if scores is not None:
                offset = 1 if scores.shape[1] == 1 else 0
                for index in range(scores.shape[1]):
                    name = f"{model}_score_{seed}_{index + offset}"
                    columns[name] = pa.array(scores[:, index], pa.int32())
    write_table(pa.table(columns), folder)


def read_predictions(folder: str, *, digests: bool = True) -> ScoredRows:
    """What `write_predictions` wrote, from a local folder or fsspec URL.

    Without `digests` there are none: they take more memory than all the rest.
    """
    table = read_table(folder)
    missing = {ROW_DIGEST, LABEL, *(f"{m}_prediction_0" for m in MODELS)} - set(table.column_names)
    if missing:
        raise StorageError(
            f"The stored predictions in {folder} lack {', '.join(sorted(missing))}: materialize "
            "benchmark_metrics again."
        )
    clusters = _integers(table, CLUSTER) if CLUSTER in table.column_names else None
    baseline, candidate = (_read_model(table, model) for model in MODELS)
    row_digests = table.column(ROW_DIGEST).to_pylist() if digests else []
    slices = tuple(
        (name.removeprefix(SLICE), table.column(name).to_numpy())
        for name in table.column_names
        if name.startswith(SLICE)
    )
    return ScoredRows(row_digests, _integers(table, LABEL), baseline, candidate, clusters, slices)


def _read_model(table: Any, model: str) -> Predictions:
    names = table.column_names
    labels: list[Any] = []
    scores: list[Any] = []
    while f"{model}_prediction_{len(labels)}" in names:
        seed = len(labels)
        labels.append(_integers(table, f"{model}_prediction_{seed}"))
        columns = [n for n in names if n.startswith(f"{model}_score_{seed}_")]
        columns.sort(key=lambda name: int(name.rsplit("_", 1)[1]))
        if columns:
            scores.append(np.stack([_integers(table, name) for name in columns], axis=1))
    return Predictions(np.stack(labels), np.stack(scores) if scores else None)


def _integers(table: Any, name: str) -> Any:
    return table.column(name).to_numpy().astype(np.int64)
