"""What a terminal shows of a validation: where the rows went, what to correct, and the verdict.

Handed the validation as plain data, as `--json` prints it; what may stand in it is the business of
contribution/validating.py. 80 columns wide wherever it goes, so that a report copied from a log
reads like one from a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hokusai_assets.reporting.summary import WIDTH

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

# Parts that are None were not looked for; told apart by the sentence about base data.
PARTS = (
    ("rejected", "do not fit the task"),
    ("dropped_pii", "dropped for personal data"),
    ("duplicates_within", "repeat another row of the file"),
    ("duplicates_of_base", "stand in the base data already"),
    ("duplicates_normalised", "differ from another row in writing only"),
    ("duplicates_near", "say nearly what another row says"),
)


_NUMBERS = {"Rows", "Cells", "Value", "Base"}  # columns of tables, read from the right


def size_words(size_bytes: int | None) -> str:
    """A size as people say it, in powers of 1,000."""
    if size_bytes is None:
        return "size unknown"
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes} bytes"


def file_words(file: Mapping[str, Any]) -> str:
    """Format, encoding and size of a file, as far as they are known."""
    known = [str(word) for word in (file["format"], file["encoding"], file["compression"]) if word]
    several = [f"{file['files']:,} files"] if file["files"] > 1 else []
    return ", ".join([*several, *known, size_words(file["size_bytes"])])


def row_parts(counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where the rows went: a number and a phrase each, those that went nowhere left out."""
    gone = [(f"{counts[name]:,}", phrase) for name, phrase in PARTS if counts[name]]
    return [
        (f"{counts['read']:,}", "rows read"),
        *gone,
        (f"{counts['usable']:,}", "would be used, less those that stand in the benchmark"),
    ]


def share_words(value: float | None) -> str:
    """A share or distance in [0, 1] to three digits."""
    return "undefined" if value is None else f"{value:.3f}"


def columns_words(columns: Mapping[str, float | None]) -> str:
    """What a part of quality says of each column."""
    return ", ".join(f"{name} {share_words(value)}" for name, value in columns.items())


def print_validation(told: Mapping[str, Any], written: Sequence[str] = ()) -> None:
    """Print a validation, and the files that were `written`, to standard output."""
    from rich.console import Console

    # A pipe has no width: it gets what a terminal of 80 columns would.
    console = Console(highlight=False, width=WIDTH)
    with console.capture() as captured:
        for part in _parts(told, written):
            console.print(part)
    # Cells are padded to their column's width, which a log or a copied report should not keep.
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def _parts(told: Mapping[str, Any], written: Sequence[str]) -> Iterator[RenderableType]:
    yield _entries(
        [
            ("File", told["file"]["name"]),
            ("", file_words(told["file"])),
            *(("", f"Note: {note}.") for note in told["file"]["notes"]),
        ]
    )
    if told["refusal"]:
        yield from _refusal(told["refusal"])
    else:
        yield from _findings(told)
    yield ""
    state = "green" if told["valid"] else "red"
    ends = [("Verdict", told["verdict"])] + [
        ("Written" if not index else "", path) for index, path in enumerate(written)
    ]
    yield _entries(ends, style=f"bold {state}")


def _findings(told: Mapping[str, Any]) -> Iterator[RenderableType]:
    counts = told["counts"]
    yield _entries(
        ("Rows" if not index else "", f"{number:>9} {phrase}")
        for index, (number, phrase) in enumerate(row_parts(counts))
    )
    notes = [
        ("Base data", told["base_sentence"]),
        ("Near rows", told["near_method"]),
        ("Benchmark", told["leakage_sentence"]),
    ]
    if counts["conflicts"]:
        notes.append(
            (
                "Conflicts",
                f"{counts['conflicts']:,} usable rows have the features of another row and "
                "another label. They are used; check their labels.",
            )
        )
    if told["dropped_columns"]:
        notes.append(("Not used", "columns " + ", ".join(told["dropped_columns"])))
    yield _entries(notes)
    if told["problems"]:
        yield ""
        yield _table(
            ("Column", "Problem", "Rows", "First rows", "What to do"),
            [
                (
                    problem["column"] or "(row)",
                    problem["reason"],
                    f"{problem['count']:,}",
                    _numbers(problem),
                    problem["remedy"],
                )
                for problem in told["problems"]
            ],
        )
    yield ""
    if told["pii"]:
        yield _table(
            ("Personal data in", "Kind", "Cells", "Treatment"),
            [
                (hit["column"], hit["detector"], f"{hit['cells']:,}", hit["action"])
                for hit in told["pii"]
            ],
        )
    else:
        yield _entries([("Personal data", "none found")])
    yield _entries([("", told["pii_policy"])])
    yield ""
    quality = told["quality"]
    yield _entries([("Quality", f"{quality['score']:.3f} of 1, the mean of")])
    yield _table(
        ("Part", "Value", "Base", "By column, or why undefined"),
        [
            (
                part["name"].replace("_", " "),
                share_words(part["value"]),
                "" if part["base_value"] is None else share_words(part["base_value"]),
                part["reason"] or columns_words(part["columns"]),
            )
            for part in quality["parts"]
        ],
    )
    yield ""
    yield _entries([("Content root", told["content_root_usable"])])


def _refusal(refusal: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield _entries([("Refused", refusal["message"])])
    if refusal["reasons"]:
        yield _entries(
            ("Reasons" if not index else "", f"- {reason}")
            for index, reason in enumerate(refusal["reasons"])
        )
    if refusal["remedy"]:
        yield _entries([("What to do", refusal["remedy"])])


def _numbers(problem: Mapping[str, Any]) -> str:
    listed = ", ".join(str(number) for number in problem["first_rows"])
    return listed + (", ..." if problem["count"] > len(problem["first_rows"]) else "")


def _entries(entries: Any, style: str = "") -> Table:
    """Names on the left, texts on the right; texts are plain, whatever brackets they hold."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=13, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in entries:
        grid.add_row(Text(name), Text(text, style=style if name == "Verdict" else ""))
    return grid


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
