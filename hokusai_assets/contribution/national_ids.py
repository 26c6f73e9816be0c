"""Detector of national identity numbers in folded text: people's, not companies'.

A number counts when its country's rules hold (checksums and dates by python-stdnum) and either its
writing is distinctive, or a word beside it says what it is: one nine-digit number in ten passes a
one-digit checksum, so a bare one says nothing. US numbers are `us_ssn`'s, in pii_detectors.py.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

_BEFORE = r"(?<![0-9A-Za-z_])"
_AFTER = r"(?![0-9A-Za-z_])"
# A part of a longer number with points or hyphens is no number of its own.
_BEFORE_DIGITS = _BEFORE + r"(?<![0-9][-./])"
_AFTER_DIGITS = _AFTER + r"(?![-./][0-9])"

# Characters of the Italian code that stand for digits, letters where two people would share one.
_IT = "[0-9LMNP-Vlmnp-v]"

# Distinctive writings: the module of python-stdnum that judges them, and the shape. Those that
# begin with a letter and those that begin with a digit are searched in different ways.
_LETTERS_FIRST = {
    "gb.nino": r"[A-Za-z]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[A-Da-d]",
    "es.nie": r"[XYZxyz][ -]?[0-9]{7}[ -]?[A-Za-z]",
    "it.codicefiscale": rf"[A-Za-z]{{3}} ?[A-Za-z]{{3}} ?{_IT}{{2}}[A-Za-z]{_IT}{{2}} ?"
    rf"[A-Za-z]{_IT}{{3}} ?[A-Za-z]",
    "in_.pan": r"[A-Z]{3}P[A-Z][0-9]{4}[A-Z]",  # P: a person; other letters are companies
    "mx.curp": r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]",
}
_DIGITS_FIRST = {
    "es.dni": r"(?:[0-9]{8}|[0-9]{2}\.[0-9]{3}\.[0-9]{3})-?[A-Za-z]",
    "fr.nir": r"[12][ -]?[0-9]{2}[ -]?(?:0[1-9]|1[0-2])[ -]?(?:[0-9]{2}|2[ABab])[ -]?[0-9]{3}"
    r"[ -]?[0-9]{3}[ -]?[0-9]{2}",
    "fi.hetu": r"[0-3][0-9][01][0-9]{3}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Ya-y]",
    "br.cpf": r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
    "ca.sin": r"[0-9]{3}-[0-9]{3}-[0-9]{3}",
    "se.personnummer": r"(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}",
    "be.nn": r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
    "ch.ssn": r"756(?:\.[0-9]{4}\.[0-9]{4}\.|[0-9]{8})[0-9]{2}",
    "kr.rrn": r"[0-9]{6}-[0-9][0-9]{6}",
    "cz.rc": r"[0-9]{6}/[0-9]{4}",
    "cl.rut": r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]",
    "ar.cuit": r"2[0347]-[0-9]{8}-[0-9]",  # these prefixes: people
    "cn.ric": r"[1-9][0-9]{16}[0-9Xx]",
    "th.pin": r"[1-8]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9]",
    "my.nric": r"[0-9]{6}-[0-9]{2}-[0-9]{4}",
    "pk.cnic": r"[0-9]{5}-[0-9]{7}-[0-9]",
    "no.fodselsnummer": r"[0-9]{6} [0-9]{5}",
}


def _digits(least: int, most: int) -> str:
    return rf"[0-9](?:[ ./-]?[0-9]){{{least - 1},{most - 1}}}"


# With a word before it: the words, the modules that may judge, the shape.
_NAMED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("nhs", ("gb.nhs",), _digits(10, 10)),
    (
        r"steuer-?id(?:entifikations(?:nummer|nr))?|steuerliche identifikationsnummer|idnr",
        ("de.idnr",),
        _digits(11, 11),
    ),
    ("pesel", ("pl.pesel",), _digits(11, 11)),
    ("bsn|burgerservicenummer|sofinummer", ("nl.bsn",), _digits(9, 9)),
    ("aadh?aar|aadhar|uidai", ("in_.aadhaar",), _digits(12, 12)),
    ("(?-i:SIN)|social insurance", ("ca.sin",), _digits(9, 9)),
    ("tfn|tax file", ("au.tfn",), _digits(9, 9)),
    ("cpr", ("dk.cpr",), _digits(10, 10)),
    ("personnummer|personnr", ("se.personnummer", "no.fodselsnummer"), _digits(10, 12)),
    ("f[øo]dselsnummer", ("no.fodselsnummer",), _digits(11, 11)),
    ("kennitala", ("is_.kennitala",), _digits(10, 10)),
    ("cpf", ("br.cpf",), _digits(11, 11)),
    ("cnp", ("ro.cnp",), _digits(13, 13)),
    ("egn|егн", ("bg.egn",), _digits(10, 10)),
    ("oib", ("hr.oib",), _digits(11, 11)),
    ("jmbg|em[šs]o", ("si.emso",), _digits(13, 13)),
    ("isikukood|asmens kodas", ("ee.ik", "lt.asmens"), _digits(11, 11)),
    (r"tckn|(?:t\.?c\.? )?kimlik", ("tr.tckimlik",), _digits(11, 11)),
    ("amka|αμκα", ("gr.amka",), _digits(11, 11)),
    ("nif|contribuinte", ("pt.nif",), _digits(9, 9)),
    ("ppsn?", ("ie.pps",), "[0-9]{7}[A-Wa-w][A-Wa-w]?"),
    ("rijksregister|registre national", ("be.nn",), _digits(11, 11)),
    ("nik|ktp", ("id.nik",), _digits(16, 16)),
    ("c[ée]dula", ("ec.ci",), _digits(10, 10)),
    (r"te?udat zehut|israeli|ת\.?[\"״]?ז\.?|תעודת זהות|מספר זהות", ("il.idnr",), _digits(9, 9)),
    ("national id|identity", ("il.idnr", "za.idnr", "tr.tckimlik"), _digits(9, 13)),
)
_FILLER = (
    r"(?:[^0-9A-Za-z]{0,3}(?:numbers?|nummer|num[ée]ro|n[úu]mero|numer|numarası|identity|card|id|"
    r"nr|no|num|is|ist|est|es|to|er|är|on|of)(?![a-z])){0,4}[^0-9A-Za-z]{0,3}"
)


@dataclass(frozen=True)
class _Rule:
    modules: tuple[str, ...]
    pattern: re.Pattern[str]


# Compiled when a text first asks for them: most files hold none of these numbers.
@functools.cache
def _letter_rules() -> list[_Rule]:
    return [
        _Rule((module,), re.compile(shape + _AFTER)) for module, shape in _LETTERS_FIRST.items()
    ]


@functools.cache
def _digit_rules() -> list[_Rule]:
    return [
        _Rule((module,), re.compile(shape + _AFTER_DIGITS))
        for module, shape in _DIGITS_FIRST.items()
    ]


@functools.cache
def _named_rules() -> list[_Rule]:
    return [
        _Rule(modules, re.compile(rf"(?i:{words}){_FILLER}({shape}){_AFTER_DIGITS}", re.IGNORECASE))
        for words, modules, shape in _NAMED
    ]


@functools.cache
def _name() -> re.Pattern[str]:
    names = "|".join(words for words, _, _ in _NAMED)
    return re.compile(f"{_BEFORE}(?:{names})", re.IGNORECASE)


_LETTER_START = re.compile(
    _BEFORE + r"(?:[XYZxyz][ -]?[0-9]|[A-Za-z]{2}[ -]?[0-9]{2}"
    rf"|[A-Za-z]{{3}} ?[A-Za-z]{{3}} ?{_IT}{{2}}[A-Za-z]{_IT}{{2}}|[A-Z]{{4,5}}[0-9]{{4}})"
)
_DIGIT_START = re.compile(
    # Without taking anything, because what one rule's shape covers may hold another's start.
    _BEFORE_DIGITS
    + "(?=[0-9])(?=(?:"
    + "|".join(_DIGITS_FIRST.values())
    + ")"
    + _AFTER_DIGITS
    + ")"
)
# Cheap looks first: enough digits, and for the named ones a piece of a name, in lower case.
_ENOUGH_DIGITS = re.compile(
    r"[0-9](?:[ ./+\-A-Fa-fU-Yu-y]?[0-9]){8}|[0-9]{7}[0-9A-Za-z]|\.[0-9]{3}\.[0-9]{3}-?[0-9A-Za-z]"
)
_NAME_PIECES = tuple(
    "nhs steuer idnr pesel bsn sofi rgerserv aadh uidai sin social tfn tax cpr personn dselsn "
    "kennit cpf cnp egn егн oib jmbg emšo emso isikuk asmens tckn kimlik amka αμκα nif contri pps "
    "rijksr registre nik ktp dula zehut israeli ת מספר national identity".split()
)

# For the engine (pii_detectors.py): SHORT is what has no nine digits in a row, as loosely as it can
# be said: counting digits in the middle of numbers makes an engine remember a great deal of them.
SHORT = "|".join(
    [
        *_LETTERS_FIRST.values(),
        r"[0-9]{7}-?[A-Za-z]",  # es.dni
        r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}-?[A-Za-z]",
        r"[0-9]{4}[+A-FU-Ya-fu-y][0-9]{3}",  # fi.hetu, se.personnummer; with "-" it has nine
        r"[0-9][ -]?2[ABab][ -]?[0-9]{3}",  # fr.nir of Corsica
        r"[0-9]\.[0-9]{3}\.[0-9]{3}-[0-9Kk]",  # cl.rut
    ]
)
_ALL_NAMES = "|".join(words.replace("(?-i:SIN)", "SIN") for words, _, _ in _NAMED)
PREFILTER = "|".join(
    (
        *_LETTERS_FIRST.values(),
        *_DIGITS_FIRST.values(),
        rf"(?i:{_ALL_NAMES})[^0-9]*[0-9](?:[ ./-]?[0-9]){{6}}",
    )
)

# His Majesty's Revenue and Customs, National Insurance Manual NIM39110: what is never issued.
_NO_NINO = re.compile("[DFIQUV]|.[DFIQUVO]|BG|GB|KN|NK|NT|TN|ZZ")
_MARKED = {"fi.hetu", "se.personnummer"}  # the mark between date and number is part of the value


def find_national_ids(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and compact form of each national identity number in folded text."""
    for start in _LETTER_START.finditer(text):
        yield from _first_valid(text, start.start(), _letter_rules())
    if _ENOUGH_DIGITS.search(text) is None:
        return
    for start in _DIGIT_START.finditer(text):
        yield from _first_valid(text, start.start(), _digit_rules())
    # "İ" in lower case is two characters, and "ı" no "i": the rules take both for one.
    lower = text.replace("İ", "i").replace("ı", "i").lower()
    if any(piece in lower for piece in _NAME_PIECES):
        for start in _name().finditer(text):
            yield from _first_valid(text, start.start(), _named_rules())


def _first_valid(text: str, start: int, rules: list[_Rule]) -> Iterator[tuple[int, int, str]]:
    for rule in rules:
        match = rule.pattern.match(text, start)
        if match is None:
            continue
        group = match.re.groups
        for module in rule.modules:
            if _is_valid(module, match[group]):
                compact = re.sub("[^0-9A-Za-z]", "", match[group]).upper()
                yield match.start(group), match.end(group), compact
                return


def _is_valid(module: str, written: str) -> bool:
    compact = re.sub("[^0-9A-Za-z]", "", written).upper()
    if module == "gb.nino":
        return _NO_NINO.match(compact) is None
    judge = importlib.import_module(f"stdnum.{module}")
    return bool(judge.is_valid(written.upper() if module in _MARKED else compact))
