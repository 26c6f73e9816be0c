"""The asset checks: what must hold of each asset before anything downstream is made.

All of them block. Which columns and values are right is the task's word, turned into pandera
schemas by contribution/checks_schema.py; here it is only asked and reported.
"""

import logging
from collections.abc import Iterator, Sequence

import dagster as dg

from hokusai_assets import second_process
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.records import (
    Attestation,
    BenchmarkDataset,
    BenchmarkMetrics,
    ContributedDataset,
    Dataset,
    DeltaReport,
    MergedDataset,
    TrainedModel,
)

CLEAN_AGAIN = "Correct the file, or the task's [[columns]], and evaluate again."


def _result(
    context: dg.AssetCheckExecutionContext,
    problems: Sequence[str],
    remedy: str,
    check: dg.AssetCheckKey | None = None,
    **metadata: int | str,
) -> dg.AssetCheckResult:
    """Passed without problems; else a description that lists them and says what to do.

    `check` names one of several checks that share a step.
    """
    failed = "; ".join(problems) + f". {remedy}" if problems else ""
    # The log is all that an operator of `dagster job execute` sees: the remedy belongs there too.
    context.log.log(
        logging.ERROR if problems else logging.INFO,
        f"{check.name if check else context.check_specs[0].name}: {failed or 'passed'}",
    )
    return dg.AssetCheckResult(
        passed=not problems,
        asset_key=check.asset_key if check else None,
        check_name=check.name if check else None,
        description=failed or "As it should be.",
        metadata={"problems": len(problems), **metadata},
    )


def _conforms(
    context: dg.AssetCheckExecutionContext,
    inputs: InputsResource,
    dataset: Dataset,
    what: str,
    check: dg.AssetCheckKey | None = None,
) -> dg.AssetCheckResult:
    from hokusai_assets.contribution.checks_schema import stored_violations

    with plain_failures():
        problems = second_process.call(stored_violations, inputs.run.task, dataset)
    return _result(
        context, [f"{what}: {p}" for p in problems], CLEAN_AGAIN, check, rows=dataset.row_count
    )


@dg.asset_check(asset="contributed_data", blocking=True)
def contributed_data_conforms(
    context: dg.AssetCheckExecutionContext,
    inputs: InputsResource,
    contributed_data: ContributedDataset,
) -> dg.AssetCheckResult:
    """Contributed rows have the task's columns, types, bounds, labels and null shares (pandera)."""
    return _conforms(context, inputs, contributed_data, "contributed data")


MERGED_CONFORMS = dg.AssetCheckSpec(
    "merged_dataset_conforms",
    asset="merged_dataset",
    blocking=True,
    description="Training rows have the task's columns, types, bounds, labels and null shares "
    "(pandera).",
)
BENCHMARK_IS_DISJOINT = dg.AssetCheckSpec(
    "benchmark_is_disjoint",
    asset="merged_dataset",
    additional_deps=["benchmark_dataset"],
    blocking=True,
    description="No benchmark row's features, exact or normalised, nor its group, stand in the "
    "training rows. Base and contributions alike: a copy of a row on either side of the split is "
    "named here.",
)


# In one step, because each step costs Dagster 0.1 s; each can be run without the other.
@dg.multi_asset_check(
    specs=[MERGED_CONFORMS, BENCHMARK_IS_DISJOINT],
    ins={"benchmark_dataset": dg.AssetIn("benchmark_dataset")},
    can_subset=True,
)
def merged_dataset_checks(
    context: dg.AssetCheckExecutionContext,
    inputs: InputsResource,
    merged_dataset: MergedDataset,
    benchmark_dataset: BenchmarkDataset,
) -> Iterator[dg.AssetCheckResult]:
    """The checks of the training rows."""
    if MERGED_CONFORMS.key in context.selected_asset_check_keys:
        yield _conforms(context, inputs, merged_dataset, "training rows", MERGED_CONFORMS.key)
    if BENCHMARK_IS_DISJOINT.key in context.selected_asset_check_keys:
        yield _benchmark_is_disjoint(context, inputs, merged_dataset, benchmark_dataset)


def _benchmark_is_disjoint(
    context: dg.AssetCheckExecutionContext,
    inputs: InputsResource,
    merged_dataset: MergedDataset,
    benchmark_dataset: BenchmarkDataset,
) -> dg.AssetCheckResult:
    from hokusai_assets.contribution.benchmark_groups import rows_in_common

    with plain_failures():
        features, group = rows_in_common(merged_dataset, benchmark_dataset, inputs.run.task)
    problems = []
    if features:
        problems.append(f"{features} training rows have the features of a benchmark row")
    if group:
        problems.append(f"{group} training rows belong to the group of a benchmark row")
    return _result(
        context,
        problems,
        "Materialize the whole graph again: cleaning removes such rows.",
        BENCHMARK_IS_DISJOINT.key,
        rows=features + group,
    )


@dg.asset_check(asset="benchmark_metrics", blocking=True)
def metrics_are_in_range(
    context: dg.AssetCheckExecutionContext, benchmark_metrics: BenchmarkMetrics
) -> dg.AssetCheckResult:
    """Every metric lies in its range or says why it is undefined; the joint counts add up."""
    from hokusai_assets.evaluation.consistency import inconsistencies

    return _result(
        context,
        inconsistencies(benchmark_metrics),
        "Materialize benchmark_metrics again; if it stays so, report it as a fault.",
        rows=benchmark_metrics.row_count,
    )


@dg.asset_check(
    asset="delta_report",
    blocking=True,
    additional_ins={
        name: dg.AssetIn(name)
        for name in (
            "contributed_data",
            "merged_dataset",
            "baseline_model",
            "new_model",
            "benchmark_dataset",
        )
    },
)
def delta_report_matches_schema(
    context: dg.AssetCheckExecutionContext,
    inputs: InputsResource,
    delta_report: DeltaReport,
    contributed_data: ContributedDataset,
    merged_dataset: MergedDataset,
    baseline_model: TrainedModel,
    new_model: TrainedModel,
    benchmark_dataset: BenchmarkDataset,
) -> dg.AssetCheckResult:
    """What will be written as delta_output matches its JSON Schema."""
    from hokusai_assets.defs.results import benchmark_description, run_configuration
    from hokusai_assets.reporting.delta_output import build_delta_output, schema_violations

    output = build_delta_output(
        run_id="",
        timestamp="",
        dry_run=inputs.run.dry_run,
        config=run_configuration(inputs.run),
        benchmark=benchmark_description(benchmark_dataset),
        contributed=contributed_data,
        merged=merged_dataset,
        baseline=baseline_model,
        candidate=new_model,
        report=delta_report,
        decision=None,
        mlflow_run_id=None,
    )
    return _result(context, schema_violations(output), "Report it as a fault of the program.")


@dg.asset_check(asset="attestation", blocking=True)
def attestation_matches_files(
    context: dg.AssetCheckExecutionContext, attestation: Attestation
) -> dg.AssetCheckResult:
    """The attestation's digests are those of its core and of the files that were written."""
    from hokusai_assets.defs.results import result_disagreements

    return _result(
        context,
        result_disagreements(attestation),
        "The files were changed after they were written: do not use them, evaluate again.",
    )


ALL_CHECKS = [
    contributed_data_conforms,
    merged_dataset_checks,
    metrics_are_in_range,
    delta_report_matches_schema,
    attestation_matches_files,
]
