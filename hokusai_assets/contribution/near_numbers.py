"""Which rows without text are nearly others: by distance in features standardised by base.

Numbers, integers, times and booleans are centred and scaled by base's mean and standard deviation,
never by the contribution's: huge outliers would stretch a scale of its own until every row is near.
Rows are compared only if their categories and their empty cells are the same, and columns that
base holds constant are equal. Near are rows whose Euclidean distance is below a threshold: the 1st
percentile of base rows' distances to their nearest other base row, made smaller for larger sets,
where a stranger stands nearer by chance. NEAR_BY_CHANCE of honest rows are below it.

Where a row with noise of 1 % of a standard deviation in each feature would not be below it, or base
rows repeat each other, distances do not tell rows apart, and nothing is looked for.
What is compared with what stands in near_rows.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.label_noise import as_numbers
from hokusai_assets.contribution.near_texts import mixed
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NEAR_BY_CHANCE = 0.01  # of honest rows; the percentile of base's distances
_SAMPLE_ROWS = 20_000  # base rows among which distances are measured ...
_MEASURED_ROWS = 2_000  # ... from so many of them: the time in many columns is their product
_NOISE = 0.01  # standard deviations in each feature: what must be found
_FEWEST_ROWS = 100  # base rows; fewer have no 1st percentile
_MOST_REPEATED = 0.1  # share of sampled base rows whose features another one has
# A row a whole standard deviation away, all features together, is not near, whatever base's
# distances are: in many columns the nearest stranger is hardly nearer than any other, and to look
# for rows as far as that takes the product of all rows.
_FURTHEST = 1.0
_FAR = 1e9  # standard deviations; what lies beyond is not compared
# Between rows that are not compared: an own coordinate that keeps them further apart than any
# threshold, so that one tree serves all.
_APART = 1e6


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
        found: np.ndarray = np.column_stack([self.features, kinds * _APART])
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
        for told in (self.task.target, self.task.group_column):
            if told is not None and told.name in table.column_names:
                said = self._split(f"said:{told.name}", said, table.column(told.name))
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


@dataclass(frozen=True)
class Nearness:
    """Base's 1st percentile of nearest distances, and from what it was measured."""

    distance: float
    rows: int
    dimension: float  # of the data, not the columns: how fast rows get rarer with distance
    features: int

    def threshold(self, among: int, by_chance: float = NEAR_BY_CHANCE) -> float:
        """Below which distance `by_chance` of honest rows have a row among so many; 0 for none.

        The share of rows that have another within a small distance r grows as rows * r^dimension.
        """
        if not among:
            return 0.0
        rarer = min(1.0, self.rows / among * by_chance / NEAR_BY_CHANCE)
        found = self.distance * rarer ** (1 / self.dimension)
        found = min(found, _FURTHEST)
        # A row with noise lies some sqrt(features) * _NOISE away; three more for chance.
        return found if found >= _NOISE * (math.sqrt(self.features) + 3) else 0.0


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


def nearness(base: Points) -> Nearness | None:
    """How near base rows are to each other; None if distances do not tell them apart at all."""
    import numpy as np
    from scipy.spatial import cKDTree

    sample = base.coordinates(any_label=True)[:_SAMPLE_ROWS]
    sample = sample[base.kinds[:_SAMPLE_ROWS] >= 0]
    width = sample.shape[1] - 1
    different = np.unique(sample, axis=0)
    fewest = max(_FEWEST_ROWS, (1 - _MOST_REPEATED) * len(sample))
    if not width or len(different) < fewest:
        return None
    # Every so many of them, since they are sorted by now.
    asked = different[:: -(-len(different) // _MEASURED_ROWS)]
    found, _ = cKDTree(different).query(asked, k=3, distance_upper_bound=_APART / 2)
    first, second = found[:, 1], found[:, 2]
    first_only = first[np.isfinite(first)]
    both = np.isfinite(second) & (first > 0)
    if not len(first_only) or not both.any():
        return None
    # Two nearest neighbours tell the dimension (Facco et al., Sci. Rep. 7, 12140, 2017).
    spread = float(np.mean(np.log(second[both] / first[both])))
    dimension = min(max(1 / spread if spread > 0 else width, 1.0), float(width))
    distance = float(np.quantile(first_only, NEAR_BY_CHANCE, method="lower"))
    return Nearness(distance, len(different), dimension, width)


def near_to(rows: Points, others: list[Points], distance: float, *, any_label: bool) -> np.ndarray:
    """Which rows lie nearer than `distance` to one of `others`, of their own kind."""
    import numpy as np
    from scipy.spatial import cKDTree

    near = np.zeros(len(rows), bool)
    compared = rows.kinds >= 0
    for known in others:
        there = known.coordinates(any_label=any_label)[known.kinds >= 0]
        if distance <= 0 or not len(there) or not compared.any():
            continue
        tree = cKDTree(there)
        asked = rows.coordinates(any_label=any_label)[compared]
        found, _ = tree.query(asked, distance_upper_bound=distance)
        near[compared] |= np.isfinite(found)
    return near


def near_to_earlier(rows: Points, distance: float) -> np.ndarray:
    """Which rows lie nearer than `distance` to one before them, of their own kind and label.

    In rounds, each row with its nearest one that is left: all pairs of a crowd would be its square.
    A row that is near another has a nearest one, and the later of these two leaves, so rounds are
    few and no two that are left are near each other.
    """
    import numpy as np
    from scipy.spatial import cKDTree

    near = np.zeros(len(rows), bool)
    if distance <= 0:
        return near
    (left,) = np.nonzero(rows.kinds >= 0)
    left = left[_first_of_cells(rows, left, distance)]
    near[rows.kinds >= 0] = True
    near[left] = False
    points = rows.coordinates(any_label=False)
    asked = left
    while len(asked) and len(left) > 1:
        tree = cKDTree(points[left])
        # Itself and the nearest other.
        found, places = tree.query(points[asked], k=2, distance_upper_bound=distance)
        others = np.append(left, -1)[places]
        met = np.isfinite(found) & (others != asked[:, None])
        gone = np.where(met, np.maximum(others, asked[:, None]), -1)
        near[gone[gone >= 0]] = True
        asked = asked[met.any(axis=1) & ~near[asked]]
        left = left[~near[left]]
    return near


def _first_of_cells(rows: Points, some: np.ndarray, distance: float) -> np.ndarray:
    """Positions in `some` of the first row in each cell of a grid; rows of one cell are near.

    So that a crowd sent on purpose is no more work than as many rows elsewhere.
    """
    import numpy as np

    side = distance / math.sqrt(rows.features.shape[1])
    hashes = rows.said[some].astype(np.uint64)
    with np.errstate(over="ignore"):
        for column in range(rows.features.shape[1]):
            cells = np.floor(rows.features[some, column] / side).astype(np.int64)
            # Of 64 bits: a million rows meet by chance once in thirty million files.
            hashes = mixed((hashes * np.uint64(0x9E3779B97F4A7C15)) ^ cells.astype(np.uint64))
    _, first = np.unique(hashes, return_index=True)
    return np.sort(first)
