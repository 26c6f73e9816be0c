"""The dot-and-whisker plot as a small PNG, for a UI that shows images and not our page.

matplotlib is imported when a plot is made: it costs as much time as a whole page. The report draws
its own plots (docs/adr/0011), since a PNG knows neither dark mode nor print.
"""

import io
from collections.abc import Sequence
from typing import Any

from hokusai_assets.records import DeltaReport, ReportedInterval
from hokusai_assets.reporting.report import words
from hokusai_assets.reporting.report.plots import Effect, tone

UNIT = "points, with 95 % intervals"

_COLOURS = {"good": "#1b7f4d", "bad": "#b3261e", "even": "#5c6068"}


def effects_of(report: DeltaReport) -> list[Effect]:
    """The deltas that are told in points, and DeltaOne, each with its interval."""
    found = [
        _effect(words.spaced(d.metric), d.delta, d.interval, d.higher_is_better)
        for d in report.deltas
        if d.delta is not None
        and words.in_points(d.metric, _directions(report), d.baseline.value, d.candidate.value)
    ]
    one = report.delta_one
    if one.value is not None:
        found.append(_effect("DeltaOne", one.value, one.interval))
    return found


def delta_png(effects: Sequence[Effect], unit: str) -> bytes:
    """A PNG of `effects` on one axis, the first one on top; the same bytes each time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 0.5 + 0.27 * len(effects)), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, effect in enumerate(effects):
        colour = _COLOURS[tone(effect)]
        if effect.interval is not None:
            axes.plot(effect.interval, (place, place), color=colour, linewidth=1.6)
        axes.plot(effect.delta, place, "o", color=colour, markersize=5)
    axes.axvline(0, color="#80858d", linewidth=0.8, linestyle=":")
    # A name between two dollar signs would be read as mathematics.
    names = [effect.name.replace("$", r"\$") for effect in effects]
    axes.set_yticks(range(len(effects)), names, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel(unit, fontsize=9)
    axes.tick_params(length=0, labelsize=9)
    axes.grid(axis="x", color="#e2e2dd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return _palette(stream.getvalue())


def _directions(report: DeltaReport) -> dict[str, Any]:
    """Which metrics are losses, as delta_output says it."""
    return {"deltas": {d.metric: {"higher_is_better": d.higher_is_better} for d in report.deltas}}


def _effect(
    name: str, delta: float, interval: ReportedInterval | None, higher_is_better: bool = True
) -> Effect:
    ends = None if interval is None else (interval.low_nano / 1e7, interval.high_nano / 1e7)
    return Effect(name, 100 * delta, ends, higher_is_better)


def _palette(png: bytes) -> bytes:
    """The same image in 32 colours: a third of the size, and run metadata is kept for good."""
    from PIL import Image

    stream = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(32).save(stream, format="png", optimize=True)
    return stream.getvalue()
