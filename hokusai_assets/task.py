"""The task file: what the model does, which data it has, how it is judged.

One frozen, typed record, read from TOML (`task_schema = 1`) and checked whole: every problem is
reported, not the first one. The digest covers what the task means, not how it is written down.
Reading the data that a task names is contribution/'s business.
"""

import decimal
import difflib
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hokusai_assets.digests import digest_json
from hokusai_assets.errors import TaskError

ColumnType = Literal["text", "category", "integer", "number", "boolean", "timestamp"]
ColumnRole = Literal["feature", "id", "target", "group", "ignore"]
PiiAction = Literal["hash", "mask", "drop_row", "reject", "keep"]
MetricName = Literal["accuracy", "precision", "recall", "f1_score", "auroc"]
Label = str | int

METRIC_NAMES: tuple[MetricName, ...] = typing.get_args(MetricName)
DEFAULT_SEED = 42


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSection(_Section):
    """Where base and benchmark lie, and the labels."""

    base: str = Field(description="File of base rows, relative to the task file.")
    benchmark: str = Field(description="File of benchmark rows, relative to the task file.")
    labels: tuple[Label, ...] = Field(
        min_length=2, description="All labels in class order; binary: the second is positive."
    )


class Column(_Section):
    """One column of the contributed, base and benchmark data."""

    name: str = Field(min_length=1)
    type: ColumnType
    role: ColumnRole = "feature"
    required: bool = Field(True, description="Must the column be in the file?")
    nullable: bool = Field(False, description="May cells be empty?")
    minimum: float | None = Field(None, description="Smallest accepted number.")
    maximum: float | None = Field(None, description="Largest accepted number.")
    allowed: tuple[str, ...] | None = Field(None, description="The only accepted texts.")
    max_null_share: float | None = Field(
        None, ge=0, le=1, description="Largest accepted share of empty cells in a file."
    )
    pii: PiiAction | None = Field(
        None, description="What to do with personal data here; default: the task's [privacy]."
    )
    description: str = Field("", description="Shown to people; no part of the task's digest.")


class ModelSection(_Section):
    """The estimator that baseline and candidate share."""

    id: str | None = Field(None, description="The model that is improved; default: the task's id.")
    estimator: str = Field(
        "logistic_regression", description='A name, or "module:factory" of one\'s own.'
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


class BenchmarkSection(_Section):
    """Which benchmark rows are used, and whose attempts are counted together."""

    lineage: str | None = Field(None, description="Default: the task's id.")
    max_rows: int = Field(100_000, ge=1, description="Past it, a stratified sample is scored.")
    stratify: bool = Field(True, description="Keep class proportions in the sample.")
    retire: Literal["on_acceptance", "never"] = "on_acceptance"


class MetricsSection(_Section):
    """What is measured, and what DeltaOne averages."""

    primary: MetricName = "accuracy"
    included: tuple[MetricName, ...] = Field(METRIC_NAMES, min_length=1)
    weights: dict[MetricName, float] | None = Field(
        None, description="Of the included metrics; default: equal."
    )


class GuardsSection(_Section):
    """How much a class's recall or a metric may lose."""

    margins: dict[str, float] = Field(
        default_factory=dict,
        description='Largest accepted loss in points of 100, by "recall:LABEL" or metric.',
    )
    expected_discordance: float = Field(0.06, gt=0, lt=1)


class DecisionSection(_Section):
    """The parameters of the decision rule."""

    min_delta_bps: int = Field(100, ge=0)
    min_benchmark_rows: int = Field(2_000, ge=1)
    max_leaked_share: float = Field(0.01, ge=0, le=1)
    familywise_alpha: float = Field(0.05, gt=0, lt=1)
    attempts_per_benchmark: int = Field(30, ge=1)


class PrivacySection(_Section):
    """What is done with personal data that is found."""

    action: PiiAction = Field("hash", description="Unless a column or detector says otherwise.")
    detectors: dict[str, PiiAction] = Field(
        default_factory=dict, description='By detector, such as email = "mask".'
    )


class ReadingSection(_Section):
    """How much of a file may be malformed."""

    max_rejected_share: float = Field(0.01, ge=0, le=1)


class MergeSection(_Section):
    """How base and contribution become the candidate's training rows."""

    strategy: Literal["append", "replace", "update"] = "append"
    key: str | None = Field(None, description="Column that identifies a row; update needs it.")
    max_updated_share: float = Field(0.01, ge=0, le=1)


class Task(_Section):
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
    decision: DecisionSection = DecisionSection()
    privacy: PrivacySection = PrivacySection()
    reading: ReadingSection = ReadingSection()
    merge: MergeSection = MergeSection()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = list(_contradictions(self))
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
        given = self.metrics.weights or dict.fromkeys(self.metrics.included, 1.0)
        total = sum(given[name] for name in self.metrics.included)
        return {name: given[name] / total for name in self.metrics.included}

    def seeded(self, default_seed: int) -> "Task":
        """This task with `default_seed` where it names no seed."""
        return self if self.seed is not None else self.model_copy(update={"seed": default_seed})

    def meaning(self) -> dict[str, Any]:
        """What the digest covers: no paths or display texts, no key equal to its default."""
        body = self.model_dump(mode="json", exclude_defaults=True)
        body["task_schema"] = self.task_schema
        body.pop("title", None)
        body["data"] = {"labels": list(self.data.labels)}
        if self.seed == DEFAULT_SEED:
            body.pop("seed")
        for section, key in (("model", "id"), ("benchmark", "lineage")):
            if body.get(section, {}).get(key) == self.id:
                del body[section][key]
        if len(set(self.weights.values())) == 1:
            body.get("metrics", {}).pop("weights", None)
        body["columns"] = sorted(
            ({k: v for k, v in c.items() if k != "description"} for c in body["columns"]),
            key=lambda c: str(c["name"]),
        )
        return {
            key: _decimal_strings(value)
            for key, value in body.items()
            if value != {}
        }

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON of the task's meaning, as hex."""
        return digest_json(self.meaning())


class LoadedTask(_Section):
    """A task and the folder that its relative paths start from."""

    task: Task
    folder: str

    @property
    def base(self) -> str:
        """Where the base rows lie."""
        return _resolve(self.folder, self.task.data.base)

    @property
    def benchmark(self) -> str:
        """Where the benchmark rows lie."""
        return _resolve(self.folder, self.task.data.benchmark)


def load_task(path: str | Path, default_seed: int = DEFAULT_SEED) -> LoadedTask:
    """Read and check a task file; raise TaskError listing everything that is wrong with it."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskError(f"There is no task file {path}: check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"The task file {path} cannot be read: {error}.") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"The task file {path} is not valid TOML: {error}.") from error
    task = parse_task(raw, str(path))
    return LoadedTask(task=task.seeded(default_seed), folder=str(path.absolute().parent))


def parse_task(raw: dict[str, Any], name: str = "task") -> Task:
    """Check a task given as plain data; `name` is what errors call it."""
    problems = list(_unknown_keys(Task, raw, ""))
    if problems:
        raise TaskError(_listing(name, problems))
    try:
        return Task.model_validate(raw)
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in e['loc']) or 'task'}: "
            f"{e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_url=False, include_input=False)
        ]
        raise TaskError(_listing(name, found)) from None


def task_json_schema() -> dict[str, Any]:
    """The JSON Schema of task files, as it stands in docs/schemas/task.schema.json."""
    schema = Task.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Hokusai task file"
    return schema


def _contradictions(task: Task) -> typing.Iterator[str]:
    names = [c.name for c in task.columns]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"column {name!r} is defined more than once"
    for name in names:
        if name.startswith("_"):
            yield f"column {name!r}: names that start with an underscore are this program's own"
    for role, least, most in (("id", 0, 1), ("target", 1, 1), ("group", 0, 1), ("feature", 1, None)):
        count = sum(c.role == role for c in task.columns)
        if count < least or (most is not None and count > most):
            wanted = f"exactly {least}" if least == most else f"at {'most' if most else 'least'} 1"
            yield f"{count} columns have the role {role}; there must be {wanted}"
    for column in task.columns:
        if (column.minimum is not None or column.maximum is not None) and column.type not in {
            "integer",
            "number",
        }:
            yield f"column {column.name!r} has bounds but is of type {column.type}"
        if column.allowed is not None and column.type not in {"text", "category"}:
            yield f"column {column.name!r} lists allowed texts but is of type {column.type}"
        if column.role == "target" and column.nullable:
            yield f"column {column.name!r} is the target and cannot be nullable"
        if column.role == "target" and column.type not in {"text", "category", "integer"}:
            yield f"column {column.name!r} is the target: its type must be category or integer"
    labels = task.data.labels
    if len(set(map(str, labels))) != len(labels):
        yield "data.labels holds a label twice"
    for column in task.columns:
        if column.role == "target":
            wanted_type = int if column.type == "integer" else str
            if not all(type(label) is wanted_type for label in labels):
                yield f"data.labels must all be of the target's type, {column.type}"
    included = task.metrics.included
    if len(set(included)) != len(included):
        yield "metrics.included names a metric twice"
    if task.metrics.primary not in included:
        yield f"metrics.primary {task.metrics.primary!r} is not in metrics.included"
    if task.metrics.primary in {"precision", "f1_score"}:
        yield (
            f"metrics.primary cannot be {task.metrics.primary}: its test errs too often at the "
            "levels in force; include it beside accuracy, recall or auroc"
        )
    weights = task.metrics.weights
    if weights is not None:
        if set(weights) != set(included):
            yield "metrics.weights must name exactly the metrics in metrics.included"
        if any(not w >= 0 for w in weights.values()) or not 0 < sum(weights.values()) < 1e9:
            yield "metrics.weights must not be negative, and one must be above 0"
    if task.merge.strategy == "update":
        keys = {c.name for c in task.columns if c.role == "id"}
        if task.merge.key not in keys:
            yield "merge.key must name the id column when merge.strategy is update"
    recalls = {f"recall:{label}" for label in labels}
    for guard, margin in task.guards.margins.items():
        if guard not in recalls | {"auroc"}:
            near = difflib.get_close_matches(guard, [*sorted(recalls), "auroc"], 1)
            yield f"guards.margins names {guard!r}" + (f"; did you mean {near[0]!r}?" if near else
                f"; it may name auroc and {', '.join(sorted(recalls))}")
        if not 0 < margin <= 100:
            yield f"guards.margins.{guard} must be above 0 and at most 100 points"


def _unknown_keys(model: type[BaseModel], raw: Any, where: str) -> typing.Iterator[str]:
    """Unknown keys at any depth, each with the nearest known one."""
    if not isinstance(raw, dict):
        return
    for key, value in raw.items():
        place = f"{where}{key}"
        field = model.model_fields.get(key)
        if field is None:
            near = difflib.get_close_matches(key, model.model_fields, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(
                model.model_fields
            )
            yield f"unknown key {place!r}; {hint}"
            continue
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _unknown_keys(inner, value, place + ".")
        elif typing.get_origin(inner) is tuple and isinstance(value, list):
            item = typing.get_args(inner)[0]
            if isinstance(item, type) and issubclass(item, BaseModel):
                for index, element in enumerate(value):
                    yield from _unknown_keys(item, element, f"{place}[{index}].")


def _listing(name: str, problems: list[str]) -> str:
    if len(problems) == 1:
        return f"The task file {name} is wrong: {problems[0]}."
    return f"The task file {name} is wrong in {len(problems)} places: " + "; ".join(
        f"({index}) {problem}" for index, problem in enumerate(problems, 1)
    )


def _decimal_strings(value: Any) -> Any:
    """Floats as plain decimal text: 4.0 and 4 mean the same, and canonical JSON has no floats."""
    if isinstance(value, float):
        number = decimal.Decimal(repr(value)).normalize()
        return format(number, "f")
    if isinstance(value, dict):
        return {key: _decimal_strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decimal_strings(item) for item in value]
    return value


def _resolve(folder: str, path: str) -> str:
    if "://" in path or Path(path).is_absolute():
        return path
    return str(Path(folder) / path)

