"""Rows on their way to a worker: by a file that it maps into its memory, not by a pipe.

A pipe is a pickle, a copy of it in pieces of 64 KiB, and a copy back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hokusai_assets.contribution.exchange import read_batch, write_batch
from hokusai_assets.contribution.rows import Kind, RawColumn, RawRows


@dataclass(frozen=True)
class HandedRows:
    """A part of a file: its cells lie in an Arrow file, the rest of it is here."""

    path: str
    rows: RawRows
    kinds: dict[str, Kind | None]

    def take(self) -> RawRows:
        """The rows, once: the file is gone then, and its pages go with the cells."""
        cells = iter(read_batch(self.path).columns)
        Path(self.path).unlink()
        columns = {
            name: RawColumn(next(cells), next(cells) if kind is None else kind)
            for name, kind in self.kinds.items()
        }
        return dataclasses.replace(self.rows, columns=columns)


def hand_over(parts: Iterable[RawRows], folder: Path) -> Iterator[HandedRows]:
    """Each part with its cells in a file in `folder`, a new one."""
    import pyarrow as pa

    folder.mkdir(parents=True)
    for number, part in enumerate(parts):
        kinds: dict[str, Kind | None] = {}
        cells = []
        for name, column in part.columns.items():
            kinds[name] = column.kind if isinstance(column.kind, Kind) else None
            cells += [column.text] if kinds[name] is not None else [column.text, column.kind]
        path = str(folder / f"{number:06}.arrow")
        write_batch(path, pa.table(cells, names=[str(place) for place in range(len(cells))]))
        yield HandedRows(path, dataclasses.replace(part, columns={}), kinds)
