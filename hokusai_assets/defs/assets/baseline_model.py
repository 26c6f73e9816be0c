"""The baseline."""

import dagster as dg

from hokusai_assets import second_process
from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.records import BaseDataset, EvaluationPlan, TrainedModel


@dg.asset(group_name="models", kinds={"python", "scikitlearn"}, code_version="1")
def baseline_model(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    outputs: OutputsResource,
    evaluation_plan: EvaluationPlan,
    base_dataset: BaseDataset,
) -> dg.MaterializeResult[TrainedModel]:
    """A stored model, or one trained from the base rows with the plan's seeds."""
    from hokusai_assets.modeling.baselines import obtain_baseline

    run = inputs.run
    with plain_failures(), outputs.scratch(context.run.run_id, "baseline_model") as folder:
        model = second_process.call(
            obtain_baseline,
            run.task,
            base_dataset,
            evaluation_plan.seeds,
            stored=run.baseline,
            committed=evaluation_plan.body["baseline"],
            folder=folder,
        )
    context.log.info(f"baseline {model.origin}: {model.model_type}")
    return dg.MaterializeResult(value=model, metadata=metadata.of_model(model))
