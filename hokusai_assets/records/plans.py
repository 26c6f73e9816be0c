"""The plan, the attempt that it is, and the models that are trained by it."""

from typing import Any, Literal, Self

from pydantic import model_validator

from hokusai_assets.digests import digest_json
from hokusai_assets.records.base import Record, StoredRecord
from hokusai_assets.task import Label


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
