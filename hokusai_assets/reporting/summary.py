"""What a terminal shows of one evaluation: some 25 lines of at most 80 columns, paths aside."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from hokusai_assets.records import (
    Attestation,
    BenchmarkDataset,
    Clause,
    CleanContribution,
    CleaningCounts,
    ContributedDataset,
    DeltaReport,
    MergedDataset,
    MetricDelta,
    ReportedInterval,
)

WIDTH = 80


def cleaning_sentence(contribution: CleanContribution) -> str:
    """Where one contributor's rows went."""
    n = contribution.counts
    return (
        f"{contribution.contributor_id}: {n.read:,} rows read, {n.rejected:,} rejected, "
        f"{n.dropped_pii:,} dropped for PII, {n.deduplicated:,} duplicates, {n.leaked:,} leaked, "
        + _seldom([n])
        + f"{n.kept:,} kept"
    )


def _seldom(counts: Sequence[CleaningCounts]) -> str:
    """What happens seldom, only where it happened: a row more of what adds up."""
    paid = sum(c.already_paid for c in counts)
    group = sum(c.benchmark_group for c in counts)
    return (f"{paid:,} paid for before, " if paid else "") + (
        f"{group:,} of groups in the benchmark, " if group else ""
    )


def small_classes_sentence(benchmark: BenchmarkDataset) -> str:
    """Which classes are scored on too few rows to say anything; "" where none is."""
    small = benchmark.small_classes
    if not small:
        return ""
    told = ", ".join(f"{label} {rows:,}" for label, rows in small.items())
    cure = "add rows of it"
    if benchmark.row_count < benchmark.sampled_from:
        cure = "raise benchmark.max_rows"
    return (
        f"too few rows to say anything of: {told} (a class needs {benchmark.class_rows_needed:,}; "
        f"{cure})"
    )


def noise_sentence(report: DeltaReport) -> str:
    """What training again with another seed changes; "" where nothing was measured."""
    if report.null_run is None or report.primary not in report.null_run.noise:
        return ""
    found = report.null_run.noise[report.primary]
    return (
        f"the {report.null_run.model} against itself, {report.null_run.seeds} seeds: "
        f"{report.primary} differs by at most {found.largest_bps:.0f} bps, standard deviation "
        f"{found.deviation_bps:.0f} ({found.deviation_of_means_bps:.0f} of the means)"
    )


def released_sentence(report: DeltaReport) -> str:
    """The released model's own delta; "" with one seed, whose delta stands there already."""
    if report.released is None or report.primary not in report.released.deltas:
        return ""
    return (
        f"the first seed's: {report.primary} {_points(report.released.deltas[report.primary])}"
        + (
            ""
            if report.released.delta_one is None
            else f", DeltaOne {_points(report.released.delta_one)}"
        )
    )


def deltas_sentence(report: DeltaReport) -> str:
    """The deltas in one line."""
    parts = [
        f"{d.metric} {'undefined' if d.delta is None else _points(d.delta)}"
        + ("" if d.higher_is_better else " (lower is better)")
        for d in report.deltas
    ]
    one = report.delta_one.value
    return f"DeltaOne {'undefined' if one is None else _points(one)} ({', '.join(parts)})"


def verdict_sentence(attestation: Attestation) -> str:
    """The verdict with what it is worth."""
    decision = attestation.decision
    if decision.dry_run:
        return f"DRY RUN, counts for nothing; on real data this would be {decision.verdict}"
    said = decision.verdict.upper()
    if decision.provisional:
        said += " (provisional, without a ledger)"
    if decision.verdict == "accepted" and decision.measured_bps is not None:
        said += f"; {decision.payable_bps:,} of {decision.measured_bps:,} bps payable"
    return said


def summary_lines(
    attestation: Attestation,
    report: DeltaReport,
    contributed: ContributedDataset,
    benchmark: BenchmarkDataset,
    merged: MergedDataset,
) -> list[str]:
    """What happened, from the rows read to the files written."""
    counts = [c.counts for c in contributed.contributions]
    pii: dict[str, int] = {}
    for contribution in contributed.contributions:
        for hit in contribution.manifest.pii:
            pii[hit.detector] = pii.get(hit.detector, 0) + hit.cells
    found = ", ".join(f"{kind} in {cells:,}" for kind, cells in sorted(pii.items()))
    dropped = sum(c.dropped_pii for c in counts)
    lines = [
        *_entry(
            "Contribution",
            f"{sum(c.read for c in counts):,} rows read, "
            f"{sum(c.rejected for c in counts):,} rejected, "
            f"{sum(c.deduplicated for c in counts):,} deduplicated, "
            f"{sum(c.leaked for c in counts):,} leaked, {_seldom(counts)}"
            f"{sum(c.kept for c in counts):,} kept",
        ),
        *_entry(
            "Personal data",
            (f"cells treated: {found}" if pii else "none found")
            + (f"; {dropped:,} rows dropped" if dropped else ""),
        ),
        *_entry(
            "Training rows",
            f"{merged.rows_from_base:,} base + {sum(merged.rows_by_contribution):,} contributed "
            f"= {merged.row_count:,} ({merged.strategy})",
        ),
        *_entry(
            "Benchmark",
            f"{benchmark.row_count:,} rows: {_changes(report)}"
            + (
                f"; {benchmark.left_out_group:,} left out, their group is in base"
                if benchmark.left_out_group
                else ""
            ),
        ),
        *_entry("", small_classes_sentence(benchmark)),
        *_metric_lines(report),
        *_entry("Null run", noise_sentence(report)),
        *_entry("Released", released_sentence(report)),
        *_entry("Verdict", verdict_sentence(attestation)),
        *(line for clause in report.clauses for line in _clause_lines(clause)),
        *_entry("Core digest", attestation.core_digest),
        *_entry("Tracking", attestation.tracking),
        *_entry("Written", _shown(attestation.report_path)),
        *_entry("", "and contributor_*.html, delta_output_*, attestation_*, bundle_*"),
    ]
    return lines


def _changes(report: DeltaReport) -> str:
    """How many rows are fixed and broken, or nearer and farther."""
    told = report.changed_rows.items()
    return ", ".join(f"{rows:,} {name.removeprefix('rows_')}" for name, rows in told)


def _shown(path: str) -> str:
    """A path below the working folder as it is seen from there."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _entry(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{name:<14}",
        subsequent_indent=" " * 14,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _clause_lines(clause: Clause) -> list[str]:
    mark = "holds" if clause.holds else "FAILS"
    return textwrap.wrap(
        clause.sentence, WIDTH, initial_indent=f"  {mark} ", subsequent_indent=" " * 8
    )


def _metric_lines(report: DeltaReport) -> list[str]:
    names = max([13, *(len(_short(d.metric)) for d in report.deltas)]) + 1
    losses = ", ".join(d.metric for d in report.deltas if not d.higher_is_better)
    head = f"{'metric':<{names}}{'baseline':>9}    {'new':>6}{'delta':>12}{'95 % interval':>18}"
    return [
        f"{head}{'p':>10}",
        *(_metric_line(delta, names) for delta in report.deltas),
        _delta_one_line(report, names),
        *(_entry("", f"lower is better: {losses}") if losses else []),
    ]


def _short(metric: str) -> str:
    """A metric's name in at most 20 characters: of one's own, the end tells more."""
    return metric if len(metric) <= 20 else "…" + metric[-19:]


def _metric_line(delta: MetricDelta, names: int) -> str:
    if delta.delta is None or delta.baseline.value is None or delta.candidate.value is None:
        return "\n".join(_entry(f"{delta.metric} ", f"undefined: {delta.undefined}"))
    return (
        f"{_short(delta.metric):<{names}}"
        f"{delta.baseline.value:>9.4f} -> {delta.candidate.value:>6.4f}"
        f"{_points(delta.delta):>12}" + _uncertainty(delta.interval, delta.p_value_pico)
    )


def _delta_one_line(report: DeltaReport, names: int) -> str:
    one = report.delta_one
    if one.value is None:
        return f"{'DeltaOne':<14} undefined: {one.undefined}"
    return f"{'DeltaOne':<{names}}{'':>19}{_points(one.value):>12}" + _uncertainty(
        one.interval, one.p_value_pico
    )


def _points(delta: float) -> str:
    return f"{100 * delta:+.2f} pts"


def _uncertainty(interval: ReportedInterval | None, p_value_pico: int | None) -> str:
    ends = ""
    if interval is not None:
        ends = f"[{interval.low_nano / 1e7:+.2f}, {interval.high_nano / 1e7:+.2f}]"
    p_value = "" if p_value_pico is None else f"{p_value_pico / 1e12:.1e}"
    if p_value_pico in (0, 1):  # rounded up, or less than a double can say
        p_value = "<=1e-12"
    return f"{ends:>18}{p_value:>10}"
