"""Rows as points: features standardised by base, and a number for what must be equal.

Numbers, integers, times and booleans are centred and scaled by base's mean and standard deviation,
never by the contribution's: huge outliers would stretch a scale of its own until every row is near.
Rows are of one kind if their categories and their empty cells are the same, and the columns that
base holds constant are equal. What is near stands in near_numbers.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.label_noise import as_numbers
from hokusai_assets.contribution.told_targets import told_targets
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_FAR = 1e9  # standard deviations; what lies beyond is not compared
# Between rows that are not compared: an own coordinate that keeps them further apart than any
# threshold, so that one tree serves all.
APART = 1e6


@dataclass(frozen=True)
class Points:
    """Rows as points: the standardised features, and the number of each row's kind.

    Rows of different kinds are not compared; `said` are kinds that tell label and group apart too.
    """

    features: np.ndarray
    kinds: np.ndarray
    said: np.ndarray

    def __len__(self) -> int:
        return len(self.features)

    def coordinates(self, *, any_label: bool) -> np.ndarray:
        """The points with their kind as one more coordinate."""
        import numpy as np

        kinds = self.kinds if any_label else self.said
        found: np.ndarray = np.column_stack([self.features, kinds * APART])
        return found


@dataclass
class Space:
    """Base's scale, and numbers for the kinds of rows met so far."""

    task: Task
    means: dict[str, float]
    spreads: dict[str, float]
    _kinds: dict[tuple[str, int, Any], int] = field(default_factory=dict)

    @functools.cached_property
    def numeric(self) -> list[str]:
        """The columns that are measured, by name; of the others cells must be equal."""
        return [name for name, spread in self.spreads.items() if spread > 0]

    def points(self, table: pa.Table) -> Points:
        """The rows of a table that holds the features and, for `said`, target and group."""
        import numpy as np

        kinds = np.zeros(table.num_rows, np.int64)
        if not len(kinds):
            return Points(np.zeros((0, len(self.numeric))), kinds, kinds)
        features = np.zeros((table.num_rows, len(self.numeric)))
        far = np.zeros(table.num_rows, bool)
        for column in self.task.features:
            if column.name not in self.numeric:
                kinds = self._split(column.name, kinds, table.column(column.name))
                continue
            numbers = as_numbers(table.column(column.name))
            empty = np.isnan(numbers)
            kinds = self._split_by(column.name, kinds, empty.astype(np.int64))
            with np.errstate(over="ignore", invalid="ignore"):
                scaled = (numbers - self.means[column.name]) / self.spreads[column.name]
            scaled[empty] = 0.0
            far |= ~(np.abs(scaled) < _FAR)
            features[:, self.numeric.index(column.name)] = np.clip(scaled, -_FAR, _FAR)
        kinds[far] = -1
        said = kinds
        if self.task.target.name in table.column_names:
            said = self._split("said:target", said, told_targets(table, self.task))
        group = self.task.group_column
        if group is not None and group.name in table.column_names:
            said = self._split(f"said:{group.name}", said, table.column(group.name))
        said[far] = -1
        return Points(features, kinds, said)

    def _split(self, name: str, kinds: np.ndarray, cells: pa.ChunkedArray) -> np.ndarray:
        """Kinds that tell a column's values apart too; empty is a value."""
        import numpy as np

        encoded = cells.combine_chunks().dictionary_encode("encode")
        values = [
            self._kinds.setdefault((name, -1, value), len(self._kinds))
            for value in encoded.dictionary.to_pylist()
        ]
        codes = np.array(values, np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]
        return self._split_by(name, kinds, codes + 1)

    def _split_by(self, name: str, kinds: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """A number for each pair of kind and code; where the code is 0 the kind stays."""
        import numpy as np

        found = kinds.copy()
        (some,) = np.nonzero(codes)
        pairs, inverse = np.unique(
            np.column_stack([kinds[some], codes[some]]), axis=0, return_inverse=True
        )
        numbers = [
            self._kinds.setdefault((name, kind, code), len(self._kinds) + 1)
            for kind, code in pairs.tolist()
        ]
        found[some] = np.array(numbers, np.int64)[inverse.reshape(-1)]
        return found


def space_of(tables: Callable[[list[str]], Iterable[pa.Table]], task: Task) -> Space:
    """Base's scale; `tables` reads given columns of base, a part at a time."""
    import numpy as np

    names = [c.name for c in task.features if c.type not in {"text", "category"}]
    count, total, squares = (np.zeros(len(names)) for _ in range(3))
    origin: dict[str, float] = {}
    for table in tables(names) if names else ():
        for place, name in enumerate(names):
            cells = as_numbers(table.column(name))
            cells = cells[np.isfinite(cells)]
            if not len(cells):
                continue
            # Less the first value: squares of times would leave no digits for their spread.
            cells = cells - origin.setdefault(name, float(cells[0]))
            with np.errstate(over="ignore"):
                count[place] += len(cells)
                total[place] += cells.sum()
                squares[place] += (cells**2).sum()
    means, spreads = {}, {}
    for place, name in enumerate(names):
        many = max(count[place], 1)
        mean = total[place] / many
        means[name] = origin.get(name, 0.0) + mean
        spread = math.sqrt(max(squares[place] / many - mean**2, 0.0))
        spreads[name] = spread if math.isfinite(spread) else 0.0
    return Space(task, means, spreads)
