"""The scale of a number target: exact, clipped, in order, half to even."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.scoring.target_scale import scaled, tenths
from hokusai_assets.task import TargetScale


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
)
def test_the_scale_is_exact_clipped_and_in_order(low, width, values):
    scale = TargetScale(low, low + width)
    found = scaled(scale, values)
    for value, millionths in zip(values, found.tolist(), strict=True):
        inside = Fraction(min(max(value, scale.minimum), scale.maximum))
        share = (inside - Fraction(scale.minimum)) / Fraction(scale.width)
        assert abs(millionths - share * 10**6) <= Fraction(1, 2) + Fraction(1, 10**6)
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert scaled(scale, [scale.minimum, scale.maximum, -1e300, 1e300]).tolist() == [
        0,
        10**6,
        0,
        10**6,
    ]


def test_halves_of_a_millionth_go_to_the_even_one_and_tenths_close_at_the_top():
    scale = TargetScale(0.0, 8.0)
    assert scaled(scale, [4e-6, 12e-6, 20e-6]).tolist() == [0, 2, 2]
    assert tenths(scaled(scale, [0.0, 0.8, 7.99, 8.0])).tolist() == [0, 1, 9, 9]
    assert TargetScale(-0.0, 0.5).body() == {"minimum": "0", "maximum": "0.5"}
