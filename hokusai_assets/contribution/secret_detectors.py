"""Detectors of secrets and wallets in folded text: what opens an account, not who somebody is.

Each yields start, end and canonical form of what it finds, as pii_detectors.py joins them. Formats
are those that the issuers publish; a JSON Web Token's header is decoded and a Bitcoin address's
checksum verified.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator

Spans = Iterator[tuple[int, int, str]]

_BEFORE = r"(?<![0-9A-Za-z_])"
_AFTER = r"(?![0-9A-Za-z_])"

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://([^\s/@:]*:[^\s/]+)@(?=[^\s/@])")


def find_url_credentials(text: str) -> Spans:
    for match in _URL.finditer(text):
        yield match.start(1), match.end(1), match[1]


_ETHEREUM = re.compile(rf"{_BEFORE}0[xX][0-9A-Fa-f]{{40}}{_AFTER}")
_BITCOIN = re.compile(
    rf"{_BEFORE}(?:(?:bc1|BC1)[0-9A-Za-z]{{11,87}}|[13][0-9A-Za-z]{{25,34}}){_AFTER}"
)


def find_wallets(text: str) -> Spans:
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


def find_api_keys(text: str) -> Spans:
    for match in _API_KEY.finditer(text):
        # English words joined by hyphens can follow "sk-"; keys hold digits.
        if re.search("[0-9]", match[0]):
            yield match.start(), match.end(), match[0]


def find_jwts(text: str) -> Spans:
    for match in _JWT.finditer(text):
        try:
            header = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
        except (ValueError, binascii.Error, RecursionError):
            continue
        if isinstance(header, dict) and "alg" in header:
            yield match.start(), match.end(), match[0]


def find_private_keys(text: str) -> Spans:
    for match in _PRIVATE_KEY.finditer(text):
        yield match.start(), match.end(), match[0]
