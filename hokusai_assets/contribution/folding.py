"""Text as the detectors of personal data see it, with the way back to the original characters.

Folding undoes what hides a value from a pattern and not from a reader: any Unicode decimal digit
becomes ASCII, compatibility characters their plain form (NFKC, character by character), spaces
and dashes one space and one hyphen, invisible characters nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Minus sign: not a dash by category, but typed as one. Tabs separate digits as spaces do; the
# blank Braille pattern is a symbol by category, but shows a space.
_AS_HYPHEN = {0x2212, 0x02D7}
_BLANKS = {0x2800: " "}
_AS_SPACE = {0x09, *_BLANKS}
# What shows nothing (Unicode's Default_Ignorable_Code_Point beyond category Cf: fillers, joiners,
# variation selectors; the musical null notehead), and control characters that are no white space.
_INVISIBLE = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0, 0x1D159),
    *range(0x180B, 0x1810),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *range(0xE0000, 0xE1000),
    *range(0x09),
    *range(0x0E, 0x1C),
    *range(0x7F, 0x85),
    *range(0x86, 0xA0),
}
CONTROLS = r"[\x00-\x08\x0E-\x1B\x7F]"  # of ASCII
_CONTROL = re.compile(CONTROLS)


class _Table(dict[int, Any]):
    """str.translate's table, filled as characters are met."""

    def __missing__(self, code: int) -> str | None:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str | None:
    code = ord(character)
    category = unicodedata.category(character)
    if category == "Cf" or code in _INVISIBLE:
        return None
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs" or code in _AS_SPACE:
        return " "
    if category == "Pd" or code in _AS_HYPHEN:
        return "-"
    plain = unicodedata.normalize("NFKC", character)
    # Some compatibility forms hold spaces or dashes of their own.
    return plain if plain == character else "".join(_fold_character(c) or "" for c in plain)


_TABLE = _Table()


def visible(text: str) -> str:
    """The text without the characters that nobody sees, and with spaces for blank symbols."""
    if text.isascii():
        return _CONTROL.sub("", text)
    text = text.translate(_BLANKS)
    return "".join(c for c in text if ord(c) not in _INVISIBLE and unicodedata.category(c) != "Cf")


def fold(text: str) -> str:
    """The folded text; ASCII text comes back as it is, tabs and control characters aside."""
    return text.translate(_TABLE)


def fold_column(text: pa.Array) -> pa.Array:
    """fold of each cell; ASCII cells, where only tabs fold, all at once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not has_more_than_ascii(text, line_feeds_only=True):
        return text
    tabs_gone = pc.replace_substring(text, "\t", " ")
    plain = pc.and_not(pc.string_is_ascii(text), pc.match_substring_regex(text, CONTROLS))
    other = pc.invert(pc.fill_null(plain, True))
    if not pc.any(other).as_py():
        return tabs_gone
    cells = [fold(cell) for cell in text.filter(other).to_pylist()]
    return pc.replace_with_mask(tabs_gone, other, pa.array(cells, pa.string()))


def has_more_than_ascii(text: pa.Array, *, line_feeds_only: bool = False) -> bool:
    """Whether any cell has a character past ASCII or a control character that is no white space.

    Of white space, `line_feeds_only` lets line feeds and spaces pass alone.
    """
    import numpy as np

    if not len(text):
        return False
    data, _ = flat(text)
    if not len(data) or (int(data.min()) >= 0x20 and int(data.max()) < 0x7F):
        return False
    low = np.bincount(data[(data < 0x20) | (data >= 0x7F)], minlength=256)
    low[[0x0A] if line_feeds_only else [*range(0x09, 0x0E), *range(0x1C, 0x20)]] = 0
    return bool(low.any())


def flat(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The cells' UTF-8 bytes one after another (uint8), and where each begins (one more, int64)."""
    import numpy as np

    buffers = text.buffers()
    offsets = np.frombuffer(buffers[1], np.int32)[text.offset : text.offset + len(text) + 1]
    data = np.frombuffer(buffers[2], np.uint8) if buffers[2] is not None else np.zeros(0, np.uint8)
    start = int(offsets[0])
    return data[start : int(offsets[-1])], offsets.astype(np.int64) - start


def original_spans(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """For each span of fold(text), not empty, the characters of `text` that it came from."""
    if text.isascii() and not _CONTROL.search(text):
        return list(spans)
    origin = [
        index
        for index, character in enumerate(text)
        for _ in range(len(_TABLE[ord(character)] or ""))
    ]
    return [(origin[start], origin[end - 1] + 1) for start, end in spans]
