"""Numbers of a target's unit as millionths of its scale, and by tenths of it.

What the scale is, the task says; past this step all of it is integers.
"""

from typing import Any

import numpy as np

from hokusai_assets.scoring.metrics import MILLION, IntArray
from hokusai_assets.task import TargetScale

TENTHS = 10  # parts of the range: a regression's strata, and what its report tells apart


def scaled(scale: TargetScale, values: Any) -> IntArray:
    """Finite numbers of the target's unit as int64 millionths of the scale, 0 to 1,000,000.

    Clipped to the range, then round((y - minimum) / (maximum - minimum) * 1e6), half to even, each
    step in IEEE 754 doubles, whose result is the same on every machine.
    """
    inside = np.clip(np.asarray(values, np.float64), scale.minimum, scale.maximum)
    return np.rint((inside - scale.minimum) / scale.width * MILLION).astype(np.int64)


def tenths(millionths: IntArray) -> IntArray:
    """Which tenth of the scale each number of millionths lies in, 0 to 9."""
    return np.asarray(np.minimum(millionths * TENTHS // MILLION, TENTHS - 1), dtype=np.int64)
