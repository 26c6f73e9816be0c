"""Hashes of words are what the definition says, and runs of words keep to their row."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.near_texts import BANDS, RUN, signature_columns
from hokusai_assets.contribution.word_hashes import LONGEST, SEED, mixed, word_hashes

BITS = (1 << 64) - 1
FACTORS = (SEED | 1, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def spread(number: int) -> int:
    """The finaliser of splitmix64, shortened."""
    number ^= number >> 30
    number = number * 0xBF58476D1CE4E5B9 & BITS
    return number ^ number >> 27


def defined(word: bytes) -> int:
    eights = [word[at : at + 8] for at in range(0, min(len(word), LONGEST), 8)]
    sums = sum(
        spread((int.from_bytes(eight, "little") * SEED + 8 * at) & BITS)
        for at, eight in enumerate(eights)
    )
    return spread((sums + len(word) * 0xC2B2AE3D27D4EB4F) & BITS)


def hashed(words: list[bytes]) -> list[int]:
    data = np.frombuffer(b" ".join(words), np.uint8)
    ends = np.cumsum([len(word) + 1 for word in words]) - 1
    starts = ends - [len(word) for word in words]
    found: list[int] = word_hashes(data, starts, ends).tolist()
    return found


@pytest.mark.parametrize("longest", [9, 64, 65, 200])
def test_words_of_any_length_are_hashed_as_defined(longest: int) -> None:
    """Of 1, 7, 8 and 9 bytes, and of the longest that are looked at whole, and longer."""
    lengths = [*range(1, 10), 15, 16, 17, 63, 64, 65, 199, 200]
    words = [bytes(range(40, 40 + n)) for n in lengths if n <= longest]
    assert hashed(words) == [defined(word) for word in words]


@given(st.lists(st.binary(min_size=1, max_size=20).map(lambda b: b.replace(b" ", b"_"))))
@settings(deadline=None)
def test_bytes_of_any_value_count(words: list[bytes]) -> None:
    """NUL too, which is no different from nothing but for the word's length."""
    assert hashed(words or [b"\0"]) == [defined(word) for word in words or [b"\0"]]


def test_long_words_that_begin_alike_are_told_apart_by_their_length_alone() -> None:
    long = b"x" * LONGEST
    one, other, longer = hashed([long + b"one", long + b"two", long + b"three"])
    assert one == other != longer


@given(st.lists(st.none() | st.lists(st.sampled_from(["tea", "fine", "a"]), max_size=5)))
@settings(deadline=None)
def test_a_texts_bands_are_the_least_of_its_own_runs(rows: list[list[str] | None]) -> None:
    texts = [None if row is None else " ".join(row) for row in rows]
    bands, _ = signature_columns(pa.array(texts, pa.string()))
    ours = [int(n) | 1 for n in mixed(mixed(np.arange(1, BANDS + 1, dtype=np.uint64) * SEED))]
    for row, found in zip(rows, bands.to_pylist(), strict=True):
        if not row:
            assert found is None
            continue
        hashes = [defined(word.encode()) for word in row]
        starts = range(max(len(row) - RUN + 1, 1))
        runs = [
            spread(sum(map(lambda h, f: h * f, hashes[at : at + RUN], FACTORS)) & BITS)
            for at in starts
        ]
        least = [min(run * factor & BITS for run in runs) for factor in ours]
        expected = [spread(number + band & BITS) for band, number in enumerate(least)]
        assert np.frombuffer(found, np.uint64).tolist() == expected


def test_different_words_have_different_hashes() -> None:
    words = ["".join(letters).encode() for letters in itertools.product("abc", repeat=6)]
    words += [word[:at] + b"-" * 20 + word[at:] for word in words[:200] for at in range(1, 6)]
    assert len(set(hashed(words))) == len(set(words))
