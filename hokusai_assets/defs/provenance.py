"""What goes below audit/provenance/ of a bundle: Croissant files, packages, rows already paid.

Joins the rooms that know the data with attestation/provenance/, which knows the forms. Written last
of what is below audit/, since it names the files there by digest.
"""

from hokusai_assets.attestation.bundle import DATA, LEAVES, Staging
from hokusai_assets.attestation.provenance.croissant import (
    BENCHMARK,
    CONTRIBUTION,
    LABEL,
    LABELS,
    LEAF,
    DescribedFile,
    benchmark_croissant,
    contribution_croissant,
)
from hokusai_assets.attestation.provenance.packages import PACKAGES, packages_document
from hokusai_assets.attestation.provenance.paid_rows import ALREADY_PAID, write_paid_digests
from hokusai_assets.digests import digest_file
from hokusai_assets.records import (
    BenchmarkDataset,
    BenchmarkMetrics,
    ColumnSchema,
    ContributedDataset,
)
from hokusai_assets.tables import PART
from hokusai_assets.task import Task


def write_provenance(
    stage: Staging,
    task: Task,
    benchmark: BenchmarkDataset,
    contributed: ContributedDataset,
    metrics: BenchmarkMetrics,
) -> None:
    """Write the files of audit/provenance/; rows and leaves must be in their place.

    Raises StorageError where cleaning does not name the rows that it counted as already paid.
    """
    from hokusai_assets.contribution.storing import paid_digests

    content = [ColumnSchema(name=c.name, type=c.type) for c in task.content_columns]
    rows = contribution_croissant(contributed, content, _described(stage, f"{DATA}/{PART}"))
    _write_labels(stage, metrics)
    scored = benchmark_croissant(
        benchmark,
        content,
        _described(stage, LEAVES),
        _described(stage, LABELS),
        numbers=not metrics.labels,
    )
    stage.place(CONTRIBUTION).write_bytes(rows)
    stage.place(BENCHMARK).write_bytes(scored)
    stage.place(PACKAGES).write_bytes(packages_document())
    if digests := paid_digests(contributed):
        with stage.place(ALREADY_PAID).open("wb") as stream:
            write_paid_digests(digests, stream)


def _write_labels(stage: Staging, metrics: BenchmarkMetrics) -> None:
    """Labels in the order of leaves: what these say, in a form that readers of tables load."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hokusai_assets.evaluation.predictions import read_predictions

    truth = read_predictions(metrics.folder, digests=False).truth
    labels = pa.array(truth, pa.int64())
    if metrics.labels:
        labels = pa.array([str(label) for label in metrics.labels], pa.string()).take(labels)
    table = pa.table({LEAF: pa.array(range(len(truth)), pa.int64()), LABEL: labels})
    # Each index differs from the one before by one: a few bytes where a dictionary takes four each.
    pq.write_table(
        table,
        stage.place(LABELS),
        compression="zstd",
        use_dictionary=[LABEL],
        column_encoding={LEAF: "DELTA_BINARY_PACKED"},
    )


def _described(stage: Staging, name: str) -> DescribedFile:
    path = stage.folder / name
    return DescribedFile(name, digest_file(path), path.stat().st_size)
