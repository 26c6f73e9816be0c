"""What follows from what was measured: clauses, the report, the decision, the attestation."""

from typing import Any, Literal

from hokusai_assets.decision_rule import GuardFacts
from hokusai_assets.records.base import Record
from hokusai_assets.records.metrics import (
    DeltaOne,
    MetricDelta,
    ModelDetails,
    NullRun,
    ReleasedModel,
    SliceDelta,
    TargetRange,
)
from hokusai_assets.records.plans import ContributorShare
from hokusai_assets.task import MetricName


class Clause(Record):
    """One clause of the decision rule: its numbers and whether it holds (undefined does not)."""

    name: str
    holds: bool
    numbers: dict[str, int | str | None]
    sentence: str


class DeltaReport(Record):
    """Deltas, DeltaOne, guards, the rule's clauses and the row shares; never a verdict.

    Rows are fixed and broken where labels are predicted, nearer and farther where numbers are; the
    other two are then None.
    """

    deltas: tuple[MetricDelta, ...]
    delta_one: DeltaOne
    primary: MetricName
    fixed_rows: int | None
    broken_rows: int | None
    row_count: int
    guards: tuple[GuardFacts, ...]
    clauses: tuple[Clause, ...]
    shares: tuple[ContributorShare, ...]
    baseline_details: ModelDetails
    candidate_details: ModelDetails
    slices: tuple[SliceDelta, ...] = ()
    null_run: NullRun | None = None  # None where an older version measured none
    released: ReleasedModel | None = None  # None with one seed, whose deltas are the report's
    nearer_rows: int | None = None
    farther_rows: int | None = None
    target_range: TargetRange | None = None  # of a regression

    @property
    def changed_rows(self) -> dict[str, int]:
        """The rows that tell the models apart, by name: fixed and broken, or nearer and farther."""
        told = {
            "rows_fixed": self.fixed_rows,
            "rows_broken": self.broken_rows,
            "rows_nearer": self.nearer_rows,
            "rows_farther": self.farther_rows,
        }
        return {name: rows for name, rows in told.items() if rows is not None}

    def delta_of(self, metric: MetricName) -> MetricDelta:
        """The delta of one metric."""
        return next(d for d in self.deltas if d.metric == metric)


class Decision(Record):
    """The verdict and why; depends on what came before, so it is no part of the core."""

    verdict: Literal["accepted", "rejected", "superseded"]
    provisional: bool
    dry_run: bool
    attempt: int
    alpha_pico: int
    measured_bps: int | None = None
    payable_bps: int = 0
    retire: Literal["on_acceptance", "never"]
    reasons: tuple[str, ...]
    clauses: tuple[Clause, ...]


class Attestation(Record):
    """The core, its digest, the decision, and the files that were written."""

    run_id: str
    core: dict[str, Any]
    core_digest: str
    decision: Decision
    attestation_path: str
    delta_output_path: str
    bundle_path: str = ""  # as the next, where an older version wrote none
    report_path: str = ""  # "" and () where an older version wrote no pages
    contributor_page_paths: tuple[str, ...] = ()
    file_digests: dict[str, str]
    mlflow_run_id: str | None
    tracking: str
