"""The attestation, and the files of an evaluation."""

import datetime
import functools

import dagster as dg

from hokusai_assets.defs import metadata
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.defs.resources.signer import SignerResource
from hokusai_assets.defs.resources.tracking import TrackingResource
from hokusai_assets.records import (
    Attestation,
    BenchmarkDataset,
    BenchmarkMetrics,
    ContributedDataset,
    DeltaReport,
    EvaluationPlan,
    MergedDataset,
    TrainedModel,
)


@dg.asset(group_name="attestation", kinds={"python", "json"}, code_version="1")
def attestation(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    outputs: OutputsResource,
    tracking: TrackingResource,
    ledger: LedgerResource,
    signer: SignerResource,
    delta_report: DeltaReport,
    benchmark_metrics: BenchmarkMetrics,
    evaluation_plan: EvaluationPlan,
    baseline_model: TrainedModel,
    new_model: TrainedModel,
    benchmark_dataset: BenchmarkDataset,
    contributed_data: ContributedDataset,
    merged_dataset: MergedDataset,
) -> dg.MaterializeResult[Attestation]:
    """The core with its digest, the decision, and the digests of the files written."""
    from hokusai_assets.defs.results import write_results
    from hokusai_assets.reporting import summary

    with plain_failures():
        record = write_results(
            inputs.run,
            run_id=context.run.run_id,
            timestamp=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            output_dir=outputs.output_dir,
            ledger=ledger.open(dry_run=inputs.run.dry_run),
            keep_paid=functools.partial(ledger.keep_contributions, inputs.run, contributed_data),
            signer=signer.open(dry_run=inputs.run.dry_run),
            tracking=tracking,
            report=delta_report,
            metrics=benchmark_metrics,
            plan=evaluation_plan,
            baseline=baseline_model,
            candidate=new_model,
            benchmark=benchmark_dataset,
            contributed=contributed_data,
            merged=merged_dataset,
        )
    context.log.info(summary.verdict_sentence(record))
    context.log.info(f"written: {record.report_path} and, beside it, the files it is made of")
    return dg.MaterializeResult(value=record, metadata=metadata.of_attestation(record))
