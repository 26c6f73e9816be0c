"""`delta_output_{run_id}.json`, schema 1.0: its shape as typed records, and its making.

What schema 1.0 names keeps name, type and meaning; additions are new keys (`statistics`,
`decision`, `contributors`, ...). docs/schemas/delta_output.schema.json is generated from here.
"""

import functools
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hokusai_assets.records import (
    ContributedDataset,
    DataManifest,
    Decision,
    DeltaReport,
    MergedDataset,
    MetricValue,
    ReportedInterval,
    TrainedModel,
)
from hokusai_assets.reporting.delta_details import details, in_target_units

SCHEMA_VERSION = "1.0"
LEVEL = 0.95  # of the intervals


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class MetricDeltaPart(_Part):
    """One metric of both models.

    absolute_delta is new less baseline; relative_delta is that by the baseline's size, null where
    it is 0; improvement is true where the new value is the better one: of a loss, the lower.
    """

    baseline_value: float
    new_value: float
    absolute_delta: float
    relative_delta: float | None
    improvement: bool


class DeltaComputationPart(_Part):
    """DeltaOne and what it averages; null where the decision had no number to stand on."""

    delta_one_score: float | None
    metric_deltas: dict[str, MetricDeltaPart]
    computation_method: Literal["weighted_average_delta"]
    metrics_included: list[str]
    improved_metrics: list[str]
    degraded_metrics: list[str]


class ModelPart(_Part):
    """One model and what it scored."""

    model_id: str
    model_type: str
    metrics: dict[str, float]
    mlflow_run_id: str | None


class NewModelPart(ModelPart):
    """The candidate, with how it was trained."""

    training_metadata: dict[str, Any]


class ManifestPart(_Part):
    """What a contributed file held and what cleaning did with it."""

    source_path: str
    size_bytes: int
    modified: str
    format: str
    encoding: str | None
    data_hash: str
    row_count: int
    column_count: int
    columns: dict[str, str] = Field(alias="schema")
    null_counts: dict[str, int]
    unique_counts: dict[str, int]
    unique_counts_exact: bool
    column_statistics: dict[str, dict[str, float]]
    engines: dict[str, str]
    compression: str | None
    sha256: str
    files: int
    notes: tuple[str, ...]
    quality: dict[str, Any] | None
    cleaning: dict[str, Any]


class ContributorPart(_Part):
    """One contributor's data; contributor_weights is a row share, and nobody is paid by it."""

    contributor_id: str
    wallet_address: str
    data_hash: str
    contributor_weights: float
    weights_method: Literal["row_share"]
    contributed_samples: int
    total_samples: int
    data_manifest: ManifestPart


class AttributionPart(ContributorPart):
    """The first contributor's fields, and all contributors in a list where there are several."""

    contributors: list[ContributorPart] | None = None


class EvaluationMetadataPart(_Part):
    """What was evaluated on, and when."""

    benchmark_dataset: dict[str, Any]
    evaluation_timestamp: str
    pipeline_run_id: str


class PipelineMetadataPart(_Part):
    """The run; `config` holds no paths and no secrets."""

    run_id: str
    timestamp: str
    config: dict[str, Any]
    dry_run: bool


class StatisticsPart(_Part):
    """Uncertainty beside each delta, and the reasons of what is undefined.

    Of a regression, whose rows are not right or wrong, rows are nearer and farther and not fixed
    and broken, there are deciles of its labels and no classes, and `target` is its range, in whose
    unit `in_target_units` tells what is a share of it elsewhere.
    """

    benchmark_rows: int
    fixed_rows: int | None
    broken_rows: int | None
    nearer_rows: int | None = None
    farther_rows: int | None = None
    target: dict[str, str] | None = None
    in_target_units: dict[str, dict[str, float]] | None = None
    deciles: dict[str, list[dict[str, Any]]] | None = None
    deltas: dict[str, dict[str, Any]]
    delta_one: dict[str, Any]
    labels: list[str | int]
    confusion: dict[str, list[list[int]]]
    per_class: list[dict[str, Any]]
    curves: dict[str, Any]
    slices: list[dict[str, Any]]
    null_run: dict[str, Any] | None
    released_model: dict[str, Any] | None
    undefined_metrics: dict[str, str]


class DeltaOutput(_Part):
    """The whole file."""

    schema_version: Literal["1.0"]
    dry_run: bool
    delta_computation: DeltaComputationPart
    baseline_model: ModelPart
    new_model: NewModelPart
    contributor_attribution: AttributionPart
    evaluation_metadata: EvaluationMetadataPart
    pipeline_metadata: PipelineMetadataPart
    statistics: StatisticsPart
    decision: dict[str, Any] | None


def delta_output_name(run_id: str) -> str:
    """The file's name."""
    return f"delta_output_{run_id}.json"


@functools.cache
def delta_output_schema() -> dict[str, Any]:
    """The JSON Schema of the file, as it stands in docs/schemas/; not to be changed."""
    schema = DeltaOutput.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Hokusai delta output, schema 1.0"
    return schema


def build_delta_output(
    *,
    run_id: str,
    timestamp: str,
    dry_run: bool,
    config: dict[str, Any],
    benchmark: dict[str, Any],
    contributed: ContributedDataset,
    merged: MergedDataset,
    baseline: TrainedModel,
    candidate: TrainedModel,
    report: DeltaReport,
    decision: Decision | None,
    mlflow_run_id: str | None,
) -> dict[str, Any]:
    """The file's content as plain JSON types."""
    deltas = {
        d.metric: _metric_delta(d.baseline.value, d.candidate.value, d.delta, d.higher_is_better)
        for d in report.deltas
        if d.delta is not None and d.baseline.value is not None and d.candidate.value is not None
    }
    contributors = [
        ContributorPart(
            contributor_id=c.contributor_id,
            wallet_address=c.wallet_address,
            data_hash=c.content_root_received,
            contributor_weights=share.weight,
            weights_method="row_share",
            contributed_samples=share.contributed_samples,
            total_samples=share.total_samples,
            data_manifest=_manifest(c.manifest),
        )
        for c, share in zip(contributed.contributions, report.shares, strict=True)
    ]
    output = DeltaOutput(
        schema_version=SCHEMA_VERSION,
        dry_run=dry_run,
        delta_computation=DeltaComputationPart(
            delta_one_score=report.delta_one.value,
            metric_deltas=deltas,
            computation_method="weighted_average_delta",
            metrics_included=list(report.delta_one.metrics_included),
            improved_metrics=[m for m, d in deltas.items() if d.improvement],
            degraded_metrics=[
                m for m, d in deltas.items() if d.absolute_delta != 0 and not d.improvement
            ],
        ),
        baseline_model=ModelPart(
            model_id=f"{baseline.model_id}:baseline",
            model_type=baseline.model_type,
            metrics=_values(tuple(d.baseline for d in report.deltas)),
            mlflow_run_id=mlflow_run_id,
        ),
        new_model=NewModelPart(
            model_id=f"{candidate.model_id}:candidate",
            model_type=candidate.model_type,
            metrics=_values(tuple(d.candidate for d in report.deltas)),
            mlflow_run_id=mlflow_run_id,
            training_metadata={
                "merge_strategy": merged.strategy,
                "training_rows": merged.row_count,
                "rows_from_base": merged.rows_from_base,
                "rows_updated": merged.rows_updated,
                "training_root": merged.content_root,
                "seeds": [file.seed for file in candidate.files],
                "configuration": candidate.configuration,
            },
        ),
        contributor_attribution=AttributionPart(
            **dict(contributors[0]), contributors=contributors if len(contributors) > 1 else None
        ),
        evaluation_metadata=EvaluationMetadataPart(
            benchmark_dataset=benchmark, evaluation_timestamp=timestamp, pipeline_run_id=run_id
        ),
        pipeline_metadata=PipelineMetadataPart(
            run_id=run_id, timestamp=timestamp, config=config, dry_run=dry_run
        ),
        statistics=StatisticsPart(
            benchmark_rows=report.row_count,
            fixed_rows=report.fixed_rows,
            broken_rows=report.broken_rows,
            nearer_rows=report.nearer_rows,
            farther_rows=report.farther_rows,
            target=None if report.target_range is None else report.target_range.model_dump(),
            in_target_units=in_target_units(report),
            deltas={
                d.metric: {
                    "standard_error": _scaled(d.standard_error_nano, 1e9),
                    "p_value": _scaled(d.p_value_pico, 1e12),
                    "method": d.method,
                    "n": report.row_count,
                    **_interval(d.interval),
                    "higher_is_better": d.higher_is_better,
                }
                for d in report.deltas
                if d.delta is not None
            },
            delta_one={
                "standard_error": _scaled(report.delta_one.standard_error_nano, 1e9),
                "p_value": _scaled(report.delta_one.p_value_pico, 1e12),
                "weights": {
                    m: w / 1_000_000 for m, w in report.delta_one.weights_millionths.items()
                },
                "computation": report.delta_one.computation_method,
                **_interval(report.delta_one.interval),
                "undefined": report.delta_one.undefined,
            },
            **details(report),
            slices=[
                {
                    "name": part.name,
                    "rows": part.rows,
                    "metric": part.metric,
                    "baseline": part.baseline,
                    "candidate": part.candidate,
                    "delta": part.delta,
                    "interval": _interval(part.interval)["interval"],
                    "p_holm": _scaled(part.p_holm_pico, 1e12),
                    "undefined": part.undefined,
                }
                for part in report.slices
            ],
            null_run=None if report.null_run is None else report.null_run.model_dump(mode="json"),
            released_model=None
            if report.released is None
            else report.released.model_dump(mode="json"),
            undefined_metrics={
                d.metric: d.undefined for d in report.deltas if d.undefined is not None
            }
            | dict(report.delta_one.metrics_missing),
        ),
        decision=None if decision is None else decision.model_dump(mode="json"),
    )
    return output.model_dump(mode="json", by_alias=True)


def delta_output_bytes(output: dict[str, Any]) -> bytes:
    """The file as it is written: readable JSON, keys in the documented order."""
    return (json.dumps(output, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def schema_violations(output: dict[str, Any]) -> list[str]:
    """Where `output` departs from its JSON Schema, one line each."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(delta_output_schema())
    return [
        f"{'.'.join(str(part) for part in error.absolute_path) or 'the file'}: breaks "
        f"{error.validator!r}"
        for error in validator.iter_errors(output)
    ]


def _metric_delta(
    baseline: float, candidate: float, delta: float, higher_is_better: bool
) -> MetricDeltaPart:
    return MetricDeltaPart(
        baseline_value=baseline,
        new_value=candidate,
        absolute_delta=delta,
        relative_delta=None if baseline == 0 else delta / abs(baseline),
        improvement=delta > 0 if higher_is_better else delta < 0,
    )


def _values(metrics: tuple[MetricValue, ...]) -> dict[str, float]:
    return {m.metric: m.value for m in metrics if m.value is not None}


def _scaled(integer: int | None, scale: float) -> float | None:
    return None if integer is None else integer / scale


def _interval(interval: ReportedInterval | None) -> dict[str, Any]:
    if interval is None:
        return {"interval": None, "interval_level": LEVEL, "interval_method": None}
    return {
        "interval": [interval.low_nano / 1e9, interval.high_nano / 1e9],
        "interval_level": LEVEL,
        "interval_method": interval.method,
        "few_discordant_rows": interval.few_discordant_rows,
    }


def _manifest(manifest: DataManifest) -> ManifestPart:
    counts = manifest.counts
    return ManifestPart(
        source_path=manifest.source.name,
        size_bytes=manifest.source.size_bytes,
        modified=manifest.source.modified,
        format=manifest.source.format,
        encoding=manifest.source.encoding,
        data_hash=manifest.data_hash,
        row_count=manifest.row_count,
        column_count=manifest.column_count,
        columns={column.name: column.type for column in manifest.columns},
        null_counts=manifest.null_counts,
        unique_counts=manifest.unique_counts,
        unique_counts_exact=manifest.unique_counts_exact,
        column_statistics=manifest.column_statistics,
        engines=manifest.engines,
        compression=manifest.source.compression,
        sha256=manifest.source.sha256,
        files=manifest.source.files,
        notes=manifest.source.notes,
        quality=None if manifest.quality is None else manifest.quality.model_dump(mode="json"),
        cleaning={
            **counts.model_dump(mode="json"),
            "deduplicated": counts.deduplicated,
            "leaked": counts.leaked,
            "dropped_columns": list(manifest.dropped_columns),
            "rejections": [r.model_dump(mode="json") for r in manifest.rejections],
            "pii": [p.model_dump(mode="json") for p in manifest.pii],
            "pii_policy": manifest.pii_policy,
            "near_method": manifest.near_method,
        },
    )
