"""The shapes of street addresses and post-office boxes, by the way languages write them.

Three orders: number, name, kind (English); number, kind, name (French); name and kind in either
order before the number (German, Dutch, Nordic, Spanish, Portuguese, Italian, Polish). Which of the
matches are addresses is street_addresses.py's to judge, which compiles them too: it is loaded when
a text first asks for it. Every repetition is bounded: cells come from strangers, and a scan to the
end from each digit would take quadratic time.
"""

from __future__ import annotations

# Ranges and not \w: the engine's dialect knows another \w, and the prefilter shares these.
UPPER = "A-ZÀ-ÖØ-ÞĀ-Ž"
LETTER = "A-Za-zÀ-ÖØ-öø-ž\u0300-\u036f"
_BEFORE = r"(?<![0-9A-Za-z_])(?<![0-9$€£][.,/-])(?<![$€£#+])"
_BEFORE_NAME = rf"(?<![{LETTER}0-9_])"
_AFTER = rf"(?![{LETTER}0-9_])"

# English kinds of street: "sure" ones are little else after a number and a name; of these, some
# may stand in lower case.
_SURE = (
    "(?i:street|avenue|ave|boulevard|blvd|road|rd|lane|ln|highway|hwy|parkway|pkwy|st)"
    "|Str|Av|Drive|Dr|Expressway|Crescent|Cres|Terrace|Ter|Alley|Mews|Gardens|Gdns|Court|Ct"
    "|DRIVE|DR|EXPRESSWAY|CRESCENT|CRES|TERRACE|TER|ALLEY|MEWS|GARDENS|GDNS|COURT|CT|AV|STR"
)
_ORDINARY = (
    "Place|Pl|Square|Sq|Way|Circle|Cir|Close|Grove|Row|Trail|Trl|Loop|Plaza|Plz|Walk|Hill|View|"
    "Rise|Path|Pike|Turnpike|Crossing|Bend|Cove|Point|Ridge|Run|Park|Gate|Wharf|Quay|Broadway"
)
_WORD = rf"(?:[{UPPER}][{LETTER}'.-]{{0,24}}|[0-9]{{1,3}}(?:st|nd|rd|th|ST|ND|RD|TH))"
_WORDS = rf"{_WORD}(?: {_WORD})"
_NUMBER = r"[0-9]{1,6}(?:[A-Za-z]|[-/][0-9]{1,5}[A-Za-z]?)?(?: 1/2)?"
_UNIT = r"(?i:apartment|apt|suite|ste|unit|flat|room|floor)\.? ?#?[0-9]{0,5}[A-Za-z]?|#[0-9]{1,5}"
_NUMBERED_UNIT = r"(?i:apartment|apt|suite|ste|unit)\.? #?[0-9]{1,5}[A-Za-z]?"
_ZIP = rf"{_WORDS}{{0,3}},? [A-Z]{{2}},? [0-9]{{5}}(?:-[0-9]{{4}})?"
_POSTCODE = rf"(?:{_WORDS}{{0,3}},? )?[A-Z]{{1,2}}[0-9][0-9A-Z]? [0-9][A-Z]{{2}}"
_TAIL = rf"(?:,? (?:{_UNIT}){_AFTER})?(?:(?:, ?|\n| )(?:{_ZIP}|{_POSTCODE}){_AFTER})?"
ENGLISH = (
    rf"{_BEFORE}(?:(?:Flat|Unit|Apartment|Apt|Studio)[.]? [0-9]{{1,4}}[A-Za-z]?,? )?{_NUMBER},? "
    rf"(?P<names>{_WORDS}{{0,4}}?) "
    rf"(?:(?P<sure>{_SURE})|{_ORDINARY}|{_ORDINARY.upper()}){_AFTER}"
    rf"(?:\.(?=[ ,]))?(?: (?:NE|NW|SE|SW|North|South|East|West|[NSEW]){_AFTER})?(?P<tail>{_TAIL})"
)
# Without a known kind of street, a unit's number or a postal code says that it is one.
TAILED = (
    rf"{_BEFORE}{_NUMBER},? (?P<names>{_WORDS}{{0,4}}?)"
    rf"(?:,? {_NUMBERED_UNIT}{_AFTER}(?:(?:, ?|\n){_ZIP}{_AFTER})?|(?:,|\n|,\n) ?{_ZIP}{_AFTER})"
)
# In lower case the words before must say that somebody lives there.
_PLAIN_KIND = "(?:street|avenue|ave|boulevard|blvd|road|rd|lane|ln|drive|court|st)"
LOWER_CASE = (
    rf"{_BEFORE}{_NUMBER} (?P<names>[a-z]{{3,20}}(?: [a-z]{{3,20}})?) {_PLAIN_KIND}{_AFTER}"
)

_FRENCH_PARTICLES = r"(?:(?:de|du|des|la|le|les|aux?) |[dlDL]'){0,3}"
_NAME = rf"[{UPPER}][{LETTER}'.-]{{1,24}}"
_CITY = rf"(?:,? (?:[A-Z]{{1,2}}-)?[0-9]{{4,5}}(?:-[0-9]{{3}}| [A-Z]{{2}})? {_NAME})?"
_FRENCH_KIND = (
    "(?:[Rr]ue|[Aa]venue|[Aa]v[.]|[Bb]oulevard|[Bb]d[.]?|place|[Aa]ll[ée]e|[Ii]mpasse|[Cc]hemin|"
    "quai|[Rr]oute|square|passage|faubourg)"
)
FRENCH = (
    rf"{_BEFORE}[0-9]{{1,4}}(?: ?(?:bis|ter|quater|[A-D]))?,? {_FRENCH_KIND} "
    rf"{_FRENCH_PARTICLES}{_NAME}(?: (?:(?:de|du|des|la|et) )?{_NAME}){{0,3}}{_AFTER}{_CITY}"
)

_HOUSE = r"[0-9]{1,5}(?:(?:[-/]| - )[0-9]{1,4})?(?: ?[a-zA-Z])?" + _AFTER + "(?![.,:][0-9])"
_COMPOUND = (
    "stra(?:ß|ss)e|str[.]|weg|platz|gasse|allee|damm|ufer|chaussee|-ring|straat|laan|plein|gracht|"
    "kade|singel|dreef|steeg|dijk|hof|gatan|vägen|gränd|stigen|torget|katu|kuja|veien|vegen|gade"
)
_GERMAN_FIRST = (
    rf"(?:[{UPPER}][{LETTER}]{{2,20}}er|Alte[rs]?|Neue[rs]?|Am|Im|Zum|Zur|An der|Auf der)"
)
_GERMAN = (
    rf"(?:(?P<compound>[{UPPER}][{LETTER}'.-]{{1,40}}?(?i:{_COMPOUND}))"
    rf"|{_GERMAN_FIRST} (?i:stra(?:ß|ss)e|str[.]|weg|platz|allee|ring|damm|gasse|ufer|markt)"
    rf"|Unter den Linden) ?{_HOUSE}{_CITY}"
)
_ROMANCE_KIND = (
    "Calle|C/|Vial|Pasadizo|Cañada|Avenida|Avda[.]?|Av[.]|Plaza|Paseo|Carretera|Camino|Ronda|Travesía|Callejón|Cuesta|"
    "Glorieta|Rambla|Urbanización|Pasaje|Rua|Travessa|Praça|Alameda|Rodovia|Estrada|Largo|Ladeira|"
    "Vía|Viale|Via|Piazzale|Piazza|Corso|Vicolo|Strada|Borgo|Contrada|Rotonda|Canale|Incrocio|"
    "Stretto|V[.]le|P[.]zza"
)
_ROMANCE_NAME = (
    r"(?:(?:de|del|dei|della|delle|degli|da|do|das|dos|di|la|las|los|el|e|y|[0-9]{1,2}) |[dDlL]')"
    rf"{{0,3}}{_NAME}"
)
_ROMANCE = (
    rf"(?:{_ROMANCE_KIND}) ?{_ROMANCE_NAME}(?: {_ROMANCE_NAME}){{0,3}}"
    rf",? (?:(?:n[.o°]{{0,3}}|núm[.]?|número) ?)?{_HOUSE}"
    rf"(?:,? (?:Piso|Piano|Puerta|Apt[.]|Appartamento|Interno|Esc[.]) ?[0-9]{{1,4}})?{_CITY}"
)
_POLISH_KIND = "(?:ul[.]|al[.]|pl[.]|os[.]|[Uu]lica|[Aa]leja|[Pp]lac|[Oo]siedle)"
_POLISH = (
    rf"(?<!et ){_POLISH_KIND} ?(?:[0-9]{{1,2}} )?{_NAME}(?: {_NAME}){{0,3}} "
    rf"[0-9]{{1,4}}[a-zA-Z]?(?:/[0-9]{{1,4}}[a-z]?)?{_AFTER}(?: m[.] ?[0-9]{{1,4}})?"
    rf"(?:,? [0-9]{{2}}-[0-9]{{3}} {_NAME})?"
)
NUMBER_LAST = rf"{_BEFORE_NAME}(?:{_GERMAN}|{_ROMANCE}|{_POLISH})"

_BOX_KIND = (
    "p[.]? ?o[.]? ?box|post office box|postfach|postbus|apartado(?: de correos| postal)?|"
    "casella postale|caixa postal|bo[iî]te postale|skrytka pocztowa"
)
BOX = (
    rf"{_BEFORE_NAME}(?i:{_BOX_KIND})[ :]{{0,2}}(?i:no[.]? ?|#)?[0-9]{{1,7}}"
    rf"(?: [0-9]{{2,3}}){{0,2}}{_AFTER}"
)

# For the engine (pii_detectors.PREFILTER): the same without bounds, which cost it states.
_CAPITALS = rf"[0-9][^ \n]*(?: [0-9{UPPER}][^ \n]*)+?"
PREFILTER = "|".join(
    (
        rf"{_CAPITALS} (?:{_SURE}|{_ORDINARY}|{_ORDINARY.upper()})",
        rf"{_CAPITALS},? (?i:apartment|apt|suite|ste|unit)",
        rf"{_CAPITALS}[, \n]+[A-Z]{{2}},? [0-9]{{5}}",
        rf"[0-9][^ \n]*\n {{0,1}}[{UPPER}]",
        rf"{_CAPITALS}\n ?[{UPPER}0-9][^\n]* [A-Z]{{2}},? [0-9]{{5}}",
        rf"[0-9][^ ]* [a-z ]+ {_PLAIN_KIND}",
        rf"[0-9][^ ]*(?: [^ ]+)? {_FRENCH_KIND} ",
        rf"(?i:{_COMPOUND}|[ -]ring|markt|linden) ?[0-9]",
        rf"(?:{_ROMANCE_KIND}) ?[^ ].*? [0-9]",
        rf"{_POLISH_KIND} ?[0-9{UPPER}].*? [0-9]",
        rf"(?i:{_BOX_KIND})[ :]{{0,2}}(?i:no[.]? ?|#)?[0-9]",
    )
)
