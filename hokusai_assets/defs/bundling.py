"""What goes below audit/ of a bundle: leaves, first models, and the cleaned contribution.

Joins evaluation, which knows the rows, and attestation, which knows their form. Neither ids of rows
nor of groups enter: of contributed rows only what their digests are of is copied.
"""

import platform
import shutil
from collections.abc import Mapping
from typing import Any

from hokusai_assets.attestation.bundle import DATA, LEAVES, MODELS, Staging
from hokusai_assets.attestation.rows.leaves import RowsRoot, leaf_lines, write_leaves
from hokusai_assets.attestation.rows.references import leaf_secret, salt_key_id
from hokusai_assets.defs.resources.inputs import RunInputs
from hokusai_assets.digests import digest_file
from hokusai_assets.errors import MixedRunsError, StorageError
from hokusai_assets.files import join
from hokusai_assets.records import (
    BenchmarkDataset,
    BenchmarkMetrics,
    ContributedDataset,
    EvaluationPlan,
    TrainedModel,
)
from hokusai_assets.task import Task


def write_rows(
    stage: Staging,
    run: RunInputs,
    plan: EvaluationPlan,
    benchmark: BenchmarkDataset,
    metrics: BenchmarkMetrics,
) -> RowsRoot:
    """Write the benchmark's leaves and return what the core says of them.

    Raises MixedRunsError where the plan was made with another salt secret.
    """
    from hokusai_assets.evaluation.predictions import read_predictions
    from hokusai_assets.evaluation.row_names import row_names

    if plan.body["key_ids"]["salt"] != salt_key_id(run.salt_secret):
        raise MixedRunsError(
            "The plan was made with another HOKUSAI_SALT_SECRET than this run has: set that one, "
            "or materialize evaluation_plan again, which counts as another attempt."
        )
    rows = read_predictions(metrics.folder)
    names = row_names(run.task, benchmark, rows.row_digests)
    secret = leaf_secret(run.salt_secret, benchmark.content_root)
    lines = leaf_lines(
        rows,
        plan.body["rule"],
        secret,
        classes=len(metrics.labels),
        ids=names.ids,
        groups=names.groups,
    )
    with stage.place(LEAVES).open("wb") as stream:
        return write_leaves(lines, stream, hides=secret.hides)


def copy_model(stage: Staging, model: TrainedModel) -> None:
    """Copy the model of the first seed, the one that is released, and check that it is that."""
    import fsspec

    file = model.files[0]
    target = stage.place(f"{MODELS[model.role]}/{file.name}")
    try:
        with fsspec.open(join(model.folder, file.name), "rb") as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    except FileNotFoundError:
        raise StorageError(
            f"The stored {model.role} {file.name} is gone: materialize the model again."
        ) from None
    if digest_file(target) != file.sha256:
        raise StorageError(
            f"The stored {model.role} {file.name} is not the one that was recorded (its SHA-256 "
            "differs): materialize the model again."
        )


def copy_contribution(stage: Staging, task: Task, contributed: ContributedDataset) -> None:
    """Copy the cleaned rows as one Parquet file: their content and digests, without their ids."""
    import pyarrow.parquet as pq

    from hokusai_assets.tables import PART, ROW_DIGEST, SOURCE, read_parts

    columns = [*(column.name for column in task.content_columns), ROW_DIGEST, SOURCE]
    writer = None
    try:
        for part in read_parts(contributed.folder, columns):
            if writer is None:
                place = stage.place(f"{DATA}/{PART}")
                writer = pq.ParquetWriter(place, part.schema, compression="zstd")
            writer.write_table(part)
    finally:
        if writer is not None:
            writer.close()


def run_record(run_id: str, timestamp: str, started_ms: int, written_ms: int) -> Mapping[str, Any]:
    """run.json: what may differ between two equal runs; nothing follows from it."""
    return {
        "run_id": run_id,
        "timestamp": timestamp,
        "duration_ms": max(written_ms - started_ms, 0),
        "host": {
            "name": platform.node(),
            "system": platform.system(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
    }
