"""Where cleaning works, and how large what it works on is.

A scratch folder beside the result, and sizes from which the number of buckets and the need for more
processes follow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hokusai_assets.contribution.exchange import bucket_count
from hokusai_assets.contribution.finding import find_files
from hokusai_assets.errors import HokusaiError

_MOST_FILES = 100_000
# gzip, zstd and Parquet: how many times their size they hold, more or less.
_EXPANDING = {b"\x1f\x8b": 8, b"\x28\xb5\x2f\xfd": 8, b"PAR1": 4}


@contextmanager
def scratch_beside(folder: str | Path) -> Iterator[Path]:
    """A folder beside the result, on the disk that has room for it; gone afterwards."""
    parent = Path(folder).parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cleaning-", dir=parent) as scratch:
        yield Path(scratch)


def is_large(paths: Sequence[str]) -> bool:
    return any(bucket_count(size_of(path)) > 1 for path in paths)


def size_of(path: str) -> int:
    """About how many bytes the rows have, or 0 where reading will say what is wrong.

    Compressed files hold more than their size; guessed too low, a bucket takes more memory, guessed
    too high, there are more of them.
    """
    try:
        files = find_files(path, _MOST_FILES)
        if files[0].fs is not None:
            return sum(int(file.fs.size(file.path) or 0) for file in files)
        return sum(_plain_size(Path(file.path)) for file in files)
    except (OSError, HokusaiError):
        return 0


def _plain_size(path: Path) -> int:
    with path.open("rb") as stream:
        start = stream.read(4)
    factor = next((f for magic, f in _EXPANDING.items() if start.startswith(magic)), 1)
    return path.stat().st_size * factor
