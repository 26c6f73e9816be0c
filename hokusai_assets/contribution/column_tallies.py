"""Statistics of a column that add up over buckets, and say nothing of a text but its length.

Numbers have their least and greatest value, mean and standard deviation; texts those of their
lengths in characters; times and booleans none. Sums of floats depend on their order, so what is
told is rounded to where that does not show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_DIGITS = 9


@dataclass
class ColumnTally:
    """Count, sum, sum of squares and range of a column's numbers or lengths."""

    name: str = ""
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    least: float = math.inf
    greatest: float = -math.inf

    def include(self, other: ColumnTally) -> None:
        """Add another bucket's."""
        self.name = self.name or other.name
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.least = min(self.least, other.least)
        self.greatest = max(self.greatest, other.greatest)

    def statistics(self) -> dict[str, float]:
        """For the manifest; nothing of a column without a cell that is counted."""
        if not self.count:
            return {}
        mean = self.total / self.count
        spread = math.sqrt(max(self.squares / self.count - mean * mean, 0.0))
        told = {
            "least": self.least,
            "greatest": self.greatest,
            "mean": mean,
            "standard_deviation": spread,
        }
        # A spread is what little is left of large numbers: it is told to the digits it has.
        unit = abs(mean) + spread
        return {
            f"{name}{self.name}": round(value, _digits(unit)) if unit else value
            for name, value in told.items()
            if math.isfinite(value)
        }


def tally_column(cells: pa.ChunkedArray) -> ColumnTally:
    """The tally of a column's cells."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if pa.types.is_string(kind):
        numbers, name = pc.utf8_length(cells), "_length"
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers, name = cells, ""
    else:
        return ColumnTally()
    values = numbers.drop_null().to_numpy().astype(np.float64)
    if not len(values):
        return ColumnTally(name)
    with np.errstate(over="ignore"):
        return ColumnTally(
            name,
            len(values),
            float(values.sum()),
            float((values**2).sum()),
            float(values.min()),
            float(values.max()),
        )


def _digits(unit: float) -> int:
    return _DIGITS - 1 - math.floor(math.log10(unit)) if math.isfinite(unit) else 0
