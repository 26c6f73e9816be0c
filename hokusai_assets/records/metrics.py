"""What was measured of both models: metrics, deltas, DeltaOne, slices, noise."""

from typing import Literal

from hokusai_assets.records.base import Record, StoredRecord
from hokusai_assets.task import Label, MetricName


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


class TargetRange(Record):
    """The range of a regression's target in its own unit, as decimal text.

    Labels and predictions are millionths of its width.
    """

    column: str
    minimum: str
    maximum: str


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
    target_range: TargetRange | None = None  # of a regression, whose labels and tables are empty


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


class ErrorBin(Record):
    """Rows with similar labels: these, and what a model predicts, as shares of the target's range.

    `mean_error` is that of |label - prediction|.
    """

    lowest_label: float
    highest_label: float
    rows: int
    mean_label: float
    mean_prediction: float
    mean_error: float


class ModelDetails(Record):
    """What a page shows of one model: counts of label x prediction, classes, and curves.

    `roc` are false and true positive rates, of two classes only; None without scores. Of a
    regression there are `deciles` of its labels instead.
    """

    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassScores, ...]
    roc: tuple[tuple[float, float], ...] | None
    calibration: tuple[CalibrationBin, ...] | None
    deciles: tuple[ErrorBin, ...] = ()


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
    """Candidate less baseline on one named part of the benchmark, by the primary metric or mae.

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
