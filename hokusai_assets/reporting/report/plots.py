"""Geometry of the report's plots; the templates draw it.

Horizontal places are per cent of a strip's width, so that text keeps its size on a narrow screen;
the square plots count in units of a box of 100. Rounded, so that a page is the same everywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Tone = Literal["good", "bad", "even"]
_MOST_POINTS = 400  # of a curve: more would not show, and the page is mailed

_LEAST_SPAN = 1e-9  # of an axis: below, differences are rounding's, and ticks would be all 0


@dataclass(frozen=True)
class Effect:
    """A difference to draw, in the unit of the axis; `better` turns a loss around."""

    name: str
    delta: float
    interval: tuple[float, float] | None
    higher_is_better: bool = True
    strong: bool = False


@dataclass(frozen=True)
class Whisker:
    """One row of a dot-and-whisker plot, in per cent of the strip."""

    name: str
    at: float
    low: float | None
    high: float | None
    tone: Tone
    strong: bool


@dataclass(frozen=True)
class WhiskerPlot:
    """Rows on one axis; ticks are (place, label)."""

    rows: tuple[Whisker, ...]
    ticks: tuple[tuple[float, str], ...]
    zero: float


def whisker_plot(effects: Sequence[Effect]) -> WhiskerPlot:
    """Rows of `effects` on one axis that holds them all, and zero."""
    ends: list[float] = [x for e in effects for x in (e.delta, *(e.interval or ()))]
    low, high = min(0.0, *ends), max(0.0, *ends)
    if high - low < _LEAST_SPAN:
        low, high = -1.0, 1.0
    ticks = _ticks(low, high)
    step = ticks[1] - ticks[0]
    start, stop = min(low, ticks[0]), max(high, ticks[-1])
    # A whisker that ends at the edge would look cut off.
    start, stop = start - step / 4, stop + step / 4

    def place(x: float) -> float:
        return round(100 * (x - start) / (stop - start), 2)

    rows = tuple(
        Whisker(
            name=e.name,
            at=place(e.delta),
            low=None if e.interval is None else place(e.interval[0]),
            high=None if e.interval is None else place(e.interval[1]),
            tone=tone(e),
            strong=e.strong,
        )
        for e in effects
    )
    return WhiskerPlot(rows, tuple((place(t), _label(t, step)) for t in ticks), place(0.0))


def tone(effect: Effect) -> Tone:
    """Good or bad where the whole interval is; without an interval nothing is claimed."""
    if effect.interval is None:
        return "even"
    low, high = effect.interval
    if not effect.higher_is_better:
        low, high = -high, -low
    return "good" if low > 0 else "bad" if high < 0 else "even"


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers around [low, high]."""
    rough = (high - low) / 5
    scale = 10.0 ** math.floor(math.log10(rough))
    step = scale * next(m for m in (1, 2, 5, 10) if rough <= m * scale)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _label(tick: float, step: float) -> str:
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{tick:+.{decimals}f}" if tick else "0"
    return text.replace("-", "\N{MINUS SIGN}")


def thinned(points: Sequence[Any]) -> list[Any]:
    """At most some 400 points, evenly taken, with both ends."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    step = math.ceil((len(points) - 1) / (_MOST_POINTS - 1))
    return [*points[:-1:step], points[-1]]


def line(points: Sequence[tuple[float, float]]) -> str:
    """The `points` attribute of a polyline in a box of 100, of numbers in [0, 1]."""
    return " ".join(f"{_across(x)},{_up(y)}" for x, y in thinned(points))


def calibration_dots(bins: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """A dot a bin; its area is the bin's share of rows."""
    most = max((b["rows"] for b in bins), default=0)
    return [
        {
            "x": _across(b["mean_score"]),
            "y": _up(b["share"]),
            "r": round(0.8 + 1.8 * math.sqrt(b["rows"] / most), 2),
        }
        for b in bins
        if b["rows"]
    ]


def _across(x: float) -> float:
    return round(100 * x, 2)


def _up(y: float) -> float:
    return round(100 - 100 * y, 2)
