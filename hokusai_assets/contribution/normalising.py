"""Text as it is compared: what remains of it when writing it differently is taken away.

Case, kinds and number of spaces, invisible characters, compatibility forms, look-alikes of other
scripts (the Unicode confusables that stand for a Latin letter or digit), digits of other scripts
and, in texts, punctuation. Only for comparing: nothing that is stored or trained on goes through
here. Near texts, with other words, stand in near_duplicates.py.
"""

from __future__ import annotations

import functools
import string
import unicodedata
from typing import TYPE_CHECKING

from hokusai_assets.contribution.folding import CONTROLS, flat, has_more_than_ascii, visible

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_ASCII_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "
_ASCII_PUNCTUATION = "".join(c for c in string.punctuation if unicodedata.category(c)[0] == "P")
_SPACE = ord(" ")
_MORE_FOLDS = 4  # one is enough for all characters that were tried


def normalise_text(text: str, *, punctuation: bool = False) -> str:
    """`text` as it is compared; with `punctuation`, marks still tell texts apart.

    Marks become spaces, so that "3.5" and "35" differ. A text of nothing but marks keeps them.
    """
    folded = _folded(unicodedata.normalize("NFKC", visible(text)))
    for _ in range(_MORE_FOLDS):
        # What one step makes can be folded again: a letter whose mark becomes a letter of its own.
        if folded.isascii() or (again := _folded(folded)) == folded:
            break
        folded = again
    spaced = " ".join(folded.split())
    if punctuation:
        return spaced
    words = "".join(" " if unicodedata.category(c)[0] == "P" else c for c in spaced).split()
    return " ".join(words) or spaced


def _folded(text: str) -> str:
    alike = text.casefold()
    if not alike.isascii():
        alike = "".join(map(_look_alike, alike)).casefold()
    return unicodedata.normalize("NFKC", alike)


def normalise_column(text: pa.Array, *, punctuation: bool = False) -> pa.Array:
    """normalise_text of each cell; cells that are empty then are null, as empty text is anywhere.

    ASCII cells are worked on together, as bytes; the others one by one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    plain, mask = text, None
    if has_more_than_ascii(text):
        # Control characters vanish, and bytes that vanish are no matter for a table of bytes.
        whole = pc.and_not(pc.string_is_ascii(text), pc.match_substring_regex(text, CONTROLS))
        ascii_only = pc.fill_null(whole, True)
        plain = pc.if_else(ascii_only, text, pa.scalar("", pa.string()))
        mask = pc.invert(ascii_only)
    result = _normalise_ascii(plain, punctuation=punctuation)
    if mask is not None:
        others = pc.indices_nonzero(mask)
        cells = [
            normalise_text(cell, punctuation=punctuation) for cell in text.take(others).to_pylist()
        ]
        result = pc.replace_with_mask(result, mask, pa.array(cells, pa.string()))
    shortest = pc.min(pc.binary_length(result)).as_py()
    if shortest is None or shortest > 0:
        return result
    if not punctuation:
        # Texts of marks alone: their marks stay.
        empty = pc.and_(pc.equal(result, ""), pc.greater(pc.binary_length(text), 0))
        lost = pc.fill_null(empty, False)
        if pc.any(lost).as_py():
            cells = [normalise_text(cell) for cell in text.filter(lost).to_pylist()]
            result = pc.replace_with_mask(result, lost, pa.array(cells, pa.string()))
    return pc.if_else(pc.equal(result, ""), pa.scalar(None, pa.string()), result)


def _normalise_ascii(text: pa.Array, *, punctuation: bool) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    data, offsets = flat(text)
    # By Python's own bytes: numpy would make eight bytes an index of each.
    data = np.frombuffer(data.tobytes().translate(_byte_table(punctuation)), np.uint8)
    space = data == _SPACE
    starts = offsets[:-1][offsets[:-1] < len(data)]
    # A space goes where one stands before it, or nothing does.
    second = np.flatnonzero(space[1:] & space[:-1]) + 1
    gone = np.union1d(second, starts[space[starts]])
    trailing = _trailing(space, offsets)
    if not np.isin(trailing, second).any():  # or the first of several would be left
        gone, trailing = np.union1d(gone, trailing), trailing[:0]
    data, offsets = _without(data, offsets, gone)
    if len(trailing):
        data, offsets = _without(data, offsets, _trailing(data == _SPACE, offsets))
    return pa.StringArray.from_buffers(
        len(text),
        pa.py_buffer(offsets.astype(np.int32)),
        pa.py_buffer(data),
        _validity(text),
    )


def _trailing(space: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Where texts end with a space."""
    import numpy as np

    ends = offsets[1:][np.diff(offsets) > 0] - 1
    found: np.ndarray = ends[space[ends]]
    return found


def _without(
    data: np.ndarray, offsets: np.ndarray, positions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The bytes and offsets without those at some positions, in order."""
    import numpy as np

    if not len(positions):
        return data, offsets
    left = np.ones(len(data), bool)
    left[positions] = False
    return data[left], offsets - np.searchsorted(positions, offsets)


def _validity(text: pa.Array) -> pa.Buffer | None:
    import pyarrow as pa

    if not text.null_count:
        return None
    # By way of a copy, because an array may start in the middle of a bitmap's byte.
    copied = pa.concat_arrays([text.is_valid(), pa.array([], pa.bool_())])
    if copied.offset:
        copied = pa.array(copied.to_pylist(), pa.bool_())
    return copied.buffers()[1]


@functools.cache
def _byte_table(punctuation: bool) -> bytes:
    """What each ASCII byte becomes: lower case, and a space for what counts as one."""
    spaces = _ASCII_SPACES + ("" if punctuation else _ASCII_PUNCTUATION)
    table = bytearray(range(256)).lower()
    for character in spaces:
        table[ord(character)] = _SPACE
    return bytes(table)


def _look_alike(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    return _confusables().get(character, character)


@functools.cache
def _confusables() -> dict[str, str]:
    """Characters that look like a Latin letter or digit, by Unicode's list (UTS #39)."""
    from confusable_homoglyphs.confusables import confusables_data

    found: dict[str, str] = {}
    for character, alike in confusables_data.items():
        latin = [a["c"] for a in alike if a["c"].isascii() and a["c"].isalnum()]
        if latin and not character.isascii():
            found[character] = latin[0]
    return found
