"""How much of an accepted gain may be paid: a bound that selection does not inflate.

Of contributions that pass a threshold, what was measured is too high on average (the winner's
curse). Where DeltaOne is the primary metric alone, the bound is therefore conditional on having
passed: of those accepted, at most one in twenty is paid more than it truly gains. Otherwise it is
the one-sided bound at the attempt's own level.
"""

from dataclasses import dataclass

import numpy as np
import scipy

_OVERPAID = 0.05
_STEPS = 200


@dataclass(frozen=True)
class Gain:
    """What was measured, in basis points.

    `null_error` is the standard error if nothing had changed; `degrees_of_freedom` None means
    normal; `conditional` that the gain is the very number that had to pass the threshold.
    """

    measured: float
    standard_error: float
    null_error: float
    degrees_of_freedom: float | None
    conditional: bool


def payable_bps(gain: Gain, *, min_delta_bps: int, level: float) -> int:
    """max(0, floor(L)); `level` is the attempt's alpha."""
    if gain.standard_error == 0:
        bound = gain.measured
    elif gain.conditional:
        bound = _bound_given_acceptance(gain, min_delta_bps, level)
    else:
        bound = gain.measured - _quantile(1 - level, gain.degrees_of_freedom) * gain.standard_error
    return max(0, int(np.floor(bound)))


def _bound_given_acceptance(gain: Gain, min_delta_bps: int, level: float) -> float:
    """L with Phibar((x - L) / s) = 0.05 Phibar((t - L) / s), t being what had to be passed.

    By bisection of the logarithms: the chance to show x, given that t was passed, falls with L.
    With degrees of freedom Phibar is the tail of t, which may leave nothing at all: an error that
    is known badly proves little of a gain.
    """
    degrees = gain.degrees_of_freedom
    passed = max(float(min_delta_bps), _quantile(1 - level, degrees) * gain.null_error)
    # Accepted by another test than the normal one: at the edge all that can be said is t itself.
    passed = min(passed, gain.measured)

    def excess(bound: float) -> float:
        shown = _log_below((bound - gain.measured) / gain.standard_error, degrees)
        could = _log_below((bound - passed) / gain.standard_error, degrees)
        return float(shown - could - np.log(_OVERPAID))

    low, high = gain.measured - 1e3 * gain.standard_error, gain.measured + 40 * gain.standard_error
    if excess(low) > 0:
        return low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if excess(middle) < 0:
            low = middle
        else:
            high = middle
    return low


def _log_below(value: float, degrees_of_freedom: float | None) -> float:
    if degrees_of_freedom is None:
        return float(scipy.special.log_ndtr(value))
    return float(np.log(max(scipy.special.stdtr(degrees_of_freedom, value), 1e-300)))


def _quantile(probability: float, degrees_of_freedom: float | None) -> float:
    if degrees_of_freedom is None:
        return float(scipy.special.ndtri(probability))
    return float(scipy.special.stdtrit(degrees_of_freedom, probability))
