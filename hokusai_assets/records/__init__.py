"""The frozen records that rooms and assets hand to one another.

Datasets and models travel as a record plus a folder of files, never as a table in memory: the
storage layer publishes the folder and keeps the record. Units live in names (`_bps`,
`_millionths`, `_nano` = 1e-9, `_pico` = 1e-12). How a record is computed stands in the room that
returns it; how it is stored stands in defs/.
"""

from hokusai_assets.records.base import Record, StoredRecord
from hokusai_assets.records.datasets import (
    BaseDataset,
    BenchmarkDataset,
    CleanContribution,
    ContributedDataset,
    Dataset,
    MergedDataset,
    PaidDataset,
)
from hokusai_assets.records.decisions import Attestation, Clause, Decision, DeltaReport
from hokusai_assets.records.inputs import ContributionSource, Mode
from hokusai_assets.records.manifests import (
    CleaningCounts,
    ColumnSchema,
    DataManifest,
    PiiCount,
    Quality,
    QualityPart,
    RejectionReason,
    SourceFile,
)
from hokusai_assets.records.metrics import (
    BenchmarkMetrics,
    CalibrationBin,
    ClassScores,
    DeltaOne,
    ErrorBin,
    JointCount,
    MetricDelta,
    MetricValue,
    ModelDetails,
    NullRun,
    ReleasedModel,
    ReportedInterval,
    SeedNoise,
    SliceDelta,
    TargetRange,
)
from hokusai_assets.records.plans import (
    Attempt,
    ContributorShare,
    EvaluationPlan,
    ModelFile,
    TrainedModel,
)

__all__ = [
    "Attempt",
    "Attestation",
    "BaseDataset",
    "BenchmarkDataset",
    "BenchmarkMetrics",
    "CalibrationBin",
    "ClassScores",
    "Clause",
    "CleanContribution",
    "CleaningCounts",
    "ColumnSchema",
    "ContributedDataset",
    "ContributionSource",
    "ContributorShare",
    "DataManifest",
    "Dataset",
    "Decision",
    "DeltaOne",
    "DeltaReport",
    "ErrorBin",
    "EvaluationPlan",
    "JointCount",
    "MergedDataset",
    "MetricDelta",
    "MetricValue",
    "Mode",
    "ModelDetails",
    "ModelFile",
    "NullRun",
    "PaidDataset",
    "PiiCount",
    "Quality",
    "QualityPart",
    "Record",
    "RejectionReason",
    "ReleasedModel",
    "ReportedInterval",
    "SeedNoise",
    "SliceDelta",
    "SourceFile",
    "StoredRecord",
    "TargetRange",
    "TrainedModel",
]
