"""CSV files whose records end in line feeds, some after a carriage return: found, and copied.

So it is where a file was put together from parts of Windows and others. DuckDB reads files of one
kind and refuses a mixture. Only ends of records are made alike: what stands inside quotes is text
of a cell. A lone carriage return outside quotes is left as it is, since it may end a line or be
text; such a file stays refused. Where quotes do not pair, nobody knows what is inside them: whoever
reads a copy must refuse it if a line of it is found to be badly quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

BLOCK_BYTES = 1 << 22
_SAMPLE_BYTES = 1 << 18
_BOM = b"\xef\xbb\xbf"
_FEED, _SPACE = 0x0A, 0x20
_PAIR = b"\r\n"
_SPECIAL = re.compile(rb'["\n]')
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')  # two quotes inside stand for one


def has_mixed_ends(path: Path, delimiter: str, longest: int) -> bool:
    """Whether some records end in a line feed and some in a carriage return and a line feed.

    Read up to where both were seen. False of a file with a record of more than `longest` bytes
    before that, which is not to be copied.
    """
    if not any(b"\r" in block for block in _blocks(path)):
        return False  # most files: nothing of theirs is counted
    returns = pairs = feeds = 0
    before = b""
    for block in _blocks(path):
        returns += block.count(b"\r")
        feeds += block.count(b"\n")
        pairs += block.count(_PAIR) + (before == b"\r" and block.startswith(b"\n"))
        before = block[-1:]
    if not pairs or pairs == returns == feeds:
        return False  # of one kind, inside quotes or not, so that no quote need be looked at
    kinds: set[bytes] = set()
    for content, ends in _pieces(path, delimiter, longest):
        kinds.update(content[start:end] for start, end in ends)
        if len(kinds) == 2:
            return True
    return False


def rows_in(path: Path, delimiter: str) -> float:
    """About how many records follow a file's first, by the length of those at its start; 0 if no
    other ends there."""
    with path.open("rb") as stream:
        start = stream.read(_SAMPLE_BYTES).removeprefix(_BOM)
    ends = _ends(start, ord(delimiter))
    return path.stat().st_size * len(ends) / ends[-1][1] - 1 if ends else 0.0


def copy_with_line_feeds(path: Path, target: Path, delimiter: str, longest: int) -> None:
    """Write `path` to `target` with every record ended by a line feed alone, without a BOM.

    What follows a record of more than `longest` bytes is copied as it is.
    """
    with target.open("wb") as sink:
        for content, ends in _pieces(path, delimiter, longest):
            done = 0
            for start, end in ends:
                if end - start == len(_PAIR):
                    sink.write(content[done:start])
                    done = start + 1
            sink.write(content[done:])


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            yield block


def _pieces(
    path: Path, delimiter: str, longest: int
) -> Iterator[tuple[bytes, list[tuple[int, int]]]]:
    """All of a file in pieces of whole records, each with the places of its records' ends."""
    with path.open("rb") as stream:
        left = stream.read(len(_BOM)).removeprefix(_BOM)
        while block := stream.read(BLOCK_BYTES):
            content = left + block
            ends = _ends(content, ord(delimiter))
            done = ends[-1][1] if ends else 0
            yield content[:done], ends
            left = content[done:]
            if len(left) > longest:
                break
        yield left, []
        while block := stream.read(BLOCK_BYTES):
            yield block, []


def _ends(content: bytes, delimiter: int) -> list[tuple[int, int]]:
    """Where records end in `content`, which begins with one: from, and up to."""
    found = []
    at = 0
    while special := _SPECIAL.search(content, at):
        at = special.start()
        if content[at] == _FEED:
            found.append((at - (content[at - 1 : at] == b"\r"), at + 1))
            at += 1
        elif _opens(content, at, delimiter):
            quoted = _QUOTED.match(content, at)
            if quoted is None:
                break  # closed by what is not there yet, or never
            at = quoted.end()
        else:
            at += 1
    return found


def _opens(content: bytes, quote: int, delimiter: int) -> bool:
    """Whether a quote opens a cell: at its beginning, spaces aside. Elsewhere it is text."""
    while quote and content[quote - 1] == _SPACE:
        quote -= 1
    return not quote or content[quote - 1] in (delimiter, _FEED)
