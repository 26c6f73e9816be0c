"""What every section of a task file is: frozen, and closed to keys that are not known."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Frozen, and closed to keys that are not known."""

    # Built on first use: most are used inside others only, or in few commands.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
