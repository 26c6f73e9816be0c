"""Detectors of personal data and secrets in text: where each stands, and its canonical form.

Two stages. PREFILTER is one alternation in RE2's dialect that an engine runs over all cells, and
PREFILTERS its parts by detector, to tell which finders a suspicious cell needs; they may hit too
much, never too little. `find` then looks at the hits with exact validators (checksums
by python-stdnum, numbering plans by phonenumbers, addresses by ipaddress). Both expect folded text
(folding.py); word boundaries are ASCII, so that a letter with an accent hides nothing. What is
done with a hit stands in pii.py.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from hokusai_assets.contribution import (
    email_addresses,
    national_ids,
    phone_numbers,
    secret_detectors,
    street_patterns,
)
from hokusai_assets.contribution.folding import fold, has_more_than_ascii, original_spans

if TYPE_CHECKING:
    import pyarrow as pa

_BEFORE = r"(?<![0-9A-Za-z_])"
_AFTER = r"(?![0-9A-Za-z_])"


class Hit(NamedTuple):
    """Characters `start` to `end` of a text, and the form by which equal values are known."""

    start: int
    end: int
    detector: str
    canonical: str


Spans = Iterator[tuple[int, int, str]]

_SSN = re.compile(rf"{_BEFORE}[0-9]{{3}}([- ])[0-9]{{2}}\1[0-9]{{4}}{_AFTER}")
_BARE_SSN = re.compile(
    r"\b(?:ssn|social security)(?:\W{0,3}(?:number|no|num|is)\b)*\W{0,3}"
    rf"([0-9]{{9}}){_AFTER}",
    re.ASCII | re.IGNORECASE,
)
_SSN_WORD = re.compile("ssn|security", re.ASCII | re.IGNORECASE)


def _ssns(text: str) -> Spans:
    from stdnum.us import itin, ssn

    matches = [*_SSN.finditer(text)]
    if _SSN_WORD.search(text):
        matches += _BARE_SSN.finditer(text)
    for match in matches:
        group = 1 if match.re is _BARE_SSN else 0
        digits = re.sub("[^0-9]", "", match[group])
        if digits[:3] in {"978", "979"} and text[match.end() : match.end() + 1] == match[1]:
            continue  # an ISBN goes on
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
    r"|3(?:0[0-59]|[689][0-9])[0-9]{11,16}$"  # Diners
    r"|(?:2131|1800)[0-9]{11}$"  # JCB, older
    r"|(?:50|5[6-8]|6[37])[0-9]{14,17}$"  # Maestro
    r"|(?:5018|5020|5038|5[6-8][0-9]{2}|6304|6759|676[1-3])[0-9]{8,11}$"  # Maestro, shorter
)
# One article number in ten passes the cards' checksum, too.
_OTHER_CODE = re.compile(r"(?:EAN|GTIN|ISBN|UPC|IMEI)(?:-?1[0-4])?\W{0,3}$", re.IGNORECASE)


def _cards(text: str) -> Spans:
    from stdnum import luhn

    for run in _CARD_RUN.finditer(text):
        if _OTHER_CODE.search(text, max(0, run.start() - 12), run.start()):
            continue
        end_before = 0
        for start, end, digits in _windows(run[0], 12, 19):
            if start < end_before or not _CARD_PREFIX.match(digits):
                continue
            if len(digits) == 12 and end - start < len(run[0]):
                continue  # the shortest only on their own: any list of fours holds three groups
            # Cards are printed in fours, sixes or fives: three and less make lists of numbers.
            groups = re.findall("[0-9]+", run[0][start:end])
            if min(map(len, groups[:-1]), default=4) >= 4 and luhn.is_valid(digits):
                yield run.start() + start, run.start() + end, digits
                end_before = end


def _windows(run: str, least: int, most: int) -> Iterator[tuple[int, int, str]]:
    """Runs of whole groups with `least` to `most` characters in all, longest first per start.

    Groups of fewer than three characters begin no window, or any list of small numbers would be
    tried; the last group may be short.
    """
    groups = [(m.start(), m.end()) for m in re.finditer("[0-9A-Za-z]+", run)]
    # No window has more groups than characters: a slice to the end would be quadratic.
    for first, (start, end_of_first) in enumerate(groups):
        if end_of_first - start < 3:
            continue
        length, found = 0, []
        for begin, end in groups[first : first + most]:
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


def _addresses(text: str) -> Spans:
    # Compiling its patterns takes 30 ms, which data without anything like an address need not pay.
    from hokusai_assets.contribution.street_addresses import find_addresses

    return find_addresses(text)


# In order of precedence where two overlap: what holds the other, or is surer of itself, first.
FINDERS: dict[str, Callable[[str], Spans]] = {
    "private_key": secret_detectors.find_private_keys,
    "jwt": secret_detectors.find_jwts,
    "api_key": secret_detectors.find_api_keys,
    "url_credentials": secret_detectors.find_url_credentials,
    "email": email_addresses.find_emails,
    "iban": _ibans,
    "payment_card": _cards,
    "crypto_wallet": secret_detectors.find_wallets,
    "us_ssn": _ssns,
    "national_id": national_ids.find_national_ids,
    "phone": phone_numbers.find_phones,
    "ip_address": _ip_addresses,
    "address": _addresses,
}

# What a text must hold for a finder to be worth its time: one of these pieces, or digits.
_PIECES: dict[str, tuple[str, ...]] = {
    "private_key": ("PRIVATE KEY",),
    "jwt": ("eyJ",),
    "url_credentials": ("://",),
    "ip_address": (".", ":"),
}
_NUMBERS = frozenset({"payment_card", "us_ssn", "phone"})
_WITH_DIGITS = frozenset({"iban", "crypto_wallet", "national_id", "address", "api_key"})
_DIGIT = re.compile("[0-9]")
_SEVEN_DIGITS = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,4}[0-9]){6}")

_BY_NUMBER = _NUMBERS | {"national_id"}

# Of columns that hold such data by their name; their cells are treated whole.
COLUMN_DETECTORS = ("person_name", "birth_date")
DETECTORS = (*FINDERS, *COLUMN_DETECTORS)

_NAMES = "|".join(name.upper() for name in DETECTORS)
TOKEN = re.compile(rf"\[(?:{_NAMES})(?::[0-9a-f]{{32}})?\]")
HASH_OF_TOKEN = rf"\[({_NAMES}):[0-9a-f]{{32}}\]"  # for the engine: to be replaced by [\1]

# What a text must match for a finder to find anything. They are run over few cells, so they may be
# long; a count such as {6} bounds what the engine has to remember.
PREFILTERS: dict[str, str] = {
    "private_key": "PRIVATE KEY",
    "jwt": "eyJ",
    "api_key": (
        r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|[srp]k_|sk-|SG\.|npm_|hf_"
        r"|shp(?:at|ca|pa|ss)_|dop_v1_|dapi|rubygems_|hvs\.|pypi-AgEI|ya29\.|sq0|xapp-|AGE-SECRET"
    ),
    "url_credentials": r"://[^\s/]*@",
    "email": rf"@[^\s@]*\.|{email_addresses.PREFILTER}",
    "iban": r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11}",
    "payment_card": r"[0-9](?:[ -]?[0-9]){11}",
    "crypto_wallet": (
        r"0[xX][0-9A-Fa-f]{40}|[13DLMTX][0-9A-Za-z]{25}|(?i:bc|tb|ltc)1[0-9A-Za-z]{8}"
    ),
    "us_ssn": (r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}|(?i:ssn|social security)[^0-9]*[0-9]{9}"),
    "national_id": national_ids.PREFILTER,
    "phone": phone_numbers.PREFILTER,
    "ip_address": r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:",
    "address": street_patterns.PREFILTER,
}
# Of all cells: nine digits stand for what the detectors of numbers say more precisely.
PREFILTER = "|".join(
    [pattern for name, pattern in PREFILTERS.items() if name not in _BY_NUMBER]
    + [r"[0-9](?:[ ().\-/]{0,3}[0-9]){8}", phone_numbers.INTERNATIONAL, national_ids.SHORT]
)


def find(text: str, among: Sequence[str] | None = None) -> list[Hit]:
    """All hits in folded text, in order and without overlaps; tokens of ours are no hits.

    `among` names the finders whose prefilters the text matches, where that is known.
    """
    # One byte a character, because comparing each hit with all others would be quadratic.
    taken, ours = bytearray(len(text)), None
    if "[" in text:
        ours = bytearray(len(text))
        for match in TOKEN.finditer(text):
            ours[match.start() : match.end()] = b"\1" * len(match[0])
    hits: list[Hit] = []
    for name in _promising(text) if among is None else among:
        for start, end, canonical in FINDERS[name](text):
            if taken.find(1, start, end) >= 0:
                continue
            if ours is not None and ours.find(0, start, end) < 0:
                continue
            taken[start:end] = b"\1" * (end - start)
            hits.append(Hit(start, end, name, canonical))
    return sorted(hits, key=lambda hit: hit.start)


def finders_again(folded: pa.Array) -> list[list[str]]:
    """finders_for texts that were treated once: most match no prefilter, as one alternation says.

    The digits of our own tokens are no reason to look.
    """
    import pyarrow.compute as pc

    looks = pc.replace_substring_regex(as_engine_reads(folded), HASH_OF_TOKEN, r"[\1]")
    some = pc.indices_nonzero(pc.match_substring_regex(looks, PREFILTER))
    found: list[list[str]] = [[] for _ in range(len(folded))]
    if len(some):
        for position, names in zip(some.to_pylist(), finders_for(looks.take(some)), strict=True):
            found[position] = names
    return found


def finders_for(folded: pa.Array) -> list[list[str]]:
    """Of each folded text, the names of the finders whose prefilters it matches."""
    import numpy as np
    import pyarrow.compute as pc

    # Our tokens' own digits are no reason to look.
    looks = pc.replace_substring_regex(as_engine_reads(folded), HASH_OF_TOKEN, r"[\1]")
    patterns = list(dict.fromkeys(PREFILTERS.values()))
    matches = [pc.match_substring_regex(looks, p).to_numpy(zero_copy_only=False) for p in patterns]
    # As one number a text, a bit a finder: few different ones are seen.
    told = np.zeros(len(looks), np.int64)
    for place, pattern in enumerate(PREFILTERS.values()):
        told |= matches[patterns.index(pattern)].astype(np.int64) << place
    names = {
        bits: [name for place, name in enumerate(PREFILTERS) if bits >> place & 1]
        for bits in np.unique(told).tolist()
    }
    return [names[bits] for bits in told.tolist()]


def as_engine_reads(folded: pa.Array) -> pa.Array:
    """Folded text in which RE2 sees all that Python does: "İ" and "ı" are "I".

    Python takes them for an "i" where case is no matter, and for capitals where it is one.
    """
    import pyarrow.compute as pc

    if not has_more_than_ascii(folded, line_feeds_only=True):
        return folded
    for letter in "İı":
        folded = pc.replace_substring(folded, letter, "I")
    return folded


def _promising(text: str) -> Iterator[str]:
    """Names of the finders that are worth their time for one text, by what is quick to tell."""
    # The digits of a token are no reason to look for more: a second look at a text costs little.
    rest = TOKEN.sub(" ", text) if "[" in text else text
    numbers = _SEVEN_DIGITS.search(rest) is not None
    digits = _DIGIT.search(rest) is not None
    for name in FINDERS:
        pieces = _PIECES.get(name)
        if pieces is not None and not any(piece in rest for piece in pieces):
            continue
        if (numbers or name not in _NUMBERS) and (digits or name not in _WITH_DIGITS):
            yield name


def rewrite(text: str, replacement: Callable[[Hit], str | None]) -> str:
    """`text` with each hit's own characters replaced; None leaves a hit as it is.

    Repeated until nothing is left to replace, because what stands beside a value can hide another
    ("1234-" before a number); so rewriting twice is the same as once.
    """
    while (new := rewrite_once(text, fold(text), replacement)) != text:
        text = new
    return text


def rewrite_once(
    text: str,
    folded: str,
    replacement: Callable[[Hit], str | None],
    among: Sequence[str] | None = None,
) -> str:
    """One round of rewrite; `folded` is fold(text), and `among` as find takes it."""
    hits = [(hit, new) for hit in find(folded, among) if (new := replacement(hit)) is not None]
    if not hits:
        return text
    pieces, position = [], 0
    spans = original_spans(text, [(hit.start, hit.end) for hit, _ in hits])
    for (start, end), (_, new) in zip(spans, hits, strict=True):
        pieces += [text[position:start], new]
        position = end
    return "".join([*pieces, text[position:]])


def mask_text(text: str) -> str:
    """`text` with every hit masked: for names of files and columns, which may hold anything."""
    return rewrite(text, lambda hit: mask(hit.detector))


def mask(detector: str) -> str:
    """The token that says what stood here, and no more."""
    return f"[{detector.upper()}]"
