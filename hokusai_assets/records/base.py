"""The base of all records, and of those whose files lie in a folder."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all records."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredRecord(Record):
    """A record whose files lie in a folder: a local path or an fsspec URL."""

    folder: str

    def moved(self, folder: str) -> Self:
        """The same record with its files elsewhere."""
        return self.model_copy(update={"folder": folder})
