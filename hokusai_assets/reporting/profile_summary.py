"""What a terminal shows of a profile: one line a column, at most 80 columns wide, and no cell.

Handed plain data; what it means stands in contribution/profiling.py.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hokusai_assets.reporting.summary import WIDTH


def print_profile(columns: Sequence[Mapping[str, Any]], sample: str, written: str) -> None:
    """Print a table of `columns`, which rows it is of, and where the task file is."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("Column", "Type", "Role", "Empty", "Distinct", "Range", "Personal data"):
        right = name in {"Empty", "Distinct"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for column in columns:
        cells = (
            column["name"],
            column["type"],
            column["role"],
            f"{column['empty']:,}",
            f"{column['distinct']:,}",
            range_words(column),
            ", ".join(column["personal"]),
        )
        table.add_row(*(Text(cell) for cell in cells))
    console = Console(highlight=False, width=WIDTH)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.write(f"\nFrom {sample}. Check every line of the task file: {written}\n")


def range_words(column: Mapping[str, Any]) -> str:
    """The range of numbers, or how long texts are; nothing of what may tell about people."""
    if column["range"] is not None:
        least, most = column["range"]
        return f"{least:g} to {most:g}"
    if column["type"] == "text" and column["role"] != "ignore":
        shortest, longest = column["lengths"]
        return f"{shortest:,} to {longest:,} chars"
    return ""
