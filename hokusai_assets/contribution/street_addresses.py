"""Detector of street addresses and post-office boxes in folded text: by shape, since none checks.

English addresses (number, names, kind of street), French ones (number, kind, name), those that end
in the number (German, Dutch, Nordic, Spanish, Portuguese, Italian, Polish), and boxes in their
languages. Precision goes first: names begin with capitals, words such as "day" or "star" are none,
and a kind of street that is also an ordinary word needs an end of phrase behind it. Columns that
hold addresses by their name are pii_columns.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Ranges and not \w: the engine's dialect knows another \w, and the prefilter shares these.
_UPPER = "A-ZÀ-ÖØ-ÞĀ-Ž"
_LETTER = "A-Za-zÀ-ÖØ-öø-ž\u0300-\u036f"
_BEFORE = r"(?<![0-9A-Za-z_])(?<![0-9$€£][.,/-])(?<![$€£#+])"
_AFTER = rf"(?![{_LETTER}0-9_])"

# English kinds of street that are nothing else when they follow a number and a name.
_SURE = (
    "street|str|avenue|ave|av|boulevard|blvd|road|rd|lane|ln|drive|dr|parkway|pkwy|highway|hwy|"
    "expressway|crescent|cres|terrace|ter|alley|mews|gardens|gdns|court|ct|st"
)
_ORDINARY = (
    "Place|Pl|Square|Sq|Way|Circle|Cir|Close|Grove|Row|Trail|Trl|Loop|Plaza|Plz|Walk|Hill|View|"
    "Rise|Path|Pike|Turnpike|Crossing|Bend|Cove|Point|Ridge|Run|Park|Gate|Wharf|Quay|Broadway"
)
_NOT_NAMES = frozenset(
    "star stars day days hour hours minute minutes min mins week weeks month months year years "
    "way ways time times the a an of on in at to and or my your his her their our this that for "
    "percent bedroom bed piece pack lane point mile miles km foot feet inch degree level story "
    "lb lbs oz grams cups people more other items door doors block blocks car supreme district "
    "appeals scene act january february march april may june july august september october november december food full hot cold best top i we it was is".split()
)
_WORD = rf"(?:[{_UPPER}][{_LETTER}'.-]{{0,24}}|[0-9]{{1,3}}(?:st|nd|rd|th|ST|ND|RD|TH))"
_NUMBER = r"[0-9]{1,6}(?:[A-Za-z]|[-/][0-9]{1,5}[A-Za-z]?)?(?: 1/2)?"
_UNIT = r"(?:apartment|apt|suite|ste|unit|flat|room|floor)\.? ?#?[0-9]{0,5}[A-Za-z]?|#[0-9]{1,5}"
_ZIP = rf"{_WORD}(?: {_WORD}){{0,3}},? [A-Z]{{2}},? [0-9]{{5}}(?:-[0-9]{{4}})?"
_POSTCODE = rf"(?:{_WORD}(?: {_WORD}){{0,3}},? )?[A-Z]{{1,2}}[0-9][0-9A-Z]? [0-9][A-Z]{{2}}"
_TAIL = rf"(?:,? (?i:{_UNIT})(?![{_LETTER}0-9]))?(?:(?:, ?|\n| )(?:{_ZIP}|{_POSTCODE}){_AFTER})?"
_ENGLISH = re.compile(
    rf"{_BEFORE}{_NUMBER},? (?P<names>{_WORD}(?: {_WORD}){{0,4}}?) "
    rf"(?:(?P<sure>(?i:{_SURE}))|(?P<ordinary>{_ORDINARY}|(?:{_ORDINARY.upper()}))){_AFTER}"
    rf"(?:\.(?=[ ,]))?(?: (?:NE|NW|SE|SW|North|South|East|West|[NSEW])\b\.?)?(?P<tail>{_TAIL})"
)
# Without a known kind of street, a unit or a postal code says that it is one.
_TAILED = re.compile(
    rf"{_BEFORE}{_NUMBER},? (?P<names>{_WORD}(?: {_WORD}){{0,4}}?),? ?"
    rf"(?P<tail>(?: (?i:apt|apartment|suite|ste|unit)\.? #?[0-9]{{1,5}}[A-Za-z]?{_AFTER})"
    rf"(?:(?:,|\n) ?{_ZIP}{_AFTER})?|(?:\n| ){_ZIP}{_AFTER})"
)
_LED = re.compile(
    r"(?i:\b(?:live|lives|lived|living|resides?|located|address|ship|shipped|deliver|delivered|"
    r"moved|mail|send|sent)(?: (?:it|them|me|is|was))?(?: (?:at|to|on))?:? )"
    rf"(?P<address>{_NUMBER} (?P<names>[a-z]{{3,20}}(?: [a-z]{{3,20}})?) "
    rf"(?:street|avenue|ave|boulevard|blvd|road|rd|lane|ln|drive|court|st){_AFTER})"
)
_FRENCH_NAME = (
    r"(?:(?:de|du|des|la|le|les|aux?) |[dlDL]'){0,3}"
    rf"[{_UPPER}][{_LETTER}'.-]{{1,24}}(?: (?:(?:de|du|des|la|et) )?[{_UPPER}][{_LETTER}'.-]{{1,24}})"
    r"{0,3}"
)
_CITY = rf"(?:,? (?:[A-Z]{{1,2}}-)?[0-9]{{4,5}}(?:-[0-9]{{3}}| [A-Z]{{2}})? [{_UPPER}][{_LETTER}-]{{2,24}})?"
_FRENCH = re.compile(
    rf"{_BEFORE}[0-9]{{1,4}}(?: ?(?:bis|ter|quater|[A-D]))?,? "
    r"(?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d\.?|place|[Aa]ll[ée]e|[Ii]mpasse|[Cc]hemin|quai|"
    rf"[Rr]oute|square|passage|faubourg) {_FRENCH_NAME}{_AFTER}{_CITY}"
)
_LAST_NUMBER = r"[0-9]{1,5}(?:(?:[-/]| - )[0-9]{1,4})?(?: ?[a-zA-Z])?" + _AFTER + r"(?![.,:][0-9])"
_COMPOUND = (
    "stra(?:ß|ss)e|str\\.|weg|platz|gasse|allee|damm|ufer|chaussee|-ring|straat|laan|plein|gracht|"
    "kade|singel|dreef|steeg|dijk|hof|gatan|vägen|gränd|stigen|torget|katu|kuja|veien|vegen|gade"
)
_NO_STREETS = re.compile(
    "(?:park|sitz|stell|arbeits|tabellen|start|studien|zelt|schlaf|camping|ausbildungs|fenster|"
    "steh|listen|liege|lager|speicher)platz|(?:um|heim|aus|hin|rück|arbeits|lösungs|reit|mittel|"
    "kenn|durch)weg|(?:bahn|fried)hof|dekade|barrikade|brigade",
    re.IGNORECASE,
)
_GERMAN_FIRST = (
    rf"(?:[{_UPPER}][{_LETTER}]{{2,20}}er|Alte[rs]?|Neue[rs]?|Am|Im|Zum|Zur|An der|Auf der)"
)
_GERMAN = re.compile(
    rf"(?<![{_LETTER}0-9_])(?:(?P<one>[{_UPPER}][{_LETTER}'.-]{{1,40}}?(?i:{_COMPOUND}))"
    rf"|{_GERMAN_FIRST} (?i:stra(?:ß|ss)e|str\.|weg|platz|allee|ring|damm|gasse|ufer|markt)"
    rf"|Unter den Linden) ?{_LAST_NUMBER}{_CITY}"
)
_ROMANCE_KIND = (
    r"Calle|C/|Avenida|Avda\.?|Av\.|Plaza|Paseo|Carretera|Camino|Ronda|Travesía|Callejón|Cuesta|"
    "Glorieta|Rambla|Urbanización|Pasaje|Rua|Travessa|Praça|Alameda|Rodovia|Estrada|Largo|Ladeira|"
    r"Vía|Via|Viale|Piazza|Piazzale|Corso|Vicolo|Strada|Borgo|Contrada|Rotonda|Canale|Incrocio|"
    r"Stretto|V\.le|P\.zza"
)
_ROMANCE_NAME = (
    r"(?:(?:de|del|dei|della|delle|degli|da|do|das|dos|di|la|las|los|el|e|y|San|[0-9]{1,2}) |[dDlL]')"
    rf"{{0,3}}[{_UPPER}][{_LETTER}'.-]{{1,24}}"
)
_ROMANCE = re.compile(
    rf"(?<![{_LETTER}0-9_])(?:{_ROMANCE_KIND}) ?(?:{_ROMANCE_NAME})(?: {_ROMANCE_NAME}){{0,3}}"
    rf",? (?:(?:n[.o°]{{0,3}}|núm\.?|número) ?)?{_LAST_NUMBER}"
    rf"(?:,? (?:Piso|Puerta|Apt\.|Appartamento|Interno|Esc\.) ?[0-9]{{1,4}})?{_CITY}"
)
_POLISH = re.compile(
    rf"(?<![{_LETTER}0-9_])(?<!et )(?:ul\.|al\.|pl\.|os\.|[Uu]lica|[Aa]leja|[Pp]lac|[Oo]siedle) ?"
    rf"(?:[0-9]{{1,2}} )?[{_UPPER}][{_LETTER}.-]{{1,24}}(?: [{_UPPER}][{_LETTER}.-]{{1,24}}){{0,3}} "
    rf"[0-9]{{1,4}}[a-zA-Z]?(?:/[0-9]{{1,4}}[a-z]?)?{_AFTER}(?: m\. ?[0-9]{{1,4}})?(?:,? [0-9]{{2}}-[0-9]{{3}} [{_UPPER}][{_LETTER}-]{{2,24}})?"
)
_BOX_KIND = (
    r"p\.? ?o\.? ?box|post office box|postfach|postbus|apartado(?: de correos| postal)?|"
    r"casella postale|caixa postal|bo[iî]te postale|skrytka pocztowa"
)
_BOX = re.compile(
    rf"(?<![{_LETTER}0-9_])(?i:{_BOX_KIND})[ :]{{0,2}}(?i:no\.? ?|#)?[0-9]{{1,7}}"
    rf"(?: [0-9]{{2,3}}){{0,2}}{_AFTER}"
)
# What a number at the end counts, when it is no house: "Corso Avanzato 3 ore".
_COUNTED = re.compile(
    r" ?(?:%|€|\$|°|km|cm|mm|m²|euros?|uhr|mal|min)|,? (?:days?|nights?|times|stars?|hours?|minutes?|"
    r"years?|people|items|reviews?|tage?n?|nächte|minuten?|stunden?|sterne|kilometer|meter|jahre|"
    r"prozent|jours?|heures?|étoiles?|días|horas?|veces|minutos|estrellas|noches|personas|años|"
    r"giorni|ore|minuti|volte|stelle|notti|dagen|uur|minuten|keer|sterren|dias|vezes|noites|"
    r"estrelas|pessoas|dni|godzin|gwiazdek|dagar|timmar|metros?|metri)(?![A-Za-z])",
    re.IGNORECASE,
)
_ARTICLES = frozenset("der die das den dem diese dieser jede jeder keine eine einer".split())

PREFILTER = (
    rf"[0-9][^ ]*(?: [0-9{_UPPER}][^ ]*)+? (?i:{_SURE}|{_ORDINARY})"
    rf"|[0-9][^ ]*(?: [0-9{_UPPER}][^ ]*)+?[, \n]+(?:(?i:apt|apartment|suite|ste|unit)|[A-Z]{{2}},? [0-9]{{5}})"
    r"|[0-9][^ ]* [a-z ]+ (?:street|avenue|ave|boulevard|blvd|road|rd|lane|ln|drive|court|st)"
    r"|[0-9][^ ]*(?: [^ ]+)? (?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d|place|[Aa]ll[ée]e|[Ii]mpasse"
    r"|[Cc]hemin|quai|[Rr]oute|square|passage|faubourg) "
    rf"|(?i:{_COMPOUND}|ring|markt|linden) ?[0-9]"
    rf"|(?:{_ROMANCE_KIND}) ?[^ ].*? [0-9]"
    rf"|(?:ul\.|al\.|pl\.|os\.|[Uu]lica|[Aa]leja|[Pp]lac|[Oo]siedle) ?[0-9{_UPPER}].*? [0-9]"
    rf"|(?i:{_BOX_KIND})[^A-Z]*[0-9]"
    r"|(?i:{_BOX_KIND})"
)

# Cheap looks at the text before the patterns above: most cells hold digits and no address.
_ENGLISH_GATE = re.compile(rf"[0-9][0-9A-Za-z/-]*,? [0-9a-z{_UPPER}]")
_LAST_NUMBER_GATE = re.compile(r"[^0-9 ] ?[0-9]")
_COMPOUND_ENDS = (
    *_COMPOUND.replace("stra(?:ß|ss)e", "straße|strasse").replace("\\", "").split("|"),
    "ring",
    "markt",
    "linden",
)
_FRENCH_GATE = tuple(
    "rue |venue |v. |oulevard |d. |d |place |ll[ée]e |mpasse |hemin |quai |oute ".split("|")
)
_ROMANCE_GATE = tuple(_ROMANCE_KIND.replace("\\", "").replace("?", "").split("|"))
_POLISH_GATE = ("ul.", "al.", "pl.", "os.", "lica", "leja", "lac", "siedle")
_NEEDS_END = frozenset("court ct drive dr terrace ter gardens alley".split())


def find_addresses(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and canonical form (lower case, punctuation gone) of each address."""
    for start, end in _spans(text):
        yield start, end, re.sub(r"[\W_]+", " ", text[start:end].casefold()).strip()


def _spans(text: str) -> Iterator[tuple[int, int]]:
    if _ENGLISH_GATE.search(text):
        yield from _english(text)
        for match in _FRENCH.finditer(text):
            yield match.span()
    if any(_ends_in_kind(text, match.start() + 1) for match in _LAST_NUMBER_GATE.finditer(text)):
        yield from _german(text)
    if any(kind in text for kind in _ROMANCE_GATE):
        yield from _uncounted(_ROMANCE, text)
    if any(kind in text for kind in _POLISH_GATE):
        yield from _uncounted(_POLISH, text)
    for match in _BOX.finditer(text):
        yield match.span()


def _english(text: str) -> Iterator[tuple[int, int]]:
    for match in _ENGLISH.finditer(text):
        sure = (match["sure"] or "").lower()
        ends = match["tail"] or not re.match(rf" [{_UPPER}]", text[match.end() : match.end() + 2])
        if _are_names(match["names"]) or (sure and match["names"] == "The"):
            if ends or (sure and sure not in _NEEDS_END):
                yield match.span()
    for match in _TAILED.finditer(text):
        if _are_names(match["names"]):
            yield match.span()
    for match in _LED.finditer(text):
        if _are_names(match["names"]):
            yield match.span("address")


def _are_names(words: str) -> bool:
    """A single capital is a street's letter, except I."""
    return not any(
        word.lower() in _NOT_NAMES and (len(word) > 1 or word == "I") for word in words.split()
    )


def _ends_in_kind(text: str, end: int) -> bool:
    return text[max(0, end - 12) : end].lower().endswith(_COMPOUND_ENDS)


def _german(text: str) -> Iterator[tuple[int, int]]:
    for match in _GERMAN.finditer(text):
        if not (match["one"] and _NO_STREETS.search(match["one"])):
            if _COUNTED.match(text, match.end()) is None:
                yield match.span()


def _uncounted(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(text):
        if _COUNTED.match(text, match.end()) is None:
            yield match.span()
