"""The candidate's training rows."""

import dagster as dg

from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.records import BaseDataset, ContributedDataset, MergedDataset


@dg.asset(group_name="contribution", kinds={"python", "parquet"}, code_version="1")
def merged_dataset(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    outputs: OutputsResource,
    base_dataset: BaseDataset,
    contributed_data: ContributedDataset,
) -> dg.MaterializeResult[MergedDataset]:
    """Training rows of the candidate: base and contributions by the task's merge strategy."""
    from hokusai_assets.contribution.merging import merge

    with plain_failures(), outputs.scratch(context.run.run_id, "merged_dataset") as folder:
        dataset = merge(inputs.run.task, base_dataset, contributed_data, folder)
    context.log.info(f"{dataset.row_count:,} training rows by {dataset.strategy}")
    return dg.MaterializeResult(
        value=dataset, metadata=metadata.of_dataset(dataset) | metadata.of_merged(dataset)
    )
