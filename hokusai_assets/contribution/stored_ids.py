"""Ids of stored rows that must differ: which do not, found in bounded memory.

Ids must differ within a file, so within the rows of one source; those of base and of two
contributors may be the same. What treatment of personal data has written into an id is left out:
two e-mail addresses are two ids as received (mapping.py looks there), and one [EMAIL] as stored.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.exchange import fixed_bytes
from hokusai_assets.contribution.pii_detectors import TOKEN
from hokusai_assets.contribution.rows import FIRST_ROWS
from hokusai_assets.table_digests import digest_rows
from hokusai_assets.tables import SOURCE

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_IN_MEMORY = 1 << 20  # ids, 16 MiB of them
_FILES = 16
_NUMBERS_AN_ID = 2  # the first eight bytes of its digest, and its row's number


class StoredIds:
    """Collects the ids of stored rows; `repeated` then tells which stand in several rows."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._held: list[np.ndarray] = []
        self._held_count = 0
        self._spilled = False

    def add(self, table: pa.Table, name: str, numbers: Any) -> None:
        """Add the ids in column `name` of some rows, which have these row numbers."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        ids = table.column(name)
        there = pc.is_valid(ids)
        if pa.types.is_string(ids.type):
            treated = pc.match_substring_regex(ids, TOKEN.pattern)
            there = pc.and_(there, pc.invert(pc.fill_null(treated, False)))
        cells = {n: table.column(n) for n in (name, SOURCE) if n in table.column_names}
        digests = fixed_bytes(digest_rows(cells))[:, :8]
        told = np.empty((table.num_rows, _NUMBERS_AN_ID), np.uint64)
        told[:, 0] = np.ascontiguousarray(digests).view(">u8").reshape(-1)
        told[:, 1] = np.asarray(numbers, np.uint64)
        self._held.append(told[np.asarray(there)])
        self._held_count += len(self._held[-1])
        if self._held_count > _IN_MEMORY:
            self._spill()

    def repeated(self) -> tuple[int, tuple[int, ...]]:
        """How many rows share their id with another row of their source, and the first of them."""
        import numpy as np

        if not self._spilled:
            return _repeated([np.concatenate(self._held)] if self._held else [])
        self._spill()
        paths = (self._path(index) for index in range(_FILES))
        files = (np.fromfile(path, np.uint64) for path in paths if path.exists())
        return _repeated(file.reshape(-1, _NUMBERS_AN_ID) for file in files)

    def _spill(self) -> None:
        import numpy as np

        if not self._held:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        held = np.concatenate(self._held)
        for index in range(_FILES):
            chosen = held[held[:, 0] >> np.uint64(60) == index]
            if len(chosen):
                with self._path(index).open("ab") as stream:
                    stream.write(chosen.tobytes())
        self._held, self._held_count, self._spilled = [], 0, True

    def _path(self, index: int) -> Path:
        return self._folder / f"ids-{index:02}"


def _repeated(parts: Any) -> tuple[int, tuple[int, ...]]:
    import numpy as np

    count, first = 0, np.zeros(0, np.uint64)
    for ids in parts:
        _, places, counts = np.unique(ids[:, 0], return_inverse=True, return_counts=True)
        found = ids[counts[places] > 1, 1]
        count += len(found)
        first = np.sort(np.concatenate([first, found]))[:FIRST_ROWS]
    return count, tuple(int(number) for number in first)
