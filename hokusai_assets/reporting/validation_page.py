"""A validation as one HTML page that needs nothing else: no script, no network, no other file.

Handed the validation as plain data, as `--json` prints it. Everything that comes from a file, such
as the names of its columns, is escaped, and the page forbids the browser to load or run anything:
an operator opens pages that strangers' files have words in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hokusai_assets.reporting.validation_summary import (
    columns_words,
    file_words,
    row_parts,
    share_words,
)

TEMPLATE = "validation.html.jinja"
_COLOURS = {
    "rejected": "#b3261e",
    "dropped_pii": "#7b4397",
    "duplicates_within": "#c77700",
    "duplicates_of_base": "#8a6d3b",
    "duplicates_normalised": "#d9a400",
    "duplicates_near": "#5c7a99",
    "usable": "#1b7f4d",
}
_LABELS = {
    "rejected": "do not fit the task",
    "dropped_pii": "dropped for personal data",
    "duplicates_within": "repeat another row of the file",
    "duplicates_of_base": "stand in the base data",
    "duplicates_normalised": "differ from another row in writing only",
    "duplicates_near": "say nearly what another row says",
    "usable": "would be used",
}


def render_page(told: Mapping[str, Any]) -> str:
    """The page of a validation."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hokusai_assets.reporting", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counts = told["counts"]
    return environment.get_template(TEMPLATE).render(
        told=told,
        file_words=file_words(told["file"]),
        parts=row_parts(counts) if counts else [],
        bar=bar_of(counts) if counts else [],
        share_words=share_words,
        columns_words=columns_words,
    )


def bar_of(counts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a bar of width 100 that stands for all rows read; empty parts are left out."""
    bar = []
    start = 0.0
    for name, colour in _COLOURS.items():
        count = counts[name]
        if not count:
            continue
        width = 100 * count / counts["read"]
        bar.append(
            {
                "label": _LABELS[name],
                "count": f"{count:,}",
                "share": f"{width:.1f} %",
                "colour": colour,
                "start": round(start, 3),
                "width": round(width, 3),
            }
        )
        start += width
    return bar
