"""Content roots of more digests than memory should hold: spilled by first bits, then sorted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.exchange import fixed_bytes
from hokusai_assets.table_digests import DIGEST_BYTES, sort_digests

if TYPE_CHECKING:
    import pyarrow as pa

_IN_MEMORY = 1 << 20  # digests, 32 MiB of them
_FILES = 16


class SortedRoot:
    """Collects row digests in any order; `root` is digests.content_root of all."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._held: list[Any] = []
        self._held_count = 0
        self.count = 0
        self._spilled = False

    def add(self, digests: pa.Array | pa.ChunkedArray) -> None:
        """Add a column of digests."""
        self._held.append(fixed_bytes(digests))
        self._held_count += len(digests)
        self.count += len(digests)
        if self._held_count > _IN_MEMORY:
            self._spill()

    def root(self) -> str:
        """The content root, as hex."""
        total = hashlib.sha256()
        if not self._spilled:
            total.update(sort_digests(self._all_held()).tobytes())
            return total.hexdigest()
        self._spill()
        import numpy as np

        for index in range(_FILES):
            path = self._path(index)
            if path.exists():
                rows = np.fromfile(path, np.uint8).reshape(-1, DIGEST_BYTES)
                total.update(sort_digests(rows).tobytes())
                path.unlink()
        return total.hexdigest()

    def _all_held(self) -> Any:
        import numpy as np

        if not self._held:
            return np.zeros((0, DIGEST_BYTES), np.uint8)
        return np.concatenate(self._held)

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        rows = self._all_held()
        for index in range(_FILES):
            chosen = rows[rows[:, 0] >> 4 == index]
            if len(chosen):
                with self._path(index).open("ab") as stream:
                    stream.write(chosen.tobytes())
        self._held, self._held_count, self._spilled = [], 0, True

    def _path(self, index: int) -> Path:
        return self._folder / f"digests-{index:02}"
