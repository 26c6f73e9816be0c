"""Does balanced accuracy's normal approximation keep the levels of the decision rule? It does not.

`python -m benchmarks.balanced_accuracy_tail` draws contributions that do not change balanced
accuracy at all, because what one class's recall loses the other's gains, and prints how often the
test calls them an improvement, as a multiple of the level. docs/decision_rule.md holds its table.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

LEVELS = (0.03, 5e-4, 3e-5)
REPEATS = 12_000_000
_CHUNK = 1_000_000


@dataclass(frozen=True)
class Null:
    """A benchmark and, of each class, the shares of rows that are fixed and that are broken."""

    rows: int
    positive_share: float
    positive: tuple[float, float]
    negative: tuple[float, float]


NULLS = (
    Null(2_000, 0.5, (0.03, 0.03), (0.03, 0.03)),
    Null(2_000, 0.05, (0.03, 0.03), (0.03, 0.03)),
    Null(2_000, 0.05, (0.10, 0.10), (0.03, 0.03)),
    Null(2_000, 0.05, (0.01, 0.21), (0.22, 0.02)),
    Null(2_000, 0.05, (0.21, 0.01), (0.02, 0.22)),
    Null(2_000, 0.05, (0.01, 0.06), (0.06, 0.01)),
    Null(2_000, 0.20, (0.01, 0.06), (0.06, 0.01)),
    Null(10_000, 0.05, (0.01, 0.06), (0.06, 0.01)),
)


def statistic(sizes: Any, fixed: Any, broken: Any) -> tuple[Any, Any]:
    """The change of balanced accuracy and its standard error, by the influence functions.

    Each argument is a pair of arrays, one a class. A row of a class of m rows has the influence
    n (x - d) / (2 m), where x is 1, 0 or -1 and d the change of the class's recall.
    """
    deltas = [(f - b) / m for m, f, b in zip(sizes, fixed, broken, strict=True)]
    variance = sum(
        ((f + b) / m - d**2) / m / 4
        for m, f, b, d in zip(sizes, fixed, broken, deltas, strict=True)
    )
    return sum(deltas) / 2, np.sqrt(variance)


def excess(null: Null, repeats: int, rng: np.random.Generator) -> Any:
    """How often the test errs at each level, divided by the level."""
    limits = special.ndtri(1 - np.array(LEVELS))
    errors = np.zeros(len(LEVELS))
    for _ in range(0, repeats, _CHUNK):
        positive = rng.binomial(null.rows, null.positive_share, _CHUNK)
        sizes = (positive, null.rows - positive)
        fixed, broken = [], []
        for size, (gain, loss) in zip(sizes, (null.positive, null.negative), strict=True):
            fixed.append(rng.binomial(size, gain))
            broken.append(rng.binomial(size - fixed[-1], loss / (1 - gain)))
        delta, error = statistic(sizes, fixed, broken)
        errors += [(delta > limit * error).sum() for limit in limits]
    return errors / repeats / LEVELS


def main() -> None:
    """Print one line a null."""
    rng = np.random.default_rng(20)
    print(f"type I error / level, at levels {', '.join(map(str, LEVELS))}; {REPEATS:,} repeats")
    for null in NULLS:
        print(null, *(f"{ratio:.2f}" for ratio in excess(null, REPEATS, rng)))


if __name__ == "__main__":
    main()
