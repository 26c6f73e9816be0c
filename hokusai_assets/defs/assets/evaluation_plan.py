"""The plan: what is committed to before any training."""

import dagster as dg

from hokusai_assets import second_process
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.records import (
    BaseDataset,
    BenchmarkDataset,
    ContributedDataset,
    EvaluationPlan,
    MergedDataset,
)


@dg.asset(group_name="evaluation", kinds={"python", "json"}, code_version="1")
def evaluation_plan(
    context: dg.AssetExecutionContext,
    inputs: InputsResource,
    ledger: LedgerResource,
    base_dataset: BaseDataset,
    benchmark_dataset: BenchmarkDataset,
    contributed_data: ContributedDataset,
    merged_dataset: MergedDataset,
) -> dg.MaterializeResult[EvaluationPlan]:
    """Digests, rule and number of seeds; gives the training seeds and the attempt number."""
    from hokusai_assets.attestation.plan import commit_plan, paid_root_of_inputs, plan_body
    from hokusai_assets.attestation.rows.references import salt_key_id
    from hokusai_assets.attribution.row_share import row_shares
    from hokusai_assets.contribution.benchmark_groups import rows_in_common
    from hokusai_assets.evaluation.rule import rule_parameters
    from hokusai_assets.evaluation.slices import slice_counts
    from hokusai_assets.modeling.estimators import number_of_seeds

    run = inputs.run
    with plain_failures():
        seeds = second_process.call(number_of_seeds, run.task)
        body = plan_body(
            run.task,
            base_dataset,
            benchmark_dataset,
            contributed_data,
            merged_dataset,
            rule=rule_parameters(
                run.task,
                number_of_seeds=seeds,
                class_counts=benchmark_dataset.class_counts,
                slice_counts=slice_counts(run.task, benchmark_dataset),
            ),
            baseline_sha256=run.baseline_sha256(),
            number_of_seeds=seeds,
            nonce=run.nonce,
            paid_root=paid_root_of_inputs(benchmark_dataset, contributed_data),
            dry_run=run.dry_run,
            salt_key_id=salt_key_id(run.salt_secret),
        )
        ledger.keep_benchmark(run, benchmark_dataset)
        plan = commit_plan(
            body,
            ledger.open(dry_run=run.dry_run),
            nonce=run.nonce,
            rows_left_in_training=sum(rows_in_common(merged_dataset, benchmark_dataset, run.task)),
            shares=row_shares(contributed_data, merged_dataset),
        )
    context.log.info(f"attempt {plan.attempt.number}, {len(plan.seeds)} seed(s) from the plan")
    return dg.MaterializeResult(
        value=plan,
        metadata={
            "plan_digest": plan.digest,
            "attempt": plan.attempt.number,
            "provisional": plan.attempt.provisional,
            "seeds": list(plan.seeds),
            "plan": dg.MetadataValue.json(plan.body),
        },
    )
