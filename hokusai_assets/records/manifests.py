"""What is known of a file and of what cleaning did with it; no cell's value stands here."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hokusai_assets.records.base import Record


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
    columns: dict[str, float | None] = Field(default_factory=dict)


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
    column_statistics: dict[str, dict[str, float]] = Field(default_factory=dict)
    engines: dict[str, str] = Field(default_factory=dict)
    dropped_columns: tuple[str, ...]
    rejections: tuple[RejectionReason, ...]
    pii: tuple[PiiCount, ...]
    pii_policy: str  # a sentence: hashed with key ..., or masked because no key was given
    counts: CleaningCounts
    quality: Quality | None = None
    near_method: str = "Near rows were not looked for."
