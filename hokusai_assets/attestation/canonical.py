"""Strict reading of canonical JSON (RFC 8785): one value has one text, and no other is accepted.

Of this format besides: integers within +-(2^53 - 1) and no floats, text in NFC, ASCII keys, no key
twice. `json` alone would accept all of these and hand on what the last one said, so that two
readers of the same bytes could disagree. Anything else is a FormError that names the file
and, where it can, the field; no bytes at all make a traceback. What a record must hold is not
checked here.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import FormError

MAX_BYTES = 16 << 20  # of one file; public/ as a whole is some 100 kB
MAX_DEPTH = 32
LARGEST_INTEGER = 2**53 - 1  # RFC 7493, section 2.2: beyond, readers disagree

# Possessive, and a string that never ends is matched to its end: otherwise each quote in it is
# tried as a beginning, which of 16 MB takes days, and each character costs 100 bytes.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SHOWN = 60  # characters of a key in a message


class _Refused:
    """Stands where the parser met what it must not accept, until the way there is known."""

    def __init__(self, why: str) -> None:
        self.why = why


def read_canonical(content: bytes, name: str, *, max_bytes: int = MAX_BYTES) -> Any:
    """The value whose canonical text `content` is; `name` is what errors call the file.

    Raises FormError for anything else.
    """
    if len(content) > max_bytes:
        raise FormError(f"{name} has {len(content):,} bytes; at most {max_bytes:,} are read.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormError(f"{name} is not UTF-8 (byte {error.start}).") from None
    check_depth(content, name)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=lambda found: _Refused("is no integer"),
            parse_constant=lambda found: _Refused("is no number of JSON"),
        )
    except json.JSONDecodeError as error:
        raise FormError(
            f"{name} is not JSON (character {error.pos}): it was cut off or changed."
        ) from None
    for field, why in _problems(value, ""):
        raise FormError(f"{name}: {field or 'the whole'} {why}.")
    same = canonical_json(value)
    if same != content:
        raise FormError(
            f"{name} is not canonical JSON (RFC 8785) from byte {_first_difference(same, content)}"
            " on: it was changed after it was written."
        )
    return value


def read_record(content: bytes, name: str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """What `read_canonical` reads, where that is an object."""
    value = read_canonical(content, name, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise FormError(f"{name} is not a JSON object.")
    return value


def write_canonical(value: Mapping[str, Any], name: str) -> bytes:
    """The canonical bytes of a record; raises FormError where they could not be read."""
    for field, why in _problems(value, ""):
        raise FormError(f"{name}: {field or 'the whole'} {why}.")
    return canonical_json(value)


def composed(value: Any) -> Any:
    """`value` with all text in NFC, and mappings with a non-ASCII key as sorted lists of pairs.

    For what a task names freely, such as columns and labels.
    """
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        items = [(unicodedata.normalize("NFC", str(k)), composed(v)) for k, v in value.items()]
        # Two keys may be one once composed (the Kelvin sign and K): as pairs both stay.
        if all(key.isascii() for key, _ in items) and len(dict(items)) == len(items):
            return dict(items)
        return [[key, item] for key, item in sorted(items, key=lambda pair: pair[0])]
    if isinstance(value, list | tuple):
        return [composed(item) for item in value]
    return value


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
    return _Refused(f"holds the key {_shown(twice)} twice")


def _integer(text: str) -> int | _Refused:
    # By length first: Python refuses to read thousands of digits.
    if len(text) > 17 or abs(int(text)) > LARGEST_INTEGER:
        return _Refused("is an integer beyond 2^53 - 1")
    return int(text)


def check_depth(content: bytes, name: str) -> None:
    """Raise FormError for deep nesting, before a recursive parser meets it.

    The library's parser counts on Python's recursion limit, which other libraries raise: past what
    the stack then holds, the process dies without a verdict.
    """
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(content):
        if found[0] in {b"[", b"{"}:
            depth += 1
            if depth > MAX_DEPTH:
                raise FormError(f"{name} is nested deeper than {MAX_DEPTH} levels.")
        elif found[0] in {b"]", b"}"}:
            depth -= 1


def _problems(value: Any, field: str) -> Iterator[tuple[str, str]]:
    """Where and why a value may not stand in a record, first things first."""
    if isinstance(value, _Refused):
        yield field, value.why
    elif isinstance(value, str):
        yield from ((field, why) for why in _text_problem(value))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            inside = f"{field}.{key}" if field else str(key)
            if not isinstance(key, str) or not key.isascii():
                yield field, f"holds the key {_shown(str(key))}, which is not ASCII"
                return
            if not _PLAIN_KEY.fullmatch(key):
                inside = f"{field}[{_shown(key)}]"
            yield from _problems(item, inside)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _problems(item, f"{field}[{index}]")
    elif isinstance(value, float):
        yield field, "is no integer"
    elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        yield field, "is an integer beyond 2^53 - 1"


def _text_problem(text: str) -> Iterator[str]:
    if any("\ud800" <= character <= "\udfff" for character in text):
        yield "holds half of a character (a lone surrogate)"
    elif not unicodedata.is_normalized("NFC", text):
        yield "is not in Unicode's composed form (NFC): write it so where it comes from"


def _shown(key: str) -> str:
    return ascii(key if len(key) <= _SHOWN else key[:_SHOWN] + "...")


def _first_difference(one: bytes, other: bytes) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
