"""The base data."""

import dagster as dg

from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.records import BaseDataset


@dg.asset(group_name="inputs", kinds={"python", "parquet"}, code_version="1")
def base_dataset(
    context: dg.AssetExecutionContext, inputs: InputsResource, outputs: OutputsResource
) -> dg.MaterializeResult[BaseDataset]:
    """Rows that the baseline was trained on, typed and PII treated."""
    from hokusai_assets.contribution.references import load_base

    run = inputs.run
    with plain_failures(), outputs.scratch(context.run.run_id, "base_dataset") as folder:
        dataset = load_base(run.base, run.task, key=run.pii_key, folder=folder)
    context.log.info(f"{dataset.row_count:,} base rows")
    return dg.MaterializeResult(
        value=dataset,
        metadata=metadata.of_dataset(dataset) | metadata.of_manifest(dataset.manifest),
    )
