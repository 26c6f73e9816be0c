"""Margins of guards as the task file names them, in the rule's integers."""

import math
from decimal import Decimal
from fractions import Fraction

RECALL = "recall:"
SLICE = "slice:"


def margin_millionths(points: float) -> int:
    """A margin in points of 100, in millionths, rounded down."""
    return scaled_down(points, 10**4)


def scaled_down(value: float, unit: int) -> int:
    """A decimal number of the task file in units of 1 / unit, rounded down."""
    return math.floor(Fraction(Decimal(repr(value))) * unit)
