"""The frozen records that rooms and assets hand to one another.

Datasets and models travel as a record plus a folder of files, never as a table in memory: the
storage layer publishes the folder and keeps the record. Units live in names (`_bps`,
`_millionths`, `_nano` = 1e-9, `_pico` = 1e-12). How a record is computed stands in the room that
returns it; how it is stored stands in defs/.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from hokusai_assets.decision_rule import GuardFacts
from hokusai_assets.digests import digest_json
from hokusai_assets.task import Label, MetricName

Mode = Literal["files", "mock"]


class Record(BaseModel):
    """Base of all records."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredRecord(Record):
    """A record whose files lie in a folder: a local path or an fsspec URL."""

    folder: str

    def moved(self, folder: str) -> Self:
        """The same record with its files elsewhere."""
        return self.model_copy(update={"folder": folder})


# --- what goes in ---------------------------------------------------------------------------------


class ContributionSource(Record):
    """One contributed file and whose it is."""

    path: str
    contributor_id: str
    wallet_address: str


# --- datasets -------------------------------------------------------------------------------------


class ColumnSchema(Record):
    """Name and logical type of a stored column."""

    name: str
    type: str


class SourceFile(Record):
    """What is known of what was sent before its rows are looked at; `name` has no folder in it.

    Of a folder or pattern, `files` are taken together: sizes are added, and `sha256` is that of the
    files' own, in order, as hex with a line feed after each.
    """

    name: str
    size_bytes: int
    modified: str
    format: Literal["csv", "json", "jsonl", "parquet", "mixed"]
    encoding: str | None
    compression: Literal["gzip", "zstd", "mixed"] | None = None
    sha256: str = ""
    files: int = 1
    notes: tuple[str, ...] = ()


class RejectionReason(Record):
    """Why rows were rejected: how many, and the first row numbers (1 is the first data row)."""

    column: str | None
    reason: str
    count: int
    first_rows: tuple[int, ...]


class PiiCount(Record):
    """Hits of one detector in one column, and what was done."""

    column: str
    detector: str
    action: str
    cells: int


class CleaningCounts(Record):
    """Where every row of a file went; the parts add up to `read`."""

    read: int
    rejected: int = 0
    dropped_pii: int = 0
    duplicates_within: int = 0
    duplicates_of_base: int = 0
    duplicates_across: int = 0
    duplicates_normalised: int = 0
    duplicates_near: int = 0
    leaked_exact: int = 0
    leaked_normalised: int = 0
    leaked_near: int = 0
    already_paid: int = 0
    # of a group (author, product, patient) that is scored, and no row of which may be trained on
    benchmark_group: int = 0
    kept: int
    # kept rows whose features stand with another label in base or in the file: reported only
    conflicts: int = 0
    # kept rows that are duplicates of a kind that the task lets stay
    duplicates_reported: int = 0

    @property
    def deduplicated(self) -> int:
        """Rows dropped because what they say was there already."""
        return (
            self.duplicates_within
            + self.duplicates_of_base
            + self.duplicates_across
            + self.duplicates_normalised
            + self.duplicates_near
        )

    @property
    def leaked(self) -> int:
        """Rows dropped because their features, or nearly these, stand in the benchmark."""
        return self.leaked_exact + self.leaked_normalised + self.leaked_near

    @property
    def distinct(self) -> int:
        """Rows that say something of their own: not rejected, dropped, duplicates or paid for.

        The share that leaked is of these. Rows paid for before, and rows of the benchmark's groups,
        would dilute it as copies would: whoever sends them has them, and they change no model.
        """
        return self.leaked + self.kept

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        gone = self.rejected + self.dropped_pii + self.deduplicated + self.leaked
        if self.read != gone + self.already_paid + self.benchmark_group + self.kept:
            raise ValueError("the counts of cleaning do not add up to the rows read")
        return self


class QualityPart(Record):
    """One part of the quality score, in [0, 1]; `value` is None exactly when `reason` says why.

    `base_value` is the same of the base data, where that is known and helps to read the value;
    `columns` is what the part says of each column, in the part's own measure.
    """

    name: str
    value: float | None
    definition: str
    reason: str | None = None
    base_value: float | None = None
    columns: dict[str, float | None] = {}


class Quality(Record):
    """A score in [0, 1] for people to look at; never used for money."""

    score: float
    parts: tuple[QualityPart, ...]


class DataManifest(Record):
    """What a file held and what cleaning did with it; no cell's value stands here."""

    source: SourceFile
    data_hash: str
    row_count: int
    column_count: int
    columns: tuple[ColumnSchema, ...]
    null_counts: dict[str, int]
    unique_counts: dict[str, int]
    unique_counts_exact: bool = True  # of many rows they are estimates, within some 3 %
    # of numbers least, greatest, mean and standard deviation; of texts and bytes their lengths'
    column_statistics: dict[str, dict[str, float]] = {}
    engines: dict[str, str] = {}
    dropped_columns: tuple[str, ...]
    rejections: tuple[RejectionReason, ...]
    pii: tuple[PiiCount, ...]
    pii_policy: str  # a sentence: hashed with key ..., or masked because no key was given
    counts: CleaningCounts
    quality: Quality | None = None
    near_method: str = "Near rows were not looked for."


class Dataset(StoredRecord):
    """Typed, PII-treated rows as a folder of Parquet files, in canonical order."""

    content_root: str
    row_count: int
    columns: tuple[ColumnSchema, ...]


class BaseDataset(Dataset):
    """The rows the baseline was trained on."""

    manifest: DataManifest


class BenchmarkDataset(Dataset):
    """The rows both models are scored on."""

    manifest: DataManifest
    content_root_received: str
    left_out_exact: int
    left_out_normalised: int
    left_out_group: int = 0  # rows left out because their group stands in base, and only for that
    near_base: int  # rows that stay although a base row says nearly the same
    sampled_from: int
    class_counts: dict[str, int]
    class_rows_needed: int = 0  # with fewer, a class may lose 5 points of its recall unseen
    paid_root: str | None = None  # over the rows paid for, of which it holds none

    @property
    def small_classes(self) -> dict[str, int]:
        """Classes that are scored on too few rows to say anything, with how many they have."""
        return {
            label: rows
            for label, rows in self.class_counts.items()
            if rows < self.class_rows_needed
        }


class PaidDataset(Dataset):
    """Treated rows of an accepted contribution, or of a retired benchmark.

    `columns` are their content; `features` those that their feature keys were made of.
    """

    features: tuple[ColumnSchema, ...]


class CleanContribution(Record):
    """One contributor's part of the contributed data."""

    contributor_id: str
    wallet_address: str
    content_root_received: str
    content_root_cleaned: str
    counts: CleaningCounts
    manifest: DataManifest


class ContributedDataset(Dataset):
    """Clean rows of all contributions, in the order of the run configuration."""

    contributions: tuple[CleanContribution, ...]
    pii_key_id: str | None
    paid_root: str | None = None  # over the rows paid for that it was cleaned against

    @property
    def leaked_share(self) -> tuple[int, int]:
        """Leaked rows, and distinct rows, of which they are some, over all contributions."""
        leaked = sum(c.counts.leaked for c in self.contributions)
        return leaked, sum(c.counts.distinct for c in self.contributions)


class MergedDataset(Dataset):
    """The candidate's training rows."""

    strategy: str
    rows_from_base: int
    rows_by_contribution: tuple[int, ...]
    rows_updated: int


# --- plan and models ------------------------------------------------------------------------------


class Attempt(Record):
    """Which attempt on the lineage this is; provisional when no ledger counted."""

    number: int
    provisional: bool


class ContributorShare(Record):
    """A contributor's share of the training rows; a row share, and nobody is paid by it."""

    contributor_id: str
    contributed_samples: int
    total_samples: int

    @property
    def weight(self) -> float:
        """contributed_samples / total_samples."""
        return self.contributed_samples / self.total_samples if self.total_samples else 0.0


class EvaluationPlan(Record):
    """What is committed to before any training: `body` is the plan; the rest follows from it."""

    body: dict[str, Any]
    digest: str
    seeds: tuple[int, ...]
    attempt: Attempt
    rows_left_in_training: int
    shares: tuple[ContributorShare, ...]

    @model_validator(mode="after")
    def _digest_is_of_body(self) -> Self:
        if digest_json(self.body) != self.digest:
            raise ValueError("the plan's digest is not that of its body")
        return self


class ModelFile(Record):
    """One trained model, inside the record's folder."""

    name: str
    sha256: str
    size_bytes: int
    seed: int | None


class TrainedModel(StoredRecord):
    """A model trained once a seed, or a stored baseline (one file, no seed)."""

    role: Literal["baseline", "candidate"]
    origin: Literal["trained", "stored"]
    model_id: str
    model_type: str
    configuration: dict[str, Any]
    configuration_digest: str
    training_root: str | None
    training_rows: int | None
    features: tuple[str, ...]
    labels: tuple[Label, ...]
    has_scores: bool
    files: tuple[ModelFile, ...]


# --- evaluation -----------------------------------------------------------------------------------


class MetricValue(Record):
    """A metric of one model, mean over seeds; `value` is None exactly when `undefined` says why."""

    metric: MetricName
    value: float | None
    millionths: int | None
    undefined: str | None = None


class JointCount(Record):
    """How many benchmark rows have this label and these predictions (class indices)."""

    label: int
    baseline: int
    candidate: int
    count: int


class BenchmarkMetrics(StoredRecord):
    """Both models on the same rows: predictions in the folder, integer tables and metrics here.

    `joint_counts` holds one table a pair of seeds (i-th of the baseline, i-th of the candidate; a
    stored baseline stands in every pair), non-zero cells only, in order of (label, baseline,
    candidate).
    """

    benchmark_root: str
    row_count: int
    labels: tuple[Label, ...]
    joint_counts: tuple[tuple[JointCount, ...], ...]
    baseline: tuple[MetricValue, ...]
    candidate: tuple[MetricValue, ...]
    baseline_predictions_digest: str
    candidate_predictions_digest: str
    clusters: int | None


class ReportedInterval(Record):
    """A two-sided 95 % interval, ends in 1e-9 rounded outwards; for people, in no digest.

    With few discordant rows it is wider than it need be.
    """

    low_nano: int
    high_nano: int
    method: str
    few_discordant_rows: bool


class ClassScores(Record):
    """One class's own metrics of one model; None where undefined."""

    label: Label
    rows: int
    precision: float | None
    recall: float | None
    f1_score: float | None


class CalibrationBin(Record):
    """Rows that were given similar probabilities: their mean, and how often it came so."""

    mean_score: float
    share: float
    rows: int


class ModelDetails(Record):
    """What a page shows of one model: counts of label x prediction, classes, and curves.

    `roc` are false and true positive rates, of two classes only; None without scores.
    """

    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassScores, ...]
    roc: tuple[tuple[float, float], ...] | None
    calibration: tuple[CalibrationBin, ...] | None


class MetricDelta(Record):
    """Candidate less baseline for one metric, with its uncertainty where that is known.

    `p_value_pico` is one-sided, H0: improvement <= 0, in 1e-12 rounded up; of a loss, where
    `higher_is_better` is False, an improvement is a negative delta.
    """

    metric: MetricName
    baseline: MetricValue
    candidate: MetricValue
    delta: float | None
    delta_millionths: int | None
    standard_error_nano: int | None
    p_value_pico: int | None
    method: str | None
    interval: ReportedInterval | None = None
    undefined: str | None = None
    higher_is_better: bool = True


class SliceDelta(Record):
    """Candidate less baseline on one named part of the benchmark, by the primary metric.

    `interval` holds for all slices together with 95 % (Bonferroni); `p_holm_pico` is two-sided,
    corrected for how many slices were looked at.
    """

    name: str
    metric: MetricName
    rows: int
    baseline: float | None
    candidate: float | None
    delta: float | None
    interval: ReportedInterval | None
    p_holm_pico: int | None
    undefined: str | None = None


class DeltaOne(Record):
    """The weighted average of the included metrics' deltas, those of losses negated.

    `degrees_of_freedom_milli` are those of t in 1e-3, rounded down; None where its error is normal.
    """

    value: float | None
    millionths: int | None
    standard_error_nano: int | None
    degrees_of_freedom_milli: int | None = None
    p_value_pico: int | None
    weights_millionths: dict[MetricName, int]
    metrics_included: tuple[MetricName, ...]
    metrics_missing: dict[MetricName, str]
    computation_method: str
    interval: ReportedInterval | None = None
    undefined: str | None = None


class SeedNoise(Record):
    """The difference of two trainings that differ in their seed alone, in bps.

    The largest between any two seeds, the standard deviation of one difference, and that of the
    difference of two means over all seeds, which is what a delta is.
    """

    largest_bps: float
    deviation_bps: float
    deviation_of_means_bps: float


class NullRun(Record):
    """One model against itself, other seeds: by metric, and `delta_one`; for people, in no digest.

    `model` is whose trainings these are, the baseline's unless it is a stored one; None, without
    numbers, where `reason` says why.
    """

    model: Literal["baseline", "candidate"] | None
    seeds: int
    noise: dict[str, SeedNoise]
    reason: str | None = None


class ReleasedModel(Record):
    """Deltas of the first seed's models, of which the candidate's is released."""

    deltas: dict[MetricName, float]
    delta_one: float | None


class Clause(Record):
    """One clause of the decision rule: its numbers and whether it holds (undefined does not)."""

    name: str
    holds: bool
    numbers: dict[str, int | str | None]
    sentence: str


class DeltaReport(Record):
    """Deltas, DeltaOne, guards, the rule's clauses and the row shares; never a verdict."""

    deltas: tuple[MetricDelta, ...]
    delta_one: DeltaOne
    primary: MetricName
    fixed_rows: int
    broken_rows: int
    row_count: int
    guards: tuple[GuardFacts, ...]
    clauses: tuple[Clause, ...]
    shares: tuple[ContributorShare, ...]
    baseline_details: ModelDetails
    candidate_details: ModelDetails
    slices: tuple[SliceDelta, ...] = ()
    null_run: NullRun | None = None  # None where an older version measured none
    released: ReleasedModel | None = None  # None with one seed, whose deltas are the report's

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
