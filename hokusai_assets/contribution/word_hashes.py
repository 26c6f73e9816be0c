"""A 64-bit hash of each of many words, over the bytes of all of them together.

Eight bytes at a time, up to the LONGEST-th byte, and the word's length: the same wherever the word
stands. Longer words that begin alike and are as long have one hash; what decides about rows looks
at words and not at hashes.
"""

from __future__ import annotations

from typing import Any

SEED = 0x9E3779B97F4A7C15
LONGEST = 64  # bytes that are looked at


def word_hashes(data: Any, starts: Any, ends: Any) -> Any:
    """The hashes (uint64) of the words from `starts` to before `ends` in `data`, UTF-8 (uint8)."""
    import numpy as np

    if not len(starts):
        return np.zeros(0, np.uint64)
    lengths = ends - starts
    masks = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
    padded = np.concatenate([data, np.zeros(8, np.uint8)])
    eights = np.ndarray((len(data) + 1,), np.dtype("<u8"), padded, strides=(1,))
    with np.errstate(over="ignore"):
        first = eights[starts] & masks.take(np.minimum(lengths, 8))
        sums = mixed(first * np.uint64(SEED)) + lengths.astype(np.uint64) * np.uint64(_OF_LENGTH)
        for step in range(8, LONGEST, 8):
            words = np.flatnonzero(lengths > step)
            if not len(words):
                break
            held = eights[starts[words] + step] & masks.take(np.minimum(lengths[words] - step, 8))
            # Where in the word they stand counts too.
            sums[words] += mixed(held * np.uint64(SEED) + np.uint64(step))
        return mixed(sums)


_OF_LENGTH = 0xC2B2AE3D27D4EB4F


def mixed(numbers: Any) -> Any:
    """Spread over all bits (the finaliser of splitmix64, shortened)."""
    import numpy as np

    numbers = numbers ^ (numbers >> np.uint64(30))
    numbers = numbers * np.uint64(0xBF58476D1CE4E5B9)
    return numbers ^ (numbers >> np.uint64(27))
