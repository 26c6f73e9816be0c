"""Telephone numbers in folded text: candidates by shape, judged by the world's numbering plans.

A number is taken when it is written internationally and possible, written like a North American
number (also fictional ones, which no plan knows, as long as the separators are unmistakable),
national and valid in one of a few countries, or bare digits after a word such as "phone".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BEFORE = r"(?<![0-9A-Za-z_+])(?<![0-9][-.])"
_AFTER = r"(?![0-9A-Za-z_])(?![-.][0-9])"
_EXTENSION = r"(?:,? ?(?:x|ext\.?|extension) ?[0-9]{1,6})?"

_NORTH_AMERICAN = re.compile(
    rf"{_BEFORE}(?:\+1[-. ]?|1[-. ]|1(?=\())?"
    r"(?:(\()[2-9][0-9]{2}\)[-. ]?|[2-9][0-9]{2}([-. /]))"
    rf"[0-9]{{3}}([-. ])[0-9]{{4}}{_EXTENSION}{_AFTER}"
)
_INTERNATIONAL = re.compile(
    r"(?<![0-9A-Za-z_+])(?:\+|00(?=[1-9])) ?\(?[0-9](?:[ ().\-/]{0,3}[0-9]){6,16}"
)
_NATIONAL = re.compile(rf"{_BEFORE}\(?0[1-9][0-9]{{0,4}}\)?(?:[ \-/.]?[0-9]{{2,8}}){{1,5}}{_AFTER}")
_NAMED = re.compile(
    r"\b(?:phone|tel|telephone|call|cell|mobile|fax|sms|whatsapp)\b(?:\W{0,3}(?:me|us|at|on|is|no|"
    rf"number)\b)*\W{{0,3}}([0-9]{{10,11}}){_AFTER}",
    re.IGNORECASE | re.ASCII,
)
# For the engine (pii_detectors.py): what is written internationally, and all that is a number.
INTERNATIONAL = r"\+ ?\(?[0-9](?:[ ().\-/]{0,3}[0-9]){6}"
PREFILTER = "|".join(
    (
        r"[2-9][0-9]{2}(?:\)[-. ]?|[-. /])[0-9]{3}[-. ][0-9]{4}",
        INTERNATIONAL,
        r"00\(?[1-9](?:[ ().\-/]{0,3}[0-9]){6}|00 ?\([0-9](?:[ ().\-/]{0,3}[0-9]){6}",
        r"0[1-9](?:[ ()\-/.]{0,2}[0-9]){7}",
        r"(?i:phone|tel|call|cell|mobile|fax|sms|whatsapp)[^0-9]*[0-9]{10}",
    )
)
# Countries that write a 0 first, by how often their numbers are seen: the first one names the form.
NATIONAL_REGIONS = ("GB", "FR", "DE", "NL", "SE", "JP", "IL", "AU", "IT")
# "09.08.2003 17" is a day and an hour.
_DATE = re.compile(r"[0-3]?[0-9]([-./ ])[01]?[0-9]\1(?:19|20)[0-9]{2}(?![0-9])")


def find_phones(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and E.164 form of each telephone number in folded text."""
    for match in _NORTH_AMERICAN.finditer(text):
        main = re.split(r"[,xe]", match[0], maxsplit=1)[0]
        number = "+1" + _digits(main)[-10:]
        # Three numbers with spaces between may be anything: they must be a real area and exchange.
        spaced = not match[1] and (match[2], match[3]) == (" ", " ")
        if not spaced or _is_valid(number, None):
            yield match.start(), match.end(), number
    for match in _INTERNATIONAL.finditer(text):
        yield from _international(match)
    for match in _NATIONAL.finditer(text):
        digits = _digits(match[0])
        shaped = len(digits) in {9, 10, 11} and digits != match[0]
        if shaped and not _DATE.match(match[0]):
            for region in NATIONAL_REGIONS:
                if _is_valid(digits, region):
                    yield match.start(), match.end(), _e164(digits, region)
                    break
    for match in _NAMED.finditer(text):
        if _is_valid(match[1], "US"):
            yield match.start(1), match.end(1), _e164(match[1], "US")


def _international(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """The longest valid, else the longest possible number: digits that follow may be others."""
    import phonenumbers

    ends = [m.end() for m in re.finditer("[0-9]+", match[0])]
    numbers = []
    for end in reversed(ends):
        written = match[0][:end]
        if match[0].startswith("00"):
            written = "+" + written[2:]
        try:
            numbers.append((end, phonenumbers.parse(written, None)))
        except phonenumbers.NumberParseException:
            continue
    possible = phonenumbers.ValidationResult.IS_POSSIBLE
    valid = [n for n in numbers if phonenumbers.is_valid_number(n[1])]
    if not valid and not match[0].startswith("00"):
        valid = [
            n for n in numbers if phonenumbers.is_possible_number_with_reason(n[1]) == possible
        ]
    follows = match.string[match.end() : match.end() + 1]
    if valid and not (valid[0][0] == len(match[0]) and re.match("[0-9A-Za-z_]", follows)):
        end, number = valid[0]
        form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        yield match.start(), match.start() + end, form


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _is_valid(number: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _e164(number: str, region: str) -> str:
    import phonenumbers

    parsed = phonenumbers.parse(number, region)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
