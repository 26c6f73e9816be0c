"""What every section of a task file is: frozen, and closed to keys that are not known."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Frozen, and closed to keys that are not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
