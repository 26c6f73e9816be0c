"""The base of all records, and of those whose files lie in a folder."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all records."""

    # Built on first use: most are used inside others only, or in few commands.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class StoredRecord(Record):
    """A record whose files lie in a folder: a local path or an fsspec URL."""

    folder: str

    def moved(self, folder: str) -> Self:
        """The same record with its files elsewhere."""
        return self.model_copy(update={"folder": folder})
