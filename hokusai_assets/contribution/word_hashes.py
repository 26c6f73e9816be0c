"""A 64-bit hash of each of many words, over the bytes of all of them together.

A word's sum is that of its bytes' numbers, each times a power of its place (a polynomial modulo
2^64), so that it is the same wherever the word stands; then its bits are mixed. Two ways give the
same sums: short words eight bytes at a time, and words of any length from sums over the whole.
"""

from __future__ import annotations

import functools
from typing import Any

SEED = 0x9E3779B97F4A7C15
_LONGEST_SHORT = 64  # bytes of a word that is worth going through in eights


def word_hashes(data: Any, starts: Any, ends: Any) -> Any:
    """A 64-bit hash of each word: its bytes' numbers, each times a power of its place, summed."""
    import numpy as np

    if not len(starts):
        return np.zeros(0, np.uint64)
    # Normalised text has no NUL, which eight bytes at once could not be told from none.
    few = int((ends - starts).max()) <= _LONGEST_SHORT and int(data.min()) > 0
    sums = _sums_of_short(data, starts, ends) if few else _sums_of_any(data, starts, ends)
    return mixed(sums)


def _sums_of_short(data: Any, starts: Any, ends: Any) -> Any:
    """The sums of words that are worth going through eight bytes at a time."""
    import numpy as np

    numbers, powers = _pair_numbers()
    masks = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
    padded = np.concatenate([data, np.zeros(8, np.uint8)])
    eights = np.ndarray((len(data) + 1,), np.dtype("<u8"), padded, strides=(1,))
    sums = np.zeros(len(starts), np.uint64)
    left = ends - starts
    words = np.arange(len(starts))
    with np.errstate(over="ignore"):
        for step in range(0, len(powers), 4):
            held = eights[starts + 2 * step] & masks.take(np.minimum(left, 8))
            added = np.zeros(len(words), np.uint64)
            for place in range(4):
                pair = (held >> np.uint64(16 * place)) & np.uint64(0xFFFF)
                added += numbers.take(pair.view(np.int64)) * powers[step + place]
            sums[words] += added
            more = np.flatnonzero(left > 8)
            if not len(more):
                break
            words, starts, left = words[more], starts[more], left[more] - 8
    return sums


def _sums_of_any(data: Any, starts: Any, ends: Any) -> Any:
    """The sums of words of whatever length, from sums over the whole of `data`."""
    import numpy as np

    powers, back = _powers(1 << (len(data) - 1).bit_length())
    with np.errstate(over="ignore"):
        sums = np.zeros(len(data) + 1, np.uint64)
        np.cumsum(_byte_numbers().take(data) * powers[: len(data)], out=sums[1:])
        # Divided by the power at its start, a word's sum is the same wherever it stands.
        return (sums[ends] - sums[starts]) * back[starts]


@functools.cache
def _pair_numbers() -> tuple[Any, Any]:
    """What two bytes, the first one low, add to a word's sum; and the powers of every other place.

    A zero byte adds nothing: there is none.
    """
    import numpy as np

    odd = SEED | 1
    alone = _byte_numbers().copy()
    alone[0] = 0
    with np.errstate(over="ignore"):
        pairs = alone[None, :] + alone[:, None] * np.uint64(odd)
    powers = [pow(odd, place, 1 << 64) for place in range(0, _LONGEST_SHORT, 2)]
    return pairs.reshape(-1), np.array(powers, np.uint64)


@functools.lru_cache(maxsize=2)
def _powers(count: int) -> tuple[Any, Any]:
    """Powers of an odd number modulo 2^64, and of its inverse."""
    import numpy as np

    odd = SEED | 1
    rows = []
    with np.errstate(over="ignore"):
        for factor in (odd, pow(odd, -1, 1 << 64)):
            powers = np.full(count, factor, np.uint64)
            powers[0] = 1
            rows.append(np.multiply.accumulate(powers))
    return rows[0], rows[1]


@functools.cache
def _byte_numbers() -> Any:
    import numpy as np

    with np.errstate(over="ignore"):
        return mixed(np.arange(1, 257, dtype=np.uint64) * np.uint64(SEED))


def mixed(numbers: Any) -> Any:
    """Spread over all bits (the finaliser of splitmix64, shortened)."""
    import numpy as np

    numbers = numbers ^ (numbers >> np.uint64(30))
    numbers = numbers * np.uint64(0xBF58476D1CE4E5B9)
    return numbers ^ (numbers >> np.uint64(27))
