"""What a regression's benchmark can detect: the power of the threshold and the bet together.

For mae on independent rows with one seed, by the normal approximation of a row's gain (the
baseline's absolute error less the candidate's) with a mean and a standard deviation, its `spread`.
A bet g has won when g x mean gain - g^2 x mean square / 2 reaches log(bets / level) / n, the series
of log(1 + g x gain) to its second term; the best of the bets alone is asked, so that the power is a
little understated. All gains and spreads are shares of the target's range.
"""

import math

import scipy

from hokusai_assets.scoring.betting import BETS
from hokusai_assets.scoring.power import smallest

_MOST_ROWS = 100_000_000


def detection_power(
    rows: int, gain: float, spread: float, level: float, threshold: float = 0.0
) -> float:
    """The chance to detect a true mean `gain`."""
    if rows < 1 or gain <= 0 or spread <= 0:
        return 0.0
    wanted = math.log(len(BETS) / level) / rows
    square = spread**2 + gain**2
    least = min(wanted / bet + bet * square / 2 for bet in BETS)
    return float(scipy.special.ndtr((gain - max(least, threshold)) * math.sqrt(rows) / spread))


def detectable(
    rows: int, spread: float, level: float, threshold: float = 0.0, power: float = 0.8
) -> float | None:
    """The smallest gain that is detected with `power`; None if none is."""
    return smallest(
        lambda gain: detection_power(rows, gain, spread, level, threshold) >= power, 1.0
    )


def rows_needed(
    gain: float, spread: float, level: float, threshold: float = 0.0, power: float = 0.8
) -> int | None:
    """How many rows detect `gain` with `power`; None if a hundred million would not."""
    low, high = 0, 64
    while detection_power(high, gain, spread, level, threshold) < power:
        low, high = high, high * 2
        if high > _MOST_ROWS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = detection_power(middle, gain, spread, level, threshold) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high
