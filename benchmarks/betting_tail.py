"""Does the bet that stands for a regression's primary metric keep its level, and what does it find?

`python -m benchmarks.betting_tail` draws candidates that change no mean loss at all and prints how
often two tests call them an improvement, as a multiple of the level: the normal approximation, and
the bet of the rule (hokusai_assets/scoring/betting.py), which keeps every level by theorem. Then
candidates that do gain, and how often each test finds them. docs/statistics.md holds the tables. A
gain of a row is one of a few values with given chances, so that a benchmark is a list of counts and
millions of them can be drawn; both tests are exact on such counts as on any rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from hokusai_assets.scoring.betting import BETS

LEVELS = (1.67e-3, 1e-3, 1e-4, 3e-5)
REPEATS = 4_000_000
FOUND = 20_000
LEVEL = 1e-3  # about that of attempt 1, for what is found
_CHUNK = 200_000


@dataclass(frozen=True, eq=False)
class Gains:
    """Gains of a row and their chances; `rows` of them are a benchmark."""

    name: str
    rows: int
    values: Any
    chances: Any

    @property
    def mean(self) -> float:
        """The true gain."""
        return float(self.values @ self.chances)


def bell(rows: int, mean: float, deviation: float) -> Gains:
    """Gains that are spread evenly around their mean, as a normal's on a grid are."""
    at = np.linspace(-4, 4, 41)
    weights = np.exp(-(at**2) / 2)
    name = f"bell, deviation {deviation:g}"
    return Gains(name, rows, mean + deviation * at, weights / weights.sum())


def bought(rows: int, gain: float, loss: float, mean: float = 0.0) -> Gains:
    """Nearly all rows gain a little, and a few lose so much that no more than `mean` is left."""
    share = (gain - mean) / (gain + loss)
    name = f"{share:.2%} of the rows lose {loss:g}"
    return Gains(name, rows, np.array([gain, -loss]), np.array([1 - share, share]))


def heavy(rows: int, mean: float, scale: float) -> Gains:
    """Gains with tails of a t with 2 degrees of freedom, cut where a gain of a row ends."""
    edges = np.linspace(-1, 1, 201)
    below = special.stdtr(2, edges / scale)
    chances = np.diff(below)
    name = f"heavy tails, scale {scale:g}"
    middle = (edges[1:] + edges[:-1]) / 2
    return Gains(name, rows, np.clip(middle + mean, -1, 1), chances / chances.sum())


NULLS = (
    bell(2_000, 0.0, 0.05),
    bell(2_000, 0.0, 0.2),
    heavy(2_000, 0.0, 0.02),
    bought(2_000, 0.02, 0.2),
    bought(2_000, 0.02, 0.9),
    bought(10_000, 0.01, 0.9),
    bought(100_000, 0.01, 0.9),
    bought(2_000, 0.01, 0.99),
)
ALTERNATIVES = (
    bell(2_000, 0.01, 0.03),
    bell(2_000, 0.01, 0.06),
    bell(2_000, 0.01, 0.1),
    bell(2_000, 0.02, 0.1),
    bell(2_000, 0.02, 0.2),
    bell(10_000, 0.01, 0.2),
    heavy(2_000, 0.02, 0.03),
    bought(2_000, 0.04, 0.4, 0.02),
    bell(2_000, 0.002, 0.01),
    bell(2_000, 0.005, 0.02),
    bell(10_000, 0.002, 0.01),
)


def normal_p(gains: Gains, counts: Any) -> Any:
    """1 - Phi(mean / standard error), of counts of each value, shape (draws, values)."""
    mean = counts @ gains.values / gains.rows
    variance = counts @ gains.values**2 / gains.rows - mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = mean / np.sqrt(np.maximum(variance, 0) / gains.rows)
    # Where nothing varies between rows there is no standard error, and the rule says no.
    return np.where(variance > 1e-18, special.ndtr(-statistic), 1.0)


def betting_p(gains: Gains, counts: Any) -> Any:
    """The bet of the rule, of counts of each value."""
    logs = counts @ np.log1p(np.outer(gains.values, BETS))
    largest = logs.max(axis=1)
    evidence = largest + np.log(np.exp(logs - largest[:, None]).mean(axis=1))
    return np.exp(np.minimum(-evidence, 0))


def excess(null: Gains, repeats: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """How often the normal test and the bet err at each level, divided by it."""
    normal, bet, drawn = np.zeros(len(LEVELS)), np.zeros(len(LEVELS)), 0
    chunk = max(1_000, _CHUNK * 8 // len(null.values))
    while drawn < repeats:
        count = min(chunk, repeats - drawn)
        counts = rng.multinomial(null.rows, null.chances, size=count).astype(float)
        of_normal, of_bet = normal_p(null, counts), betting_p(null, counts)
        for place, level in enumerate(LEVELS):
            normal[place] += (of_normal <= level).sum()
            bet[place] += (of_bet <= level).sum()
        drawn += count
    return normal / drawn / LEVELS, bet / drawn / LEVELS


def found(gains: Gains, repeats: int, rng: np.random.Generator) -> tuple[float, float]:
    """How often the normal test and the bet find a true gain at LEVEL."""
    counts = rng.multinomial(gains.rows, gains.chances, size=repeats).astype(float)
    return (
        float((normal_p(gains, counts) <= LEVEL).mean()),
        float((betting_p(gains, counts) <= LEVEL).mean()),
    )


def main() -> None:
    """Print one line a null, then one a gain."""
    rng = np.random.default_rng(23)
    levels = " | ".join(f"at {level:g}" for level in LEVELS)
    print(f"type I error / level, {REPEATS:,} draws: normal, bet")
    print(f"| rows | gains | {levels} |\n|---|---|---|---|---|---|")
    for null in NULLS:
        repeats = REPEATS if len(null.values) < 10 else REPEATS // 10
        pairs = zip(*excess(null, repeats, rng), strict=True)
        told = " | ".join(f"{normal:.2f}, {bet:.2f}" for normal, bet in pairs)
        print(f"| {null.rows:,} | {null.name} | {told} |", flush=True)
    print(f"\nshare found at {LEVEL:g}, {FOUND:,} draws")
    print("| rows | mean gain | gains | normal | bet |\n|---|---|---|---|---|")
    for gain in ALTERNATIVES:
        normal, bet = found(gain, FOUND, rng)
        print(f"| {gain.rows:,} | {gain.mean:.3f} | {gain.name} | {normal:.2f} | {bet:.2f} |")


if __name__ == "__main__":
    main()
