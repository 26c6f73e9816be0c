"""The rows that are kept of what was exchanged, by where they lie there.

Cells are gathered when they are asked for, most of them once, when they are stored; what decides
which rows are kept needs few of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.exchange import Exchange, read_batch, write_batch
from hokusai_assets.tables import ROW_DIGEST, ROW_NUMBER

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CONFLICT = "_conflict"
_PLACE = "place"


class KeptRows:
    """A folder with a file of kept rows a bucket. Paths only, for use in other processes."""

    def __init__(self, folder: str | Path, exchange: Exchange) -> None:
        self.folder = Path(folder)
        self._exchange = exchange
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, bucket: int, places: np.ndarray, rows: pa.Table, conflicts: np.ndarray) -> None:
        """Keep some of a bucket's rows, by where Exchange.read gives them, in canonical order.

        Of `rows`, these, what is asked for often or is other than there is kept here: their
        digests and their numbers in the file. `conflicts` says which contradict a known row.
        """
        import pyarrow as pa

        here = rows.select([ROW_DIGEST, ROW_NUMBER])
        for name, column in ((_PLACE, places), (CONFLICT, conflicts)):
            here = here.append_column(name, pa.array(column))
        write_batch(self._path(bucket), here)

    def read(
        self,
        bucket: int,
        columns: list[str],
        *,
        whole: bool = False,
        places: np.ndarray | None = None,
    ) -> pa.Table:
        """Columns of a bucket's rows; those that were left out later only if it is to be whole.

        Of these rows, those in some `places` only, where such are given.
        """
        import pyarrow as pa

        kept = pa.Table.from_batches([read_batch(self._path(bucket))])
        gone = self.left_out(bucket)
        if not whole and len(gone):
            kept = kept.filter(pa.array(_all_but(gone, kept.num_rows)))
        if places is not None:
            kept = kept.take(places)
        own = [name for name in columns if name in kept.column_names]
        others = [name for name in columns if name not in own]
        if not others:
            return kept.select(columns)
        found = self._exchange.read(bucket, others).take(kept.column(_PLACE))
        for name in own:
            found = found.append_column(name, kept.column(name))
        return found.select(columns)

    def leave_out(self, bucket: int, positions: list[int]) -> None:
        """Leave out rows of a bucket too, by their positions in all of it."""
        import numpy as np

        gone = np.union1d(self.left_out(bucket), np.array(positions, np.int64))
        np.save(self._left_out(bucket), gone)

    def left_out(self, bucket: int) -> Any:
        """The positions in all of a bucket of those rows that were left out (int64)."""
        import numpy as np

        path = self._left_out(bucket)
        return np.load(path) if path.exists() else np.zeros(0, np.int64)

    def _left_out(self, bucket: int) -> Path:
        return self.folder / f"{bucket:06}.left-out.npy"

    def _path(self, bucket: int) -> Path:
        return self.folder / f"{bucket:06}.arrow"


def _all_but(positions: np.ndarray, count: int) -> np.ndarray:
    import numpy as np

    others = np.ones(count, bool)
    others[positions] = False
    return others
