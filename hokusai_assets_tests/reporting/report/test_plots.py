"""Geometry: what is drawn stands where its number is."""

import io

import pytest

from hokusai_assets.reporting.report import words
from hokusai_assets.reporting.report.plots import (
    Effect,
    calibration_dots,
    line,
    thinned,
    tone,
    whisker_plot,
)
from hokusai_assets.reporting.report.png import delta_png, effects_of
from hokusai_assets_tests.conftest import Evaluated


def place(number: float, plot: object) -> float:
    """Where a number must stand, from two ticks."""
    (first, low), *_, (last, high) = plot.ticks  # type: ignore[attr-defined]
    at_low, at_high = (float(text.replace("−", "-")) for text in (low, high))
    return float(first + (number - at_low) / (at_high - at_low) * (last - first))


@pytest.mark.parametrize(
    "ends", [(1.3, 2.7, 4.1), (-3.1, -1.0, 0.4), (-0.003, 0.001, 0.002), (100.0, 250.0, 2000.0)]
)
def test_dots_and_whiskers_stand_where_the_axis_says(ends: tuple[float, float, float]) -> None:
    low, at, high = ends
    plot = whisker_plot([Effect("a", at, (low, high))])
    (row,) = plot.rows
    for number, drawn in ((low, row.low), (at, row.at), (high, row.high), (0.0, plot.zero)):
        assert drawn == pytest.approx(place(number, plot), abs=0.05)
        assert drawn is not None
        assert 0 < drawn < 100
    assert 3 <= len(plot.ticks) <= 9


def test_nothing_changed_is_a_dot_on_zero() -> None:
    plot = whisker_plot([Effect("a", 0.0, (0.0, 0.0)), Effect("b", 0.0, None)])
    assert {row.at for row in plot.rows} == {plot.zero}
    assert plot.rows[1].low is None


@pytest.mark.parametrize(
    ("interval", "higher", "expected"),
    [
        ((0.1, 0.2), True, "good"),
        ((0.1, 0.2), False, "bad"),
        ((-0.2, -0.1), True, "bad"),
        ((-0.2, -0.1), False, "good"),
        ((-0.1, 0.2), True, "even"),
        ((0.0, 0.2), True, "even"),
        (None, True, "even"),
    ],
)
def test_colour_follows_the_whole_interval(
    interval: tuple[float, float] | None, higher: bool, expected: str
) -> None:
    assert tone(Effect("a", 0.15, interval, higher_is_better=higher)) == expected


def test_curves_are_drawn_upwards_and_thinned_with_both_ends() -> None:
    assert line([(0.0, 0.0), (0.25, 0.5), (1.0, 1.0)]) == "0.0,100.0 25.0,50.0 100.0,0.0"
    many = list(range(100_000))
    kept = thinned(many)
    assert len(kept) <= 401
    assert (kept[0], kept[-1]) == (0, 99_999)


def test_empty_bins_have_no_dot() -> None:
    bins = [
        {"mean_score": 0.2, "share": 0.1, "rows": 10},
        {"mean_score": None, "share": None, "rows": 0},
    ]
    (dot,) = calibration_dots(bins)
    assert (dot["x"], dot["y"]) == (20.0, 90.0)


def test_numbers_are_words() -> None:
    assert words.signed(-0.0157, points=True) == "−1.57"
    assert words.signed(-12345.6, points=False) == "−12,345.6"
    assert words.p_value(1e-12) == "≤ 1e-12"
    assert words.p_value(0.0000741) == "7.4e-05"
    assert words.p_value(0.9767) == "0.977"
    assert words.whole_points(-0.004) == "0"
    assert words.whole_points(-0.016) == "−2"
    assert words.number("margin_millionths", 50000) == ("margin", "0.05")
    assert words.number("p_pico", None) == ("p pico", "undefined")
    assert words.names(["a", "b", "c"]) == "a, b and c"


def test_the_png_is_small_and_the_same_each_time(evaluated: Evaluated) -> None:
    from PIL import Image

    effects = effects_of(evaluated["delta_report"])
    assert [e.name for e in effects][-1] == "DeltaOne"
    effects = [*effects, Effect("$x^{$ <script>", 1.0, (0.5, 1.5))]
    image = delta_png(effects, "points")
    assert image == delta_png(effects, "points")
    assert len(image) < 6000
    with Image.open(io.BytesIO(image)) as opened:
        assert opened.format == "PNG"
        assert opened.size[0] >= 400


@pytest.mark.parametrize("delta", [1e-12, -3e-17, 5e-324])
def test_a_difference_of_rounding_alone_stands_at_zero(delta: float) -> None:
    plot = whisker_plot([Effect("a", delta, (delta, delta))])
    assert plot.rows[0].at == plot.zero
    assert len({label for _, label in plot.ticks}) == len(plot.ticks)


def test_a_loss_stands_in_no_png_of_points(evaluated: Evaluated) -> None:
    report = evaluated["delta_report"]
    first = next(d for d in report.deltas if d.delta is not None)
    loss = first.model_copy(update={"metric": "brier_score", "higher_is_better": False})
    names = [e.name for e in effects_of(report.model_copy(update={"deltas": (first, loss)}))]
    assert names == [words.spaced(first.metric), "DeltaOne"]
