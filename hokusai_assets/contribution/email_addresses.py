"""Detector of e-mail addresses in folded text, also of those written so that programs miss them.

"@" and "." may stand as HTML or URL escapes (`&#64;`, `%40`) or as bracketed words ("(at)",
"[dot]"); bare words count only after a bracketed one: "look at example dot com" names a site.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_AT = re.compile(
    r"@|%40|&(?:#0{0,4}64|#[xX]0{0,4}40|commat);?| ?[(\[{<] ?(?:at|@) ?[)\]}>] ?", re.IGNORECASE
)
_DOT = (
    r"\.|%2[eE]|&(?:#0{0,4}46|#[xX]0{0,4}2[eE]|period);?"
    r"| ?[(\[{<] ?(?:(?i:dot)|\.) ?[)\]}>] ?"
)
_TOP = r"(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})"
_DOMAIN = re.compile(rf"(?:[\w-]{{1,63}}(?:{_DOT}))+{_TOP}", re.IGNORECASE)
_DOMAIN_IN_WORDS = re.compile(rf"(?:[\w-]{{1,63}}(?:{_DOT}| dot ))+{_TOP}", re.IGNORECASE)
_ANY_DOT = re.compile(rf"{_DOT}| dot ", re.IGNORECASE)
_LOCAL_PUNCTUATION = frozenset("._%+-'~!#$^*")
_QUOTED_LOCAL = re.compile(r'"[^"\n]{1,64}"$')
_HIDDEN_IN_LOCAL = re.compile(r"%2e|&(?:#0{0,4}46|#x0{0,4}2e|period);?", re.IGNORECASE)

# What a text must hold to be searched at all, in lower case.
PIECES = ("@", "%40", "#64", "#064", "#0064", "x40", "x040", "x0040", "commat", "at)", "at]", "at}")
# For the engine; a plain "@" with a dot behind it stands in pii_detectors.PREFILTER too.
PREFILTER = (
    r"(?i:(?:@|%40|&(?:#0{0,4}64|#x0{0,4}40|commat)|[(\[{<] ?(?:at|@) ?[)\]}>])"
    r"[^@]*?(?:\.|%2e|&#0*46|&#x0*2e|&period|dot))"
)


def find_emails(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and plain form in lower case of each address."""
    floor = 0
    # From each @ outwards: a pattern with a bounded local part would miss a longer one whole.
    for match in _AT.finditer(text):
        bracketed = match[0].strip()[0] in "([{<"
        domain = (_DOMAIN_IN_WORDS if bracketed else _DOMAIN).match(text, match.end())
        # Never past the mark before: a chain of marks would be walked once for each.
        least, floor = floor, match.end()
        if domain is None:
            continue
        start = _local_start(text, match.start(), least)
        if start is None:
            continue
        plain = _ANY_DOT.sub(".", domain[0])
        local = _HIDDEN_IN_LOCAL.sub(".", text[start : match.start()])
        yield start, domain.end(), f"{local}@{plain}".lower()


def _local_start(text: str, end: int, least: int) -> int | None:
    """Where the local part begins that ends at `end`, or None where there is none."""
    start = end
    while start > least and (
        text[start - 1].isalnum()
        or text[start - 1] in _LOCAL_PUNCTUATION
        or unicodedata.combining(text[start - 1])
    ):
        start -= 1
    while start < end and text[start] in _LOCAL_PUNCTUATION and text[start] != "_":
        start += 1
    if start < end:
        return start
    quoted = _QUOTED_LOCAL.search(text, max(least, start - 66), start)
    return None if quoted is None else quoted.start()
