"""The deltas."""

import dagster as dg

from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.records import (
    BenchmarkMetrics,
    ContributedDataset,
    DeltaReport,
    EvaluationPlan,
)


@dg.asset(group_name="evaluation", kinds={"python", "json"}, code_version="1")
def delta_report(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    benchmark_metrics: BenchmarkMetrics,
    contributed_data: ContributedDataset,
    evaluation_plan: EvaluationPlan,
) -> dg.MaterializeResult[DeltaReport]:
    """Delta per metric, DeltaOne, the rule's clauses with their numbers, and row shares."""
    from hokusai_assets.evaluation.delta import compare
    from hokusai_assets.reporting import summary

    leaked, distinct = contributed_data.leaked_share
    with plain_failures():
        report = compare(
            inputs.run.task,
            benchmark_metrics,
            evaluation_plan.body["rule"],
            leaked=leaked,
            distinct_rows=distinct,
            benchmark_rows_in_training=evaluation_plan.rows_left_in_training,
            shares=evaluation_plan.shares,
            attempt=evaluation_plan.attempt,
        )
    context.log.info(summary.deltas_sentence(report))
    return dg.MaterializeResult(
        value=report, metadata=metadata.of_report(report, plot=not inputs.run.dry_run)
    )
