"""Detectors of personal data and secrets in text: where each stands, and its canonical form.

Two stages. PREFILTER is one alternation in RE2's dialect that an engine runs over all cells; it
may hit too much, never too little. `find` then looks at the hits with exact validators (checksums
by python-stdnum, numbering plans by phonenumbers, addresses by ipaddress). Both expect folded text
(folding.py); word boundaries are ASCII, so that a letter with an accent hides nothing. What is
done with a hit stands in pii.py.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hokusai_assets.contribution.folding import fold, original_spans
from hokusai_assets.contribution.phone_numbers import find_phones

_BEFORE = r"(?<![0-9A-Za-z_])"
_AFTER = r"(?![0-9A-Za-z_])"


@dataclass(frozen=True)
class Hit:
    """Characters `start` to `end` of a text, and the form by which equal values are known."""

    start: int
    end: int
    detector: str
    canonical: str


Spans = Iterator[tuple[int, int, str]]

_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.)+(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})", re.IGNORECASE)
_LOCAL_PUNCTUATION = frozenset("._%+-'~!#$^*")
_QUOTED_LOCAL = re.compile(r'"[^"\n]{1,64}"$')


def _emails(text: str) -> Spans:
    # From each @ outwards: a pattern with a bounded local part would miss a longer one whole.
    for match in re.finditer("@", text):
        domain = _DOMAIN.match(text, match.end())
        if domain is None:
            continue
        start = match.start()
        while start and (
            text[start - 1].isalnum()
            or text[start - 1] in _LOCAL_PUNCTUATION
            or unicodedata.combining(text[start - 1])
        ):
            start -= 1
        while start < match.start() and text[start] in _LOCAL_PUNCTUATION and text[start] != "_":
            start += 1
        if start == match.start():
            quoted = _QUOTED_LOCAL.search(text, max(0, start - 66), start)
            if quoted is None:
                continue
            start = quoted.start()
        yield start, domain.end(), text[start : domain.end()].lower()


_SSN = re.compile(rf"{_BEFORE}(?<![0-9]-)[0-9]{{3}}([- ])[0-9]{{2}}\1[0-9]{{4}}{_AFTER}(?!-[0-9])")
_BARE_SSN = re.compile(
    r"\b(?:ssn|social security)(?:\W{0,3}(?:number|no|num|is)\b)*\W{0,3}"
    rf"([0-9]{{9}}){_AFTER}",
    re.ASCII | re.IGNORECASE,
)


def _ssns(text: str) -> Spans:
    from stdnum.us import itin, ssn

    for match in [*_SSN.finditer(text), *_BARE_SSN.finditer(text)]:
        group = 1 if match.re is _BARE_SSN else 0
        digits = re.sub("[^0-9]", "", match[group])
        if ssn.is_valid(digits) or itin.is_valid(digits):
            yield match.start(group), match.end(group), digits


_CARD_RUN = re.compile(rf"{_BEFORE}[0-9](?:[ -]?[0-9]){{11,}}{_AFTER}")
# Issuers' prefixes and lengths (ISO/IEC 7812): one number in ten passes the checksum by chance.
_CARD_PREFIX = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})$"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}$"
    r"|3[47][0-9]{13}$"  # American Express
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2}|62[0-9]{2})[0-9]{12,15}$"  # Discover, UnionPay
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}$"  # JCB
    r"|3(?:0[0-5]|[689][0-9])[0-9]{11}$"  # Diners
    r"|(?:50|5[6-8]|6[37])[0-9]{14,17}$"  # Maestro
)


def _cards(text: str) -> Spans:
    from stdnum import luhn

    for run in _CARD_RUN.finditer(text):
        end_before = 0
        for start, end, digits in _windows(run[0], 12, 19):
            known = start >= end_before and _CARD_PREFIX.match(digits)
            if known and luhn.is_valid(digits):
                yield run.start() + start, run.start() + end, digits
                end_before = end


def _windows(run: str, least: int, most: int) -> Iterator[tuple[int, int, str]]:
    """Runs of whole groups with `least` to `most` characters in all, longest first per start.

    Groups of fewer than three characters begin no window, or any list of small numbers would be
    tried; the last group may be short.
    """
    groups = [(m.start(), m.end()) for m in re.finditer("[0-9A-Za-z]+", run)]
    for first, (start, end_of_first) in enumerate(groups):
        if end_of_first - start < 3:
            continue
        length, found = 0, []
        for begin, end in groups[first:]:
            length += end - begin
            if length > most:
                break
            if length >= least:
                found.append(end)
        for end in reversed(found):
            yield start, end, re.sub("[ -]", "", run[start:end])


_IBAN_RUN = re.compile(rf"{_BEFORE}[A-Za-z]{{2}}[0-9]{{2}}(?:[ -]?[0-9A-Za-z]){{11,30}}{_AFTER}")


def _ibans(text: str) -> Spans:
    from stdnum import iban

    position = 0
    while run := _IBAN_RUN.search(text, position):
        position = run.start() + 1
        for start, end, compact in _windows(run[0], 15, 34):
            if start:
                break
            if iban.is_valid(compact, check_country=False):
                yield run.start(), run.start() + end, compact.upper()
                position = run.start() + end
                break


_IPV4 = re.compile(rf"{_BEFORE}(?<![0-9]\.)(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}{_AFTER}(?!\.[0-9])")
_IPV6 = re.compile(
    rf"{_BEFORE}(?<![:.])(?=[0-9A-Fa-f:]*[0-9])[0-9A-Fa-f]{{0,4}}(?::[0-9A-Fa-f]{{0,4}}){{2,8}}"
    rf"(?:(?:\.[0-9]{{1,3}}){{3}})?{_AFTER}"
)


def _ip_addresses(text: str) -> Spans:
    # Version 6 first: it can end in an address of version 4.
    for match in [*_IPV6.finditer(text), *_IPV4.finditer(text)]:
        # A colon that ends a phrase is no part of the address.
        for candidate in (match[0], match[0][:-1]):
            try:
                address = ipaddress.ip_address(candidate)
            except ValueError:
                if not match[0].endswith(":"):
                    break
                continue
            if not (address.is_loopback or address.is_unspecified):  # they name nobody
                yield match.start(), match.start() + len(candidate), address.compressed
            break


_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://([^\s/@:]*:[^\s/]+)@(?=[^\s/@])")


def _url_credentials(text: str) -> Spans:
    for match in _URL.finditer(text):
        yield match.start(1), match.end(1), match[1]


_ETHEREUM = re.compile(rf"{_BEFORE}0[xX][0-9A-Fa-f]{{40}}{_AFTER}")
_BITCOIN = re.compile(
    rf"{_BEFORE}(?:(?:bc1|BC1)[0-9A-Za-z]{{11,87}}|[13][0-9A-Za-z]{{25,34}}){_AFTER}"
)


def _wallets(text: str) -> Spans:
    for match in _ETHEREUM.finditer(text):
        yield match.start(), match.end(), match[0].lower()
    for match in _BITCOIN.finditer(text):
        from stdnum import bitcoin

        if bitcoin.is_valid(match[0]):
            yield match.start(), match.end(), match[0]


_API_KEY = re.compile(
    _BEFORE + r"(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36,255}"
    r"|github_pat_[0-9A-Za-z_]{22,255}|glpat-[0-9A-Za-z_-]{20,}|xox[abeoprs]-[0-9A-Za-z-]{10,}"
    r"|AIza[0-9A-Za-z_-]{35}|(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,}"
    r"|sk-(?:[a-z]+-)*[0-9A-Za-z_-]{20,}|SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"
    r"|npm_[0-9A-Za-z]{36}|hf_[0-9A-Za-z]{30,})" + _AFTER
)
_JWT = re.compile(_BEFORE + r"(eyJ[0-9A-Za-z_-]+)\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|.*)",
    re.DOTALL,
)


def _api_keys(text: str) -> Spans:
    for match in _API_KEY.finditer(text):
        # English words joined by hyphens can follow "sk-"; keys hold digits.
        if re.search("[0-9]", match[0]):
            yield match.start(), match.end(), match[0]


def _jwts(text: str) -> Spans:
    for match in _JWT.finditer(text):
        try:
            header = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
        except (ValueError, binascii.Error, RecursionError):
            continue
        if isinstance(header, dict) and "alg" in header:
            yield match.start(), match.end(), match[0]


def _private_keys(text: str) -> Spans:
    for match in _PRIVATE_KEY.finditer(text):
        yield match.start(), match.end(), match[0]


# In order of precedence where two overlap: what holds the other, or is surer of itself, first.
FINDERS: dict[str, Callable[[str], Spans]] = {
    "private_key": _private_keys,
    "jwt": _jwts,
    "api_key": _api_keys,
    "url_credentials": _url_credentials,
    "email": _emails,
    "iban": _ibans,
    "payment_card": _cards,
    "crypto_wallet": _wallets,
    "us_ssn": _ssns,
    "phone": find_phones,
    "ip_address": _ip_addresses,
}

# Of columns that hold such data by their name; their cells are treated whole.
COLUMN_DETECTORS = ("person_name", "birth_date", "address")
DETECTORS = (*FINDERS, *COLUMN_DETECTORS)

_NAMES = "|".join(name.upper() for name in DETECTORS)
TOKEN = re.compile(rf"\[(?:{_NAMES})(?::[0-9a-f]{{32}})?\]")

PREFILTER = (
    r"@[^\s@]*\."
    r"|[0-9](?:[ ().\-/]{0,3}[0-9]){8}"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:"
    r"|[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11}"
    r"|://[^\s/]*@"
    r"|0[xX][0-9A-Fa-f]{40}|[13][0-9A-Za-z]{25}|(?:bc1|BC1)[0-9A-Za-z]{11}"
    r"|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|[srp]k_|sk-|SG\.|npm_|hf_"
    r"|eyJ|PRIVATE KEY"
)


def find(text: str) -> list[Hit]:
    """All hits in folded text, in order and without overlaps; tokens of ours are no hits."""
    tokens = [match.span() for match in TOKEN.finditer(text)]
    taken: list[Hit] = []
    for name, finder in FINDERS.items():
        for start, end, canonical in finder(text):
            ours = any(first <= start and end <= last for first, last in tokens)
            if not ours and all(end <= hit.start or hit.end <= start for hit in taken):
                taken.append(Hit(start, end, name, canonical))
    return sorted(taken, key=lambda hit: hit.start)


def rewrite(text: str, replacement: Callable[[Hit], str | None]) -> str:
    """`text` with each hit's own characters replaced; None leaves a hit as it is.

    Repeated until nothing is left to replace, because what stands beside a value can hide another
    ("1234-" before a number); so rewriting twice is the same as once.
    """
    while True:
        hits = [(hit, new) for hit in find(fold(text)) if (new := replacement(hit)) is not None]
        if not hits:
            return text
        spans = original_spans(text, [(hit.start, hit.end) for hit, _ in hits])
        for (start, end), (_, new) in zip(reversed(spans), reversed(hits), strict=True):
            text = text[:start] + new + text[end:]


def mask_text(text: str) -> str:
    """`text` with every hit masked: for names of files and columns, which may hold anything."""
    return rewrite(text, lambda hit: mask(hit.detector))


def mask(detector: str) -> str:
    """The token that says what stood here, and no more."""
    return f"[{detector.upper()}]"
