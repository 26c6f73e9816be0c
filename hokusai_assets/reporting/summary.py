"""What a terminal shows of one evaluation: at most 25 lines of at most 80 columns."""

from hokusai_assets.records import (
    Attestation,
    BenchmarkDataset,
    ContributedDataset,
    DeltaReport,
    MergedDataset,
    MetricDelta,
)

WIDTH = 80


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
    found = ", ".join(f"{kind} {cells}" for kind, cells in sorted(pii.items())) or "none"
    decision = attestation.decision
    verdict = decision.verdict.upper()
    if decision.dry_run:
        verdict = f"DRY RUN, counts for nothing (the rule says: {decision.verdict})"
    elif decision.provisional:
        verdict += " (provisional: no ledger)"
    lines = [
        f"Contribution   {sum(c.read for c in counts):,} rows read, "
        f"{sum(c.rejected for c in counts):,} rejected, "
        f"{sum(c.deduplicated for c in counts):,} duplicates, "
        f"{sum(c.leaked for c in counts):,} leaked, "
        f"{sum(c.kept for c in counts):,} kept",
        f"Personal data  cells with {found}" if pii else "Personal data  none found",
        f"Training       {merged.rows_from_base:,} base + "
        f"{sum(merged.rows_by_contribution):,} contributed = {merged.row_count:,} rows "
        f"({merged.strategy})",
        f"Benchmark      {benchmark.row_count:,} rows; {report.fixed_rows:,} fixed, "
        f"{report.broken_rows:,} broken",
        "",
        f"{'metric':<12}{'baseline':>10}   {'new':>8}{'delta':>11}{'± SE':>9}{'p':>10}",
        *(_metric_line(delta) for delta in report.deltas),
        _delta_one_line(report),
        "",
        f"Verdict        {verdict}",
        *(f"  {'+' if clause.holds else '-'} {clause.sentence}" for clause in report.clauses),
        f"Core digest    {attestation.core_digest[:32]}...",
        f"Tracking       {attestation.tracking}",
        f"Written        {attestation.delta_output_path}",
        f"               {attestation.attestation_path}",
    ]
    return lines


def _metric_line(delta: MetricDelta) -> str:
    if delta.delta is None or delta.baseline.value is None or delta.candidate.value is None:
        return f"{delta.metric:<12} undefined: {delta.undefined}"
    return (
        f"{delta.metric:<12}{delta.baseline.value:>10.4f} -> {delta.candidate.value:>8.4f}"
        f"{_points(delta.delta):>11}" + _uncertainty(delta.standard_error_nano, delta.p_value_pico)
    )


def _delta_one_line(report: DeltaReport) -> str:
    one = report.delta_one
    if one.value is None:
        return f"{'DeltaOne':<12} undefined: {one.undefined}"
    return f"{'DeltaOne':<12}{'':>22}{_points(one.value):>11}" + _uncertainty(
        one.standard_error_nano, one.p_value_pico
    )


def _points(delta: float) -> str:
    return f"{100 * delta:+.2f} pts"


def _uncertainty(error_nano: int | None, p_value_pico: int | None) -> str:
    error = "" if error_nano is None else f"{error_nano / 1e7:.2f}"
    p_value = "" if p_value_pico is None else f"{p_value_pico / 1e12:.1e}"
    return f"{error:>9}{p_value:>10}"
