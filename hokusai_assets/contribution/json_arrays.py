"""The elements of a JSON array, one after another, without holding the file."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hokusai_assets.contribution.json_values import decoder, too_deep
from hokusai_assets.errors import ContributionError

MAX_ELEMENT_BYTES = 16 << 20

_BLOCK = 1 << 20
_SPACES = re.compile(r"[ \t\n\r]*")


def elements(path: Path, name: str, max_depth: int) -> Iterator[tuple[Any, int]]:
    """Each element and how long its text is; raise ContributionError for what is no array.

    What follows is parsed as soon as a closing bracket was seen after it, so that an element is
    tried few times however it falls between two reads.
    """
    with path.open("rb") as binary:
        if binary.read(3) != b"\xef\xbb\xbf":
            binary.seek(0)
        stream = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        window = _Window(stream, name, max_depth)
        window.skip()
        if window.take() != "[":
            raise ContributionError(
                f"The file {name} is JSON but no array of objects: send an array."
            )
        window.skip()
        if window.peek() == "]":
            window.take()
        else:
            while True:
                yield window.element()
                window.skip()
                mark = window.take()
                if mark == "]":
                    break
                if mark != ",":
                    raise window.broken()
                window.skip()
        window.skip()
        if window.peek():
            raise window.broken()


class _Window:
    """The part of a text file that is being parsed."""

    def __init__(self, stream: io.TextIOBase, name: str, max_depth: int) -> None:
        self._stream = stream
        self._name = name
        self._max_depth = max_depth
        self._decoder = decoder()
        self._text = ""
        self._position = 0
        self._lines = 1
        self._ended = False

    def skip(self) -> None:
        """Go past white space."""
        while True:
            match = _SPACES.match(self._text, self._position)
            assert match is not None  # the pattern matches nothing too
            self._position = match.end()
            if self._position < len(self._text) or not self._more():
                return

    def peek(self) -> str:
        """The next character, or nothing at the end."""
        if self._position == len(self._text):
            self._more()
        return self._text[self._position : self._position + 1]

    def take(self) -> str:
        """The next character, which is then behind."""
        character = self.peek()
        self._position += len(character)
        return character

    def element(self) -> tuple[Any, int]:
        """The next value and the length of its text."""
        wanted = _BLOCK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._position)
                # A number that ends where the window ends may go on behind it.
                if end < len(self._text) or self._ended or not self._more():
                    text = self._text[self._position : end]
                    self._position = end
                    return too_deep(text, self._max_depth) or value, len(text)
            except json.JSONDecodeError:
                held = len(self._text) - self._position
                if held > MAX_ELEMENT_BYTES:
                    raise ContributionError(
                        f"The file {self._name} has an element of more than "
                        f"{MAX_ELEMENT_BYTES >> 20} MiB, or breaks off: one object a row."
                    ) from None
                # Twice as much each time, so that a long element is not tried again and again.
                if not self._more(max(wanted, held)):
                    raise self.broken() from None
            except RecursionError:
                raise ContributionError(
                    f"The file {self._name} is not a valid JSON array: nested too deeply. Send "
                    "flat objects."
                ) from None

    def broken(self) -> ContributionError:
        """The error for a text that is no JSON here."""
        line = self._lines + self._text.count("\n", 0, self._position)
        start = self._text.rfind("\n", 0, self._position)
        return ContributionError(
            f"The file {self._name} is not a valid JSON array: it breaks off or errs after line "
            f"{line}, column {self._position - start}. Check that the file is complete and UTF-8."
        )

    def _more(self, size: int = _BLOCK) -> bool:
        if self._ended:
            return False
        try:
            block = self._stream.read(size)
        except UnicodeDecodeError:
            raise ContributionError(
                f"The file {self._name} is not a valid JSON array: not UTF-8. Check that the file "
                "is complete and UTF-8."
            ) from None
        self._ended = not block
        self._lines += self._text.count("\n", 0, self._position)
        self._text = self._text[self._position :] + block
        self._position = 0
        return bool(block)
