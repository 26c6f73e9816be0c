"""Detectors of secrets and wallets in folded text: what opens an account, not who somebody is.

Each yields start, end and canonical form of what it finds, as pii_detectors.py joins them. Formats
are those that the issuers publish; a JSON Web Token's header is decoded and the checksums of
Bitcoin addresses and their like are verified.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
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
# Base58 with four bytes of checksum: Bitcoin, Litecoin, Dogecoin, Dash and Tron by first letter.
_BASE58 = re.compile(rf"{_BEFORE}[13DLMTX][1-9A-HJ-NP-Za-km-z]{{25,34}}{_AFTER}")
_BECH32 = re.compile(
    rf"{_BEFORE}(?:(?:bc|tb|ltc)1[02-9ac-hj-np-z]{{8,87}}|(?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{{8,87}})"
    rf"{_AFTER}"
)
_BASE58_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32_DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_REMAINDERS = {1, 0x2BC830A3}  # BIP 173, and BIP 350 for later witness versions


def find_wallets(text: str) -> Spans:
    for match in _ETHEREUM.finditer(text):
        yield match.start(), match.end(), match[0].lower()
    for match in _BASE58.finditer(text):
        if _is_base58check(match[0]):
            yield match.start(), match.end(), match[0]
    for match in _BECH32.finditer(text):
        if _is_bech32(match[0].lower()):
            yield match.start(), match.end(), match[0].lower()


def _is_base58check(address: str) -> bool:
    value = 0
    for character in address:
        value = value * 58 + _BASE58_DIGITS.index(character)
    if value >= 1 << 200:
        return False
    decoded = value.to_bytes(25, "big")
    twice = hashlib.sha256(hashlib.sha256(decoded[:21]).digest()).digest()
    return twice[:4] == decoded[21:]


def _is_bech32(address: str) -> bool:
    """The checksum of BIP 173: a remainder of polynomials over the part before the 1 and after."""
    human, _, data = address.rpartition("1")
    codes = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human]
    remainder = 1
    for code in [*codes, *(_BECH32_DIGITS.index(c) for c in data)]:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ code
        for bit, generator in enumerate(_BECH32_GENERATORS):
            if top >> bit & 1:
                remainder ^= generator
    return remainder in _BECH32_REMAINDERS


_API_KEY = re.compile(
    _BEFORE + r"(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36,255}"
    r"|github_pat_[0-9A-Za-z_]{22,255}|glpat-[0-9A-Za-z_-]{20,}|xox[abeoprs]-[0-9A-Za-z-]{10,}"
    r"|AIza[0-9A-Za-z_-]{35}|(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,}"
    r"|sk-(?:[a-z]+-)*[0-9A-Za-z_-]{20,}|SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"
    r"|npm_[0-9A-Za-z]{36}|hf_[0-9A-Za-z]{30,}|shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}"
    r"|dop_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}|rubygems_[0-9a-f]{48}|hvs\.[0-9A-Za-z_-]{24,}"
    r"|pypi-AgEI[0-9A-Za-z_-]{50,}|ya29\.[0-9A-Za-z_-]{20,}|sq0(?:atp|csp)-[0-9A-Za-z_-]{22,}"
    r"|xapp-[0-9]-[0-9A-Za-z-]{10,}|AGE-SECRET-KEY-1[0-9A-Z]{58})" + _AFTER
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


_LONGEST_HEADER = 8_192  # characters; real ones have some hundred


def find_jwts(text: str) -> Spans:
    for match in _JWT.finditer(text):
        if len(match[1]) > _LONGEST_HEADER:
            continue  # and no parser is asked what is nested in it
        try:
            header = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
        except (ValueError, binascii.Error, RecursionError):
            continue
        if isinstance(header, dict) and "alg" in header:
            yield match.start(), match.end(), match[0]


def find_private_keys(text: str) -> Spans:
    for match in _PRIVATE_KEY.finditer(text):
        yield match.start(), match.end(), match[0]
