"""The shape of core, plan and decision: which fields there are, and of what type.

A record that lacks a field, has one more or one of another type is refused before anything follows
from it. What the fields mean stands in docs/attestation_format.md; the JSON schemas in docs/schemas
are written from here.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from hokusai_assets.attestation.bundle import CORE, DECISION, PLAN
from hokusai_assets.errors import FormError

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Probability = Annotated[int, Field(ge=0, le=10**12)]
Decimal = Annotated[
    str, StringConstraints(pattern=r"^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]*[1-9])$")
]
Text = Annotated[str, StringConstraints(min_length=1)]
Label = int | str


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _left_out_or_said(cls, raw: Any) -> Any:
        """What may be left out is never null: two writings would be two digests of one record."""
        for name, field in cls.model_fields.items():
            key = field.alias or name
            if not field.is_required() and isinstance(raw, dict) and raw.get(key, raw) is None:
                raise ValueError(f"{key} is null: leave it out")
        return raw


class ContributionRoots(_Shape):
    """Content roots of one contribution."""

    received: Digest
    cleaned: Digest


class ContentRoots(_Shape):
    """Content roots of every dataset."""

    base: Digest
    benchmark_received: Digest
    benchmark_scored: Digest
    contributions: list[ContributionRoots]
    merged: Digest


class KeyIds(_Shape):
    """What names the secrets in use, or null for none."""

    pii: Text | None
    salt: Digest | None


class StoredFile(_Shape):
    """A stored baseline's file."""

    file_sha256: Digest


class RuleGuard(_Shape):
    """A guard as the rule has it: on a metric, of a class or slice, by a margin or a harm test."""

    name: Text
    metric: Text
    method: Text
    class_: int | None = Field(default=None, alias="class")
    slice: Text | None = None
    margin_millionths: Count | None = None
    rows: Count | None = None
    applies: Text | None = None
    skipped: Text | None = None


class Rule(_Shape):
    """The decision rule with every parameter in force."""

    version: int
    familywise_alpha_pico: Probability
    attempts_per_benchmark: Annotated[int, Field(ge=1)]
    min_delta_bps: int
    min_benchmark_rows: Count
    max_leaked_share_millionths: Count
    expected_discordance_millionths: Count
    guard_level_millionths: Count
    primary: Text
    included: list[Text]
    weights: dict[str, int]
    tests: dict[str, str]
    lower_is_better: Annotated[list[Text], Field(min_length=1)] | None = None
    own_metrics_sha256: Annotated[dict[str, Digest], Field(min_length=1)] | None = None
    guards: list[RuleGuard]
    number_of_seeds: Annotated[int, Field(ge=1)]
    retire: Literal["on_acceptance", "never"]
    lineage: Text


class Plan(_Shape):
    """plan.json."""

    plan_version: int
    dry_run: bool
    task_digest: Digest
    model_id: Text
    content_roots: ContentRoots
    baseline: Literal["trained"] | StoredFile
    paid_root: Digest | None
    number_of_seeds: Annotated[int, Field(ge=1)]
    nonce_sha256: Digest | None
    key_ids: KeyIds
    rule: Rule


class CoreContributor(_Shape):
    """Who contributed and is paid where."""

    contributor_id: Text
    wallet_address: Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")]
    content_root: Digest
    weight_bps: Count | None


class CoreBaseline(_Shape):
    """Where the baseline is from."""

    origin: Literal["trained", "stored"]
    file_sha256: Digest | None


class PiiPolicy(_Shape):
    """How personal data are treated."""

    action: Text
    detectors: dict[str, str]
    columns: list[list[str]]


class Pii(_Shape):
    """Policy and key id for personal data."""

    policy: PiiPolicy
    key_id: Text | None


class CoreCounts(_Shape):
    """Where every row of a contribution went."""

    read: Count
    rejected: Count
    dropped_pii: Count
    deduplicated: Count
    leaked: Count
    already_paid: Count
    benchmark_group: Count
    kept: Count


class CoreTargetScale(_Shape):
    """The range of a number target: labels and predictions are millionths of its width."""

    minimum: Decimal
    maximum: Decimal


class CoreBenchmark(_Shape):
    """The rows that were scored; without labels where numbers are predicted."""

    rows: Count
    labels: list[Label]
    target_scale: CoreTargetScale | None = None
    clusters: Count | None
    left_out_as_in_base: Count
    left_out_as_group_in_base: Count
    sampled_from: Count
    rows_left_in_training: Count


class CoreRows(_Shape):
    """The tree over the rows' leaves."""

    root: Digest
    count: Count
    hides: bool
    leaf_version: int


class CoreInterval(_Shape):
    """A two-sided 95 % interval in closed form."""

    low_nano: int
    high_nano: int
    method: Text


class CoreMetric(_Shape):
    """One metric of both models."""

    baseline_millionths: int | None
    candidate_millionths: int | None
    delta_millionths: int | None
    standard_error_nano: int | None
    p_value_pico: Probability | None
    interval: CoreInterval | None
    method: str | None
    undefined: str | None


class CoreDeltaOne(_Shape):
    """The weighted average of the deltas."""

    millionths: int | None
    standard_error_nano: int | None
    null_standard_error_nano: int | None
    degrees_of_freedom_milli: int | None
    p_value_pico: Probability | None
    interval: CoreInterval | None
    metrics_included: list[str]
    metrics_missing: dict[str, str]
    weights_millionths: dict[str, int]
    undefined: str | None


class CoreGuard(_Shape):
    """What was measured for one guard."""

    name: Text
    rows: Count
    better: Count | None
    worse: Count | None
    delta_millionths: int | None
    standard_error_nano: int | None
    bound_nano: int | None
    harm_p_pico: Probability | None
    undefined: str | None
    skipped: str | None


class PredictionsDigests(_Shape):
    """Digests over both models' predictions."""

    baseline: Digest
    candidate: Digest


class RunConfiguration(_Shape):
    """What the run was asked to do."""

    mode: Literal["files", "mock"]
    task_id: Text
    task_digest: Digest
    seed: int
    estimator: Text
    merge_strategy: Text
    metrics: list[Text]
    primary_metric: Text
    baseline: Literal["trained", "stored"]


class Core(_Shape):
    """core.json."""

    core_version: int
    dry_run: bool
    model_id: Text
    lineage: Text
    task_digest: Digest
    run_configuration: RunConfiguration
    plan_digest: Digest
    key_ids: KeyIds
    nonce_sha256: Digest | None
    seeds: list[Count]
    content_roots: ContentRoots
    contributors: Annotated[list[CoreContributor], Field(min_length=1)]
    nullifiers: list[Digest]
    baseline: CoreBaseline
    model_configuration: dict[str, Any]
    model_configuration_digest: Digest
    package_versions: dict[str, str]
    constraints_sha256: Digest
    pii: Pii
    paid_root: Digest | None
    counts: list[CoreCounts]
    benchmark: CoreBenchmark
    rows: CoreRows
    joint_counts: list[list[Annotated[list[Count], Field(min_length=4, max_length=4)]]]
    predictions_digests: PredictionsDigests
    metrics: dict[str, CoreMetric]
    delta_one: CoreDeltaOne
    guards: list[CoreGuard]


class DecisionClause(_Shape):
    """A clause of the rule with its numbers."""

    name: Text
    holds: bool
    numbers: dict[str, Any]


class DecisionBody(_Shape):
    """What is decided, and appended to the ledger."""

    decision_version: int
    core_digest: Digest
    plan_digest: Digest
    rule_version: int
    lineage: Text
    model_id: Text
    m: Annotated[int, Field(ge=1)]
    alpha_m_pico: Probability
    clauses: list[DecisionClause]
    verdict: Literal["accepted", "rejected", "superseded"]
    provisional: bool
    measured_bps: int | None
    payable_bps: Count
    retire: Literal["on_acceptance", "never"]
    candidate_file_sha256: Digest
    training_root: Digest
    dry_run: bool


class LedgerPlace(_Shape):
    """Where the decision stands in the ledger."""

    entry: Digest
    previous: Digest


class Decision(_Shape):
    """decision.json."""

    body: DecisionBody
    ledger: LedgerPlace | None


SHAPES: dict[str, type[BaseModel]] = {CORE: Core, PLAN: Plan, DECISION: Decision}


def record_json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON schema of each record, by the name of its file."""
    return {
        name.removeprefix("public/").replace(".json", ".schema.json"): shape.model_json_schema()
        for name, shape in SHAPES.items()
    }


def check_shape(name: str, record: dict[str, Any]) -> None:
    """Raise FormError naming the first field of a record that is not of its shape."""
    try:
        TypeAdapter(SHAPES[name]).validate_python(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise FormError(f"{name}: {field}: {first['msg']}.") from None
