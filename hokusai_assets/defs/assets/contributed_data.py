"""The contributions, cleaned."""

import dagster as dg

from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.records import BaseDataset, BenchmarkDataset, ContributedDataset


@dg.asset(group_name="contribution", kinds={"python", "parquet"}, code_version="1")
def contributed_data(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    outputs: OutputsResource,
    ledger: LedgerResource,
    base_dataset: BaseDataset,
    benchmark_dataset: BenchmarkDataset,
) -> dg.MaterializeResult[ContributedDataset]:
    """Clean rows of all contributions, with provenance, and their manifest."""
    from hokusai_assets.contribution.cleaning import clean_contributions
    from hokusai_assets.reporting import summary

    run = inputs.run
    with plain_failures(), outputs.scratch(context.run.run_id, "contributed_data") as folder:
        paid_root, paid = ledger.known_rows(run, benchmark_dataset.content_root_received)
        dataset = clean_contributions(
            run.contributions,
            run.task,
            base_dataset,
            benchmark_dataset,
            key=run.pii_key,
            folder=folder,
            paid=paid,
            paid_root=paid_root,
            paid_digests=ledger.given_digests(),
        )
    context.log.info("; ".join(summary.cleaning_sentence(c) for c in dataset.contributions))
    return dg.MaterializeResult(
        value=dataset,
        metadata=metadata.of_dataset(dataset) | metadata.of_contributions(dataset),
    )
