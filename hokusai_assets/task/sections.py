"""The sections of a task file as frozen, typed records."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from hokusai_assets.digests import digest_json
from hokusai_assets.task.consistency import contradictions
from hokusai_assets.task.kinds import (
    REGRESSION_WEIGHTS,
    TargetScale,
    TaskKind,
    kind_of,
    with_defaults,
)
from hokusai_assets.task.meaning import meaning_of
from hokusai_assets.task.metrics import DEFAULT_METRICS, MetricName, is_own
from hokusai_assets.task.mint import MintSection
from hokusai_assets.task.section import Section

ColumnType = Literal["text", "category", "integer", "number", "boolean", "timestamp"]
ColumnRole = Literal["feature", "id", "target", "group", "ignore"]
PiiAction = Literal["hash", "mask", "drop_row", "reject", "keep"]
DuplicateAction = Literal["drop", "report"]
Label = str | int


class DataSection(Section):
    """Where base and benchmark lie, and the labels."""

    base: str = Field(description="File of base rows, relative to the task file.")
    benchmark: str = Field(description="File of benchmark rows, relative to the task file.")
    labels: tuple[Label, ...] = Field(
        (),
        max_length=200,
        description="All labels in class order, at least 2; binary: the second is positive. None "
        "where the target is a number to predict.",
    )


class Column(Section):
    """One column of the contributed, base and benchmark data."""

    name: str = Field(min_length=1)
    type: ColumnType
    role: ColumnRole = "feature"
    required: bool = Field(True, description="Must the column be in the file?")
    nullable: bool = Field(False, description="May cells be empty?")
    minimum: float | None = Field(None, description="Smallest accepted number.")
    maximum: float | None = Field(None, description="Largest accepted number.")
    allowed: tuple[str, ...] | None = Field(None, description="The only accepted texts.")
    pattern: str | None = Field(
        None, description="RE2 expression that the whole of a text must match."
    )
    examples: tuple[str, ...] = Field((), description="Texts that fit; mock data are made of them.")
    unique: bool = Field(
        False, description="Must ids differ? Then a file that repeats one is refused."
    )
    max_null_share: float | None = Field(
        None, ge=0, le=1, description="Largest accepted share of empty cells in a file."
    )
    pii: PiiAction | None = Field(
        None, description="What to do with personal data here; default: the task's [privacy]."
    )
    description: str = Field("", description="Shown to people; no part of the task's digest.")


class ModelSection(Section):
    """The estimator that baseline and candidate share."""

    id: str | None = Field(None, description="The model that is improved; default: the task's id.")
    estimator: str = Field(
        "logistic_regression",
        description='A name, or "module:factory" of one\'s own; of a regression ridge_regression '
        "by default.",
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="Of the estimator.")
    text: dict[str, Any] = Field(
        default_factory=dict, description="Parameters of TF-IDF for text features."
    )
    seeds: int | None = Field(
        None, ge=1, le=99, description="Trainings; default 1 if seed-free, else 5."
    )
    trusted_types: tuple[str, ...] = Field(
        (), description="Types beyond the built-in allow list that a model file may hold."
    )


class BenchmarkSection(Section):
    """Which benchmark rows are used, and whose attempts are counted together."""

    lineage: str | None = Field(None, description="Default: the task's id.")
    max_rows: int = Field(100_000, ge=1, description="Past it, a stratified sample is scored.")
    stratify: bool = Field(
        True, description="Keep the proportions of classes, or of tenths of a number target."
    )
    retire: Literal["on_acceptance", "never"] = "on_acceptance"


class MetricsSection(Section):
    """What is measured, and what DeltaOne averages; a regression has other defaults."""

    primary: MetricName = Field("accuracy", description="Of a regression mae by default.")
    included: tuple[MetricName, ...] = Field(
        DEFAULT_METRICS, min_length=1, description="Of a regression mae, rmse and r2 by default."
    )
    weights: dict[MetricName, float] | None = Field(
        None,
        description="Of the included metrics; default: equal, but 0 of one's own, and of r2 "
        "beside mae or rmse.",
    )
    lower_is_better: tuple[MetricName, ...] = Field(
        (), description="Which of one's own metrics are losses."
    )


class GuardsSection(Section):
    """How much a class's recall or a metric may lose."""

    margins: dict[str, float] = Field(
        default_factory=dict,
        description='Largest accepted loss in points of 100, by "recall:LABEL", metric or '
        '"slice:NAME" (of accuracy there, of mae in a regression).',
    )
    expected_discordance: float = Field(0.06, gt=0, lt=1)


class SliceSection(Section):
    """A named part of the benchmark, by one column's values or by a range of them."""

    name: str = Field(min_length=1, max_length=60)
    column: str
    values: tuple[str | int | bool, ...] | None = Field(None, description="Rows with one of these.")
    minimum: float | None = Field(None, description="Rows with this number or more.")
    below: float | None = Field(None, description="Rows with less than this number.")


class DecisionSection(Section):
    """The parameters of the decision rule."""

    min_delta_bps: int = Field(100, ge=0)
    min_benchmark_rows: int = Field(2_000, ge=1)
    max_leaked_share: float = Field(0.01, ge=0, le=1)
    familywise_alpha: float = Field(0.05, gt=0, lt=1)
    attempts_per_benchmark: int = Field(30, ge=1)


class PrivacySection(Section):
    """What is done with personal data that is found."""

    action: PiiAction = Field("hash", description="Unless a column or detector says otherwise.")
    detectors: dict[str, PiiAction] = Field(
        default_factory=dict, description='By detector, such as email = "mask".'
    )


class ReadingSection(Section):
    """How much of a file may be malformed, and how much a contribution may be."""

    max_rejected_share: float = Field(0.01, ge=0, le=1)
    max_rows: int = Field(1_000_000_000, ge=1, description="Rows of one contribution.")
    max_columns: int = Field(10_000, ge=1, description="Columns of one file.")
    max_cell_bytes: int = Field(1 << 20, ge=1, description="Past it, a cell's row is rejected.")
    max_depth: int = Field(64, ge=1, le=400, description="Of nesting in JSON.")
    max_bytes: int = Field(64 << 30, ge=1, description="Of one contribution, decompressed.")
    max_decompression_ratio: int = Field(200, ge=1, description="Of a compressed file.")
    max_files: int = Field(10_000, ge=1, description="Of a folder or pattern.")


class DuplicatesSection(Section):
    """What is done with rows that are there already; leaked rows always leave."""

    exact: DuplicateAction = Field("drop", description="Rows of equal content.")
    normalised: DuplicateAction = Field(
        "drop", description="Rows that differ in writing only: case, spaces, marks, look-alikes."
    )
    near: DuplicateAction = Field("drop", description="Rows that say nearly the same.")


class MergeSection(Section):
    """How base and contribution become the candidate's training rows."""

    strategy: Literal["append", "replace", "update"] = "append"
    key: str | None = Field(None, description="Column that identifies a row; update needs it.")
    max_updated_share: float = Field(0.01, ge=0, le=1)


class Task(Section):
    """A whole task file."""

    task_schema: Literal[1]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    title: str = Field("", description="Shown to people; no part of the digest.")
    seed: int | None = Field(None, ge=0, lt=2**32, description="Default: RANDOM_SEED.")
    data: DataSection
    columns: tuple[Column, ...] = Field(min_length=2)
    model: ModelSection = ModelSection()
    benchmark: BenchmarkSection = BenchmarkSection()
    metrics: MetricsSection = MetricsSection()
    guards: GuardsSection = GuardsSection()
    slices: tuple[SliceSection, ...] = Field((), max_length=100)
    decision: DecisionSection = DecisionSection()
    privacy: PrivacySection = PrivacySection()
    reading: ReadingSection = ReadingSection()
    duplicates: DuplicatesSection = DuplicatesSection()
    merge: MergeSection = MergeSection()
    mint: MintSection = MintSection()

    @model_validator(mode="before")
    @classmethod
    def _with_defaults_of_its_kind(cls, raw: Any) -> Any:
        return with_defaults(raw)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = list(contradictions(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def with_role(self, role: ColumnRole) -> tuple[Column, ...]:
        """The columns of one role, by name: the order in the file means nothing."""
        return tuple(sorted((c for c in self.columns if c.role == role), key=lambda c: c.name))

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that the model sees, by name."""
        return self.with_role("feature")

    @property
    def target(self) -> Column:
        """The column that the model predicts."""
        return self.with_role("target")[0]

    @property
    def kind(self) -> TaskKind:
        """Whether labels are predicted or a number."""
        return kind_of(self.target.type, self.data.labels)

    @property
    def target_scale(self) -> TargetScale:
        """The range of a regression's target; raises ValueError of a classification."""
        low, high = self.target.minimum, self.target.maximum
        if self.kind != "regression" or low is None or high is None:
            raise ValueError("a classification has no scale")
        return TargetScale(low, high)

    @property
    def id_column(self) -> Column | None:
        """The column that names rows, if any."""
        return next(iter(self.with_role("id")), None)

    @property
    def group_column(self) -> Column | None:
        """The column whose rows belong together, if any."""
        return next(iter(self.with_role("group")), None)

    @property
    def content_columns(self) -> tuple[Column, ...]:
        """The columns that make up a row's content: features, target and group, by name."""
        roles = {"feature", "target", "group"}
        return tuple(sorted((c for c in self.columns if c.role in roles), key=lambda c: c.name))

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        """The columns that cleaned data hold: the content and the id, by name."""
        return tuple(sorted((c for c in self.columns if c.role != "ignore"), key=lambda c: c.name))

    @property
    def model_id(self) -> str:
        """The model that is improved."""
        return self.model.id or self.id

    @property
    def lineage(self) -> str:
        """The benchmark lineage whose attempts are counted together."""
        return self.benchmark.lineage or self.id

    @property
    def weights(self) -> dict[MetricName, float]:
        """DeltaOne's weights of the included metrics, summing to 1, in the task's order."""
        given = self.metrics.weights or self.default_weights
        total = sum(given[name] for name in self.metrics.included)
        return {name: given[name] / total for name in self.metrics.included}

    @property
    def default_weights(self) -> dict[MetricName, float]:
        """What the included metrics weigh where the task is silent: 1, one's own nothing.

        r2 weighs nothing beside mae or rmse, whose points are others; alone it is what is measured.
        """
        known = [name for name in self.metrics.included if not is_own(name)]
        weights = {n: REGRESSION_WEIGHTS.get(n, 1.0) if len(known) > 1 else 1.0 for n in known}
        return {name: weights.get(name, 0.0) for name in self.metrics.included}

    def seeded(self, default_seed: int) -> "Task":
        """This task with `default_seed` where it names no seed."""
        return self if self.seed is not None else self.model_copy(update={"seed": default_seed})

    def meaning(self) -> dict[str, Any]:
        """What the digest covers: no paths or display texts, no key equal to its default."""
        return meaning_of(self)

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON of the task's meaning, as hex."""
        return digest_json(self.meaning())
