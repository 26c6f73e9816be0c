"""What a benchmark can detect: the exact power of the threshold and the sign test together.

For accuracy on independent rows with one seed. Rows on which exactly one model is right are
Bin(n, d), and of D such rows the candidate has Bin(D, (d + delta) / 2d) right; a gain is detected
when it reaches the threshold and its exact p value (McNemar, 1947) the level.
"""

import math
from collections.abc import Callable

import numpy as np
import scipy

_TAIL = 9.0  # standard deviations of D that are summed over
_MOST_ROWS = 10_000_000


def detection_power(
    rows: int, improvement: float, discordance: float, level: float, threshold: float = 0.0
) -> float:
    """The chance to detect a true `improvement` of accuracy (all shares, such as 0.02).

    `discordance` is the share of rows that one model alone has right; no improvement can be larger.
    """
    if not 0 <= improvement <= discordance <= 1:
        raise ValueError("an improvement lies between 0 and the share of discordant rows")
    if rows < 1 or discordance == 0:
        return 0.0
    spread = _TAIL * math.sqrt(rows * discordance * (1 - discordance)) + 1
    middle = rows * discordance
    counts = np.arange(
        max(0, math.floor(middle - spread)), min(rows, math.ceil(middle + spread)) + 1
    )
    weights = np.exp(
        scipy.special.gammaln(rows + 1)
        - scipy.special.gammaln(counts + 1)
        - scipy.special.gammaln(rows - counts + 1)
        + scipy.special.xlogy(counts, discordance)
        + scipy.special.xlog1py(rows - counts, -discordance)
    )
    least = np.maximum(_critical(counts, level), np.ceil((counts + rows * threshold - 1e-9) / 2))
    share = (discordance + improvement) / (2 * discordance)
    return float(np.sum(weights * _at_least(least, counts, share)))


def detectable(
    rows: int, discordance: float, level: float, threshold: float = 0.0, power: float = 0.8
) -> float | None:
    """The smallest improvement that is detected with `power`; None if none is."""
    return smallest(
        lambda gain: detection_power(rows, gain, discordance, level, threshold) >= power,
        discordance,
    )


def smallest(is_detected: Callable[[float], bool], most: float) -> float | None:
    """The smallest gain up to `most` that is detected, by bisection; None if `most` is not."""
    if not is_detected(most):
        return None
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if is_detected(middle) else (middle, high)
    return high


def rows_needed(
    improvement: float, discordance: float, level: float, threshold: float = 0.0, power: float = 0.8
) -> int | None:
    """How many rows detect `improvement` with `power`; None if more than ten million would not.

    To within one in a hundred: the power of an exact test rises in small steps back and forth.
    """

    def enough(rows: int) -> bool:
        return detection_power(rows, improvement, discordance, level, threshold) >= power

    high = 64
    while not enough(high):
        high *= 2
        if high > _MOST_ROWS:
            return None
    low = high // 2
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _critical(counts: np.ndarray, level: float) -> np.ndarray:
    """The least successes of `counts` fair trials whose p value is at most `level`."""
    low, high = np.zeros(len(counts)), counts + 1.0  # low never suffices, high always does
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        suffices = _at_least(middle, counts, 0.5) <= level
        high = np.where(suffices, middle, high)
        low = np.where(suffices, low, middle)
    return high


def _at_least(successes: np.ndarray, trials: np.ndarray, share: float) -> np.ndarray:
    """P(Bin(trials, share) >= successes)."""
    inside = (successes > 0) & (successes <= trials)
    chances = np.where(successes <= 0, 1.0, 0.0)
    one, other = successes[inside], (trials - successes + 1)[inside]
    chances[inside] = scipy.special.betainc(one, other, share)
    return chances
