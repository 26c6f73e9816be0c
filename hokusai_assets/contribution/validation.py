"""What a contributor is told of a file, as records: the contract of `hokusai validate --json`.

No cell's value stands here, and no number that a benchmark changed; validating.py, which fills the
records, says why. Fields are added, never renamed: contributors' scripts read them.
"""

from __future__ import annotations

from typing import Any, Literal

from hokusai_assets.contribution.remedies import Refusal
from hokusai_assets.records import PiiCount, Quality, Record

# "not told" of few rows; "below" is also said where no row leaks, see validating.py.
Leakage = Literal["below", "above", "not told", "not checked"]


class ValidatedFile(Record):
    """The file; format and encoding are None where it was refused before they counted."""

    name: str
    size_bytes: int | None
    format: str | None
    encoding: str | None
    compression: str | None = None
    sha256: str = ""
    files: int = 1
    notes: tuple[str, ...] = ()


class ValidationCounts(Record):
    """Where the rows went before any benchmark was looked at; the parts add up to `read`.

    `duplicates_of_base` is None where there was no base to compare with. Of the `usable` rows the
    evaluation takes those that do not stand in the benchmark.
    """

    read: int
    rejected: int
    dropped_pii: int
    duplicates_within: int
    duplicates_of_base: int | None
    duplicates_normalised: int
    duplicates_near: int
    usable: int
    conflicts: int


class Problem(Record):
    """Why rows were rejected: where, how many, the first row numbers, and what to do."""

    column: str | None
    reason: str
    count: int
    first_rows: tuple[int, ...]
    remedy: str


class Validation(Record):
    """Everything a contributor is told; no cell's value and no count that a benchmark changed.

    `counts`, `quality`, `near_method` (how near rows were looked for, or why not) and the content
    roots are None where the file was refused. `verdict` says whether it is valid and what to do.
    """

    validation_schema: Literal[1] = 1
    task_id: str
    valid: bool
    verdict: str
    file: ValidatedFile
    refusal: Refusal | None
    counts: ValidationCounts | None
    problems: tuple[Problem, ...]
    pii: tuple[PiiCount, ...]
    pii_policy: str | None
    dropped_columns: tuple[str, ...]
    quality: Quality | None
    near_method: str | None
    content_root_received: str | None
    content_root_usable: str | None
    base_checked: bool
    base_sentence: str
    leakage: Leakage
    leakage_sentence: str


def validation_json_schema() -> dict[str, Any]:
    """The JSON Schema of what `hokusai validate --json` prints."""
    schema = Validation.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Validation of a contributed file"
    schema["properties"]["written"] = {
        "description": "Files that were written.",
        "items": {"type": "string"},
        "type": "array",
    }
    schema["required"] = list(schema["properties"])  # null where there is nothing, never left out
    return schema
