"""Both models on the benchmark."""

import dagster as dg

from hokusai_assets import second_process
from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.records import BenchmarkDataset, BenchmarkMetrics, TrainedModel


@dg.asset(group_name="evaluation", kinds={"python", "parquet"}, code_version="1")
def benchmark_metrics(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    outputs: OutputsResource,
    baseline_model: TrainedModel,
    new_model: TrainedModel,
    benchmark_dataset: BenchmarkDataset,
) -> dg.MaterializeResult[BenchmarkMetrics]:
    """Predictions of both models for each benchmark row, and the metrics of both."""
    from hokusai_assets.evaluation.benchmarking import measure
    from hokusai_assets.modeling.predicting import predict

    task = inputs.run.task
    with plain_failures(), outputs.scratch(context.run.run_id, "benchmark_metrics") as folder:
        metrics = measure(
            task,
            benchmark_dataset,
            second_process.call(predict, task, baseline_model, benchmark_dataset),
            second_process.call(predict, task, new_model, benchmark_dataset),
            folder,
        )
    context.log.info(f"both models scored on {metrics.row_count:,} rows")
    return dg.MaterializeResult(value=metrics, metadata=metadata.of_metrics(metrics))
