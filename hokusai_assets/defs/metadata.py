"""What the Dagster UI shows of each record: counts, digests, column schemas, metrics, tables."""

import base64
from typing import Any

import dagster as dg

from hokusai_assets.records import (
    Attestation,
    BenchmarkDataset,
    BenchmarkMetrics,
    Clause,
    ContributedDataset,
    DataManifest,
    Dataset,
    DeltaReport,
    MergedDataset,
    MetricDelta,
    MetricValue,
    TrainedModel,
)
from hokusai_assets.reporting import summary

Metadata = dict[str, Any]


def of_dataset(dataset: Dataset) -> Metadata:
    """Row count, content root and column schema of any dataset."""
    return {
        "dagster/row_count": dataset.row_count,
        "content_root": dataset.content_root,
        "dagster/column_schema": dg.TableSchema(
            columns=[dg.TableColumn(column.name, column.type) for column in dataset.columns]
        ),
    }


def of_manifest(manifest: DataManifest) -> Metadata:
    """Where the rows of one file went, as numbers."""
    counts = manifest.counts
    return {
        "file": manifest.source.name,
        "format": manifest.source.format,
        "rows_read": counts.read,
        "rows_rejected": counts.rejected,
        "pii_cells": sum(hit.cells for hit in manifest.pii),
        "pii_policy": manifest.pii_policy,
        "rejections": dg.MetadataValue.md(_rejections(manifest)),
    }


def of_benchmark(dataset: BenchmarkDataset) -> Metadata:
    """What was left out of the benchmark, and its classes."""
    return {
        "content_root_received": dataset.content_root_received,
        "left_out_as_in_base": dataset.left_out_exact + dataset.left_out_normalised,
        "left_out_as_group_in_base": dataset.left_out_group,
        "sampled_from": dataset.sampled_from,
        "small_classes": summary.small_classes_sentence(dataset) or "none",
        **{f"rows_of_{label}": count for label, count in dataset.class_counts.items()},
    }


def of_contributions(dataset: ContributedDataset) -> Metadata:
    """Where the rows of all contributions went: numbers to plot, a table to read."""
    header = (
        *("contributor", "read", "rejected", "dropped for PII", "duplicates", "leaked"),
        *("paid before", "group in benchmark", "kept"),
    )
    rows = []
    for c in dataset.contributions:
        n = c.counts
        rows.append(
            (
                *(c.contributor_id, n.read, n.rejected, n.dropped_pii, n.deduplicated, n.leaked),
                *(n.already_paid, n.benchmark_group, n.kept),
            )
        )
    all_counts = [c.counts for c in dataset.contributions]
    return {
        "rows_read": sum(n.read for n in all_counts),
        "rows_rejected": sum(n.rejected for n in all_counts),
        "rows_deduplicated": sum(n.deduplicated for n in all_counts),
        "rows_leaked": sum(n.leaked for n in all_counts),
        "rows_already_paid": sum(n.already_paid for n in all_counts),
        "rows_of_benchmark_groups": sum(n.benchmark_group for n in all_counts),
        "rows_kept": sum(n.kept for n in all_counts),
        "pii_cells": sum(p.cells for c in dataset.contributions for p in c.manifest.pii),
        "pii_policy": dataset.contributions[0].manifest.pii_policy,
        "quality": dg.MetadataValue.md(_quality(dataset)),
        "rejections": dg.MetadataValue.md(
            "\n\n".join(_rejections(c.manifest) for c in dataset.contributions)
        ),
        "contributions": dg.MetadataValue.md(_table(header, rows)),
    }


def of_merged(dataset: MergedDataset) -> Metadata:
    """How the training rows came together."""
    return {
        "strategy": dataset.strategy,
        "rows_from_base": dataset.rows_from_base,
        "rows_contributed": sum(dataset.rows_by_contribution),
        "rows_updated": dataset.rows_updated,
    }


def of_model(model: TrainedModel) -> Metadata:
    """What the model is, what it was trained on, and the digests of its files."""
    return {
        "model_type": model.model_type,
        "origin": model.origin,
        "training_rows": model.training_rows if model.training_rows is not None else "unknown",
        "seeds": [file.seed for file in model.files],
        "configuration": dg.MetadataValue.json(model.configuration),
        "files": dg.MetadataValue.json({file.name: file.sha256 for file in model.files}),
    }


def of_metrics(metrics: BenchmarkMetrics) -> Metadata:
    """Each metric of both models as a number, so that the UI plots it over runs."""
    return {
        "benchmark_rows": metrics.row_count,
        **_numbers("baseline", metrics.baseline),
        **_numbers("candidate", metrics.candidate),
    }


def of_report(report: DeltaReport, *, plot: bool) -> Metadata:
    """DeltaOne and the deltas as numbers, the two tables and, with `plot`, a picture of them."""
    one = report.delta_one
    return {
        "delta_one": one.value if one.value is not None else f"undefined: {one.undefined}",
        **{f"delta_{d.metric}": d.delta for d in report.deltas if d.delta is not None},
        **report.changed_rows,
        **_seeds(report),
        **({"plot": dg.MetadataValue.md(_plot(report))} if plot else {}),
        "deltas": dg.MetadataValue.md(deltas_table(report.deltas)),
        "clauses": dg.MetadataValue.md(clauses_table(report.clauses)),
    }


def of_attestation(attestation: Attestation) -> Metadata:
    """The verdict, and the files that were written."""
    decision = attestation.decision
    return {
        "verdict": decision.verdict,
        "provisional": decision.provisional,
        "dry_run": decision.dry_run,
        "why": dg.MetadataValue.md("\n".join(f"- {reason}" for reason in decision.reasons)),
        "core_digest": attestation.core_digest,
        "bundle": dg.MetadataValue.path(attestation.bundle_path),
        "attestation_file": dg.MetadataValue.path(attestation.attestation_path),
        "delta_output_file": dg.MetadataValue.path(attestation.delta_output_path),
        "report": dg.MetadataValue.path(attestation.report_path),
        **{
            f"contributor_page_{number}": dg.MetadataValue.path(path)
            for number, path in enumerate(attestation.contributor_page_paths, 1)
        },
        "tracking": attestation.tracking,
    }


def _seeds(report: DeltaReport) -> Metadata:
    """The noise floor, and the released model's own delta where there are several seeds."""
    if report.null_run is None:
        return {}
    told = {"null_run": summary.noise_sentence(report) or report.null_run.reason or "undefined"}
    released = summary.released_sentence(report)
    return told | ({"released_model": released} if released else {})


def _plot(report: DeltaReport) -> str:
    """The dot-and-whisker plot as Markdown with the image in it; the UI keeps no files."""
    from hokusai_assets.reporting.report.png import UNIT, delta_png, effects_of

    image = base64.b64encode(delta_png(effects_of(report), UNIT)).decode()
    return f"![Deltas in points with 95 % intervals](data:image/png;base64,{image})"


def deltas_table(deltas: tuple[MetricDelta, ...]) -> str:
    """The deltas as a Markdown table, in points of 100."""
    rows = []
    for d in deltas:
        name = d.metric if d.higher_is_better else f"{d.metric} (lower is better)"
        if d.delta is None:
            rows.append((name, _value(d.baseline), _value(d.candidate), "undefined", "", ""))
            continue
        error = "" if d.standard_error_nano is None else f"{d.standard_error_nano / 1e7:.2f}"
        p_value = "" if d.p_value_pico is None else f"{d.p_value_pico / 1e12:.2g}"
        rows.append(
            (
                name,
                _value(d.baseline),
                _value(d.candidate),
                f"{100 * d.delta:+.2f}",
                error,
                p_value,
            )
        )
    return _table(("metric", "baseline", "candidate", "delta (points)", "± SE", "p"), rows)


def clauses_table(clauses: tuple[Clause, ...]) -> str:
    """The rule's clauses as a Markdown table."""
    rows = [(c.name, "holds" if c.holds else "does not hold", c.sentence) for c in clauses]
    return _table(("clause", "", "numbers"), rows)


def _value(metric: MetricValue) -> str:
    return f"{metric.value:.4f}" if metric.value is not None else "undefined"


def _numbers(model: str, metrics: tuple[MetricValue, ...]) -> Metadata:
    return {
        f"{model}_{m.metric}": m.value if m.value is not None else f"undefined: {m.undefined}"
        for m in metrics
    }


def _quality(dataset: ContributedDataset) -> str:
    rows = []
    for c in dataset.contributions:
        if c.manifest.quality is None:
            continue
        rows.append((c.contributor_id, "score", f"{c.manifest.quality.score:.3f}", ""))
        for part in c.manifest.quality.parts:
            value = f"undefined: {part.reason}" if part.value is None else f"{part.value:.3f}"
            if part.base_value is not None:
                value += f" (base: {part.base_value:.3f})"
            rows.append((c.contributor_id, part.name, value, part.definition))
            for column, told in part.columns.items():
                shown = "undefined" if told is None else f"{told:.3f}"
                rows.append((c.contributor_id, f"{part.name} of {column}", shown, ""))
    return _table(("contributor", "part", "value", "definition"), rows)


def _rejections(manifest: DataManifest) -> str:
    rows = [
        (r.column or "", r.reason, r.count, ", ".join(map(str, r.first_rows)))
        for r in manifest.rejections
    ]
    return _table(("column", "reason", "rows", "first rows"), rows) if rows else "None."


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    def line(cells: tuple[Any, ...]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "---|" * len(header)
    return "\n".join([line(header), rule, *(line(row) for row in rows)])
