"""Detector of street addresses and post-office boxes in folded text: shapes, less what is none.

No checksum tells an address, and precision goes first: names begin with capitals, words such as
"day" or "star" name no street, and a kind of street that is also an ordinary word must end its
phrase. The shapes stand in street_patterns.py; columns that hold addresses by their name are
pii_columns.py's. Scripts other than Latin are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hokusai_assets.contribution import street_patterns
from hokusai_assets.contribution.street_patterns import UPPER

_ENGLISH = re.compile(street_patterns.ENGLISH)
_TAILED = re.compile(street_patterns.TAILED)
_LOWER_CASE = re.compile(street_patterns.LOWER_CASE)
_LEAD_IN = re.compile(
    r"(?<![A-Za-z])(?:live|lives|lived|living|resides?|located|address|ship|shipped|deliver|"
    r"delivered|moved|mail|send|sent)(?: (?:it|them|me|is|was))?(?: (?:at|to|on))?:? $",
    re.IGNORECASE,
)
_FRENCH = re.compile(street_patterns.FRENCH)
_NUMBER_LAST = re.compile(street_patterns.NUMBER_LAST)
_BOX = re.compile(street_patterns.BOX)

# "24 Hour Drive", "5 Star Court", "3 Dr Pepper", "12 March Street Fair": counted things and dates.
_NO_NAMES = frozenset(
    "star stars day days hour hours minute minutes min mins week weeks month months year years "
    "way ways time times the a an of on in at to and or my your his her their our this that for "
    "percent bedroom bed piece pack lane point mile miles km foot feet inch degree level story "
    "lb lbs oz grams cups people more other items door doors block blocks car supreme district "
    "appeals scene act food full hot cold best top i we it was is january february march april "
    "may june july august september october november december".split()
)
# Kinds that also begin a name: "5 Big Court Cases".
_BEGIN_NAMES = frozenset("court ct drive dr terrace ter gardens alley".split())
_NO_STREETS = re.compile(
    "(?:park|sitz|stell|arbeits|tabellen|start|studien|zelt|schlaf|camping|ausbildungs|fenster|"
    "steh|listen|liege|lager|speicher)platz|(?:um|heim|aus|hin|rück|arbeits|lösungs|reit|mittel|"
    "durch)weg|bahnhof|dekade|barrikade|brigade",
    re.IGNORECASE,
)
# What a number at the end counts, when it is no house: "Corso Avanzato 3 ore".
_COUNTED = re.compile(
    r" ?(?:%|€|\$|°|km|cm|mm|m²|euros?|uhr|mal|min)| (?:days?|nights?|times|stars?|hours?|"
    r"minutes?|years?|people|items|reviews?|tage?n?|nächte|minuten?|stunden?|sterne|kilometer|"
    r"meter|jahre|prozent|jours?|heures?|étoiles?|días|horas?|veces|minutos|estrellas|noches|"
    r"personas|años|giorni|ore|minuti|volte|stelle|notti|dagen|uur|minuten|keer|sterren|dias|"
    r"vezes|noites|estrelas|pessoas|dni|godzin|gwiazdek|dagar|timmar|metros?|metri)(?![A-Za-z])",
    re.IGNORECASE,
)
# Cheap looks before the patterns: most cells with digits hold no address.
_NUMBER_AND_NAME = re.compile(rf"[0-9][0-9A-Za-z/-]{{0,13}},? [0-9{UPPER}]")
_FRENCH_PIECES = (
    *("ue ", "v. ", "ard ", "bd", "Bd", "place ", "ll", "passe ", "emin ", "quai ", "oute "),
    *("square ", "sage ", "bourg "),
)
_LOWER_PIECES = (" st", " ave", " b", " road", " rd", " lane", " ln", " drive", " court")
_BOX_PIECES = ("box", "post", "apartado", "casella", "caixa", "skrytka")


def find_addresses(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and canonical form (case folded, without punctuation) of each address."""
    for start, end in _spans(text):
        yield start, end, re.sub(r"[\W_]+", " ", text[start:end].casefold()).strip()


def _spans(text: str) -> Iterator[tuple[int, int]]:
    yield from _number_first(text)
    for match in _NUMBER_LAST.finditer(text):
        compound = match["compound"]
        is_street = compound is None or not _NO_STREETS.search(compound)
        if is_street and _COUNTED.match(text, match.end()) is None:
            yield match.span()
    lower = text.lower()
    if any(piece in lower for piece in _BOX_PIECES):
        for match in _BOX.finditer(text):
            yield match.span()


def _number_first(text: str) -> Iterator[tuple[int, int]]:
    if _NUMBER_AND_NAME.search(text):
        yield from _english(text)
    if any(piece in text for piece in _FRENCH_PIECES):
        for match in _FRENCH.finditer(text):
            yield match.span()
    if any(piece in text for piece in _LOWER_PIECES):
        for match in _LOWER_CASE.finditer(text):
            before = text[max(0, match.start() - 30) : match.start()]
            if _LEAD_IN.search(before) and _are_names(match["names"]):
                yield match.span()


def _english(text: str) -> Iterator[tuple[int, int]]:
    for match in _ENGLISH.finditer(text):
        sure = (match["sure"] or "").lower()
        named = _are_names(match["names"]) or (sure and match["names"] == "The")
        ends = match["tail"] or not re.match(rf" [{UPPER}]", text[match.end() : match.end() + 2])
        if named and (ends or (sure and sure not in _BEGIN_NAMES)):
            yield match.span()
    for match in _TAILED.finditer(text):
        if _are_names(match["names"]):
            yield match.span()


def _are_names(words: str) -> bool:
    """A single capital is a street's letter, except I."""
    return not any(
        word.lower() in _NO_NAMES and (len(word) > 1 or word == "I") for word in words.split()
    )
