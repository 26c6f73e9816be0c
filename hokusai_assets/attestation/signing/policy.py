"""Whose signatures count: m of n keys, and the check of a folder's signatures against them.

A policy is the verifier's own file, never the bundle's: whoever could put keys into a bundle could
sign it too. Dry runs satisfy no policy, and there is no option that lets them.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hokusai_assets.attestation.canonical import check_depth
from hokusai_assets.attestation.signing.keys import PublicKey, parse_public_key
from hokusai_assets.errors import AttestationError, KeyFileError, PolicyError

MAX_KEYS = 100

_KEYID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FIELDS = {"threshold", "keys", "revoked"}


@dataclass(frozen=True)
class NamedKey:
    """A key of a policy and whose it is, for people."""

    name: str
    key: PublicKey


@dataclass(frozen=True)
class Policy:
    """At least `threshold` of `keys` must have signed; of `revoked` key ids none counts."""

    threshold: int
    keys: tuple[NamedKey, ...]
    revoked: frozenset[str] = frozenset()

    def find(self, keyid: str) -> NamedKey | None:
        """The key of this id, revoked or not; None where the policy does not know it."""
        return next((named for named in self.keys if named.key.keyid == keyid), None)

    def __post_init__(self) -> None:
        """Refuse what nobody, or a single key twice, could meet."""
        ids = [named.key.keyid for named in self.keys]
        twice = sorted({keyid for keyid in ids if ids.count(keyid) > 1})
        if twice:
            raise PolicyError(
                f"The policy names the key {twice[0]} twice, so that one signer would count as "
                "two: remove one."
            )
        usable = len(set(ids) - self.revoked)
        if not 1 <= len(ids) <= MAX_KEYS:
            raise PolicyError(f"The policy names {len(ids)} keys; it must name 1 to {MAX_KEYS}.")
        if type(self.threshold) is not int or not 1 <= self.threshold <= usable:
            raise PolicyError(
                f"The policy's threshold must be a whole number from 1 to {usable}, the number of "
                "its keys that are not revoked."
            )


def policy_of(keys: Sequence[PublicKey]) -> Policy:
    """The policy that every one of these keys, as given on a command line, has signed."""
    distinct = {key.keyid: key for key in keys}
    named = tuple(NamedKey(keyid[:16], key) for keyid, key in distinct.items())
    return Policy(threshold=len(named), keys=named)


def read_policy(path: str | Path, keys: Sequence[PublicKey] = ()) -> Policy:
    """The policy in a JSON or TOML file; `keys` are those it may name by id alone."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PolicyError(f"There is no policy file {path}: check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(
            f"The policy file {path} cannot be read ({type(error).__name__})."
        ) from None
    return parse_policy(text, str(path), json_text=path.suffix == ".json", keys=keys)


def parse_policy(
    text: str, where: str, *, json_text: bool, keys: Sequence[PublicKey] = ()
) -> Policy:
    """The policy in a text; raises PolicyError naming the field that is wrong."""
    try:
        if json_text:
            check_depth(text.encode(), where)  # deeper, the next line might not survive it
            raw = json.loads(text, object_pairs_hook=_no_duplicates)
        else:
            raw = tomllib.loads(text)
    except (AttestationError, ValueError, RecursionError):
        kind = "JSON" if json_text else "TOML"
        raise PolicyError(
            f"The policy {where} is not {kind}, or holds a key twice: check its syntax."
        ) from None
    if not isinstance(raw, dict) or not {"threshold", "keys"} <= set(raw) <= _FIELDS:
        raise PolicyError(
            f"The policy {where} must hold threshold and keys, may hold revoked, and nothing else."
        )
    revoked = raw.get("revoked", [])
    if not isinstance(revoked, list) or not all(
        isinstance(keyid, str) and _KEYID.fullmatch(keyid) for keyid in revoked
    ):
        # A misspelt id would leave the key that it means in force.
        raise PolicyError(f"The policy {where}: revoked must be a list of key ids of 64 digits.")
    if not isinstance(raw["keys"], list):
        raise PolicyError(f"The policy {where}: keys must be a list.")
    given = {key.keyid: key for key in keys}
    named = tuple(
        _named_key(entry, f"{where}: keys[{index}]", given)
        for index, entry in enumerate(raw["keys"])
    )
    try:
        return Policy(raw["threshold"], named, frozenset(revoked))
    except PolicyError as error:
        raise PolicyError(f"{where}: {error}") from None


def _named_key(entry: Any, where: str, given: dict[str, PublicKey]) -> NamedKey:
    if (
        not isinstance(entry, dict)
        or set(entry) not in ({"name", "public_key"}, {"name", "keyid"})
        or not all(isinstance(value, str) for value in entry.values())
        or not entry["name"].strip()
    ):
        raise PolicyError(
            f"The policy {where} must hold a name and either public_key, in PEM, or keyid."
        )
    if "public_key" in entry:
        try:
            return NamedKey(entry["name"], parse_public_key(entry["public_key"].encode(), where))
        except KeyFileError as error:
            raise PolicyError(f"The policy {error}") from None
    key = given.get(entry["keyid"])
    if key is None:
        raise PolicyError(
            f"The policy {where} names a key by its id, and no key of that id is given: give its "
            ".pub.pem file too."
        )
    return NamedKey(entry["name"], key)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
