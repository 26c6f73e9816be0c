"""The candidate."""

import dagster as dg

from hokusai_assets import second_process
from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.records import EvaluationPlan, MergedDataset, TrainedModel


@dg.asset(group_name="models", kinds={"python", "scikitlearn"}, code_version="1")
def new_model(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    outputs: OutputsResource,
    evaluation_plan: EvaluationPlan,
    merged_dataset: MergedDataset,
) -> dg.MaterializeResult[TrainedModel]:
    """The candidate: the same estimator and the same seeds, trained on the merged rows."""
    from hokusai_assets.modeling.training import train

    with plain_failures(), outputs.scratch(context.run.run_id, "new_model") as folder:
        model = second_process.call(
            train, inputs.run.task, merged_dataset, evaluation_plan.seeds, "candidate", folder
        )
    context.log.info(f"candidate trained on {model.training_rows:,} rows: {model.model_type}")
    return dg.MaterializeResult(value=model, metadata=metadata.of_model(model))
