"""The benchmark."""

import functools

import dagster as dg

from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.records import BaseDataset, BenchmarkDataset


@dg.asset(group_name="inputs", kinds={"python", "parquet"}, code_version="1")
def benchmark_dataset(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    outputs: OutputsResource,
    ledger: LedgerResource,
    base_dataset: BaseDataset,
) -> dg.MaterializeResult[BenchmarkDataset]:
    """Rows that both models are scored on: PII treated, without rows of base, sampled."""
    from hokusai_assets.contribution.references import load_benchmark
    from hokusai_assets.evaluation.sampling import stratified_sample
    from hokusai_assets.reporting import summary

    run = inputs.run
    with plain_failures(), outputs.scratch(context.run.run_id, "benchmark_dataset") as folder:
        dataset = load_benchmark(
            run.benchmark,
            run.task,
            base_dataset,
            key=run.pii_key,
            sample=stratified_sample,
            folder=folder,
            paid=functools.partial(ledger.known_rows, run),
        )
    context.log.info(f"{dataset.row_count:,} benchmark rows")
    if warning := summary.small_classes_sentence(dataset):
        context.log.warning(warning)
    return dg.MaterializeResult(
        value=dataset,
        metadata=metadata.of_dataset(dataset)
        | metadata.of_manifest(dataset.manifest)
        | metadata.of_benchmark(dataset),
    )
