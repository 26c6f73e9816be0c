"""The end of an evaluation: decide, write the bundle, the result files and their pages, track.

Joins what attestation/ and reporting/ make, which know nothing of one another. The attestation is
written after what it names, the bundle too: where it stands, that stands. The pages come last,
since they can be made again from the two files at any time; their digests stand nowhere.
"""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hokusai_assets.attestation.bundle import staged
from hokusai_assets.attestation.bundle_reading import read_bundle, record_disagreements
from hokusai_assets.attestation.core import build_core, core_digest
from hokusai_assets.attestation.deciding import decision_of
from hokusai_assets.attestation.decision import (
    LedgerEntry,
    current_of,
    decision_body,
    decision_document,
)
from hokusai_assets.attestation.document import (
    attestation_name,
    build_document,
    disagreements,
    document_bytes,
    read_document,
)
from hokusai_assets.attestation.ledger import Ledger, Recorded
from hokusai_assets.attestation.signing.signing import Signer
from hokusai_assets.defs.bundling import copy_contribution, copy_model, run_record, write_rows
from hokusai_assets.defs.provenance import write_provenance
from hokusai_assets.defs.resources.inputs import RunInputs
from hokusai_assets.defs.resources.tracking import TrackingResource
from hokusai_assets.errors import AttestationError
from hokusai_assets.files import is_url, write_once
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
from hokusai_assets.reporting.delta_output import (
    build_delta_output,
    delta_output_bytes,
    delta_output_name,
)
from hokusai_assets.reporting.report.contributor import render_contributor_pages
from hokusai_assets.reporting.report.page import render_report, report_name
from hokusai_assets.reporting.tracked_run import tracked_run


def run_configuration(run: RunInputs) -> dict[str, Any]:
    """What the run was asked to do: no paths, no secrets."""
    return {
        "mode": run.mode,
        "task_id": run.task.id,
        "task_digest": run.task_digest,
        "seed": run.task.seed,
        "estimator": run.task.model.estimator,
        "merge_strategy": run.task.merge.strategy,
        "metrics": list(run.task.metrics.included),
        "primary_metric": run.task.metrics.primary,
        "baseline": "trained" if run.baseline is None else "stored",
    }


def benchmark_description(benchmark: BenchmarkDataset) -> dict[str, Any]:
    """The benchmark by counts and digests; its rows stay closed."""
    return {
        "name": benchmark.manifest.source.name,
        "content_root": benchmark.content_root,
        "content_root_received": benchmark.content_root_received,
        "rows": benchmark.row_count,
        "left_out_as_in_base": benchmark.left_out_exact + benchmark.left_out_normalised,
        "left_out_as_group_in_base": benchmark.left_out_group,
        "class_counts": benchmark.class_counts,
        "class_rows_needed": benchmark.class_rows_needed,
        "small_classes": benchmark.small_classes,
    }


def write_results(
    run: RunInputs,
    *,
    run_id: str,
    timestamp: str,
    output_dir: str,
    ledger: Ledger,
    keep_paid: Callable[[], None],
    signer: Signer,
    tracking: TrackingResource,
    report: DeltaReport,
    metrics: BenchmarkMetrics,
    plan: EvaluationPlan,
    baseline: TrainedModel,
    candidate: TrainedModel,
    benchmark: BenchmarkDataset,
    contributed: ContributedDataset,
    merged: MergedDataset,
) -> Attestation:
    """Decide, write the bundle, `delta_output_*.json`, `attestation_*.json`, pages, and track."""
    # Absolute in what is stored: checks and replays may run from another folder.
    output_dir = output_dir if is_url(output_dir) else str(Path(output_dir).absolute())
    with staged(output_dir, run_id) as stage:
        core = build_core(
            run.task,
            dry_run=run.dry_run,
            configuration=run_configuration(run),
            benchmark=benchmark,
            contributed=contributed,
            plan=plan,
            baseline=baseline,
            candidate=candidate,
            metrics=metrics,
            report=report,
            rows=write_rows(stage, run, plan, benchmark, metrics),
        )
        copy_model(stage, baseline)
        copy_model(stage, candidate)
        copy_contribution(stage, run.task, contributed)
        write_provenance(stage, run.task, benchmark, contributed, metrics)
        # By the code that a verifier runs, from core and plan alone.
        attempt, provisional = plan.attempt.number, plan.attempt.provisional
        if decision_of(core, plan.body, attempt, provisional, True).verdict == "accepted":
            keep_paid()
        recorded = ledger.append_decision(
            plan.digest,
            core_digest(core),
            lambda current: decision_body(
                core,
                plan.body,
                attempt=attempt,
                current=current,
                candidate_file_sha256=candidate.files[0].sha256,
                provisional=provisional,
            ),
        )
        decision = decision_of(core, plan.body, attempt, provisional, current_of(recorded.body))
        bundle_path = stage.publish(
            core=core,
            plan=plan.body,
            decision=decision_document(recorded.body, _place(recorded)),
            run=run_record(run_id, timestamp, tracking.started_ms, int(time.time() * 1000)),
        )
    signer.sign(bundle_path)
    mlflow_run_id = tracking.begin(run_id)
    delta_output = delta_output_bytes(
        build_delta_output(
            run_id=run_id,
            timestamp=timestamp,
            dry_run=run.dry_run,
            config=run_configuration(run),
            benchmark=benchmark_description(benchmark),
            contributed=contributed,
            merged=merged,
            baseline=baseline,
            candidate=candidate,
            report=report,
            decision=decision,
            mlflow_run_id=mlflow_run_id,
        )
    )
    digests = {delta_output_name(run_id): hashlib.sha256(delta_output).hexdigest()}
    document = document_bytes(
        build_document(
            core,
            run_id=run_id,
            timestamp=timestamp,
            plan=plan,
            baseline=baseline,
            candidate=candidate,
            decision=decision,
            files=digests,
        )
    )
    delta_output_path = write_once(output_dir, delta_output_name(run_id), delta_output)
    attestation_path = write_once(output_dir, attestation_name(run_id), document)
    report_path, contributor_page_paths = _write_pages(output_dir, run_id, delta_output, document)
    digests[attestation_name(run_id)] = hashlib.sha256(document).hexdigest()
    tracked = tracked_run(
        run.task,
        run_id=run_id,
        started_ms=tracking.started_ms,
        dry_run=run.dry_run,
        benchmark=benchmark,
        contributed=contributed,
        merged=merged,
        plan=plan,
        baseline=baseline,
        candidate=candidate,
        report=report,
        decision=decision,
        core_digest=core_digest(core),
        files=(delta_output_path, attestation_path, report_path),
    )
    return Attestation(
        run_id=run_id,
        core=core,
        core_digest=core_digest(core),
        decision=decision,
        attestation_path=attestation_path,
        delta_output_path=delta_output_path,
        bundle_path=bundle_path,
        report_path=report_path,
        contributor_page_paths=contributor_page_paths,
        file_digests=digests,
        mlflow_run_id=mlflow_run_id,
        tracking=tracking.log(tracked),
    )


def _place(recorded: Recorded) -> LedgerEntry | None:
    """Where a decision stands in the ledger."""
    if recorded.entry_hash is None or recorded.previous is None:
        return None
    return LedgerEntry(recorded.entry_hash, recorded.previous)


def _write_pages(
    output_dir: str, run_id: str, delta_output: bytes, document: bytes
) -> tuple[str, tuple[str, ...]]:
    """The report and the contributors' pages, made of what was written; their paths."""
    output, attestation = json.loads(delta_output), json.loads(document)
    page = render_report(output, attestation).encode()
    pages = render_contributor_pages(output, attestation)
    return write_once(output_dir, report_name(run_id), page), tuple(
        write_once(output_dir, name, text.encode()) for name, text in pages.items()
    )


def result_disagreements(attestation: Attestation) -> list[str]:
    """What in the written files disagrees with the attestation's record, one line each."""
    import fsspec

    contents: dict[str, bytes] = {}
    for path in (attestation.delta_output_path, attestation.attestation_path):
        fs, place = fsspec.core.url_to_fs(path)
        if fs.exists(place):
            contents[path.rsplit("/", 1)[-1]] = fs.cat_file(place)
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    problems = [
        f"file {name} is missing" if name not in found else f"file {name} was changed"
        for name, digest in sorted(attestation.file_digests.items())
        if found.get(name) != digest
    ]
    if core_digest(attestation.core) != attestation.core_digest:
        problems.append("the record's core does not have the record's core digest")
    problems += _bundle_problems(attestation)
    name = attestation_name(attestation.run_id)
    if name in contents:
        try:
            document = read_document(contents[name], name)
        except AttestationError as error:
            return [*problems, str(error)]
        problems += disagreements(document, found)
        if document.get("core_digest") != attestation.core_digest:
            problems.append(f"{name} holds another core than the record")
    return problems


def _bundle_problems(attestation: Attestation) -> list[str]:
    """What in the bundle disagrees with the record; nothing where an older version wrote none."""
    if not attestation.bundle_path:
        return []
    try:
        bundle = read_bundle(attestation.bundle_path)
    except AttestationError as error:
        return [f"bundle: {error}"]
    problems = [f"bundle: {problem}" for problem in record_disagreements(bundle)]
    if bundle.core != attestation.core:
        problems.append("bundle: it holds another core than the record")
    elif not problems and bundle.decision["body"]["verdict"] != attestation.decision.verdict:
        problems.append("bundle: it holds another verdict than the record")
    return problems
