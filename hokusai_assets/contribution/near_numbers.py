"""Which rows without text are nearly others: by distance in features standardised by base.

Near are rows of one kind (number_points.py) whose Euclidean distance is below a threshold: the 1st
percentile of base rows' distances to their nearest other base row, made smaller for larger sets,
where a stranger stands nearer by chance. NEAR_BY_CHANCE of honest rows are below it.

Where a row with noise of 1 % of a standard deviation in each feature would not be below it, or base
rows repeat each other, distances do not tell rows apart, and nothing is looked for.
What is compared with what stands in near_number_rows.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hokusai_assets.contribution.number_points import APART, Points
from hokusai_assets.contribution.word_hashes import mixed

if TYPE_CHECKING:
    import numpy as np

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
    found, _ = cKDTree(different).query(asked, k=3, distance_upper_bound=APART / 2)
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
