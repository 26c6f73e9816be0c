"""One entry of the chain, its bytes and its hash.

An entry is the canonical JSON (RFC 8785) of {sequence, previous, kind, body}; its hash is the
SHA-256 of these bytes, and `previous` is the hash of the entry before it (null in the first). So
one hash names everything up to it. No entry holds a time: when something was written is for a
published checkpoint to tell.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hokusai_assets.attestation.canonical import read_record
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError, LedgerBrokenError

Kind = Literal["plan", "decision", "mint", "retire"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MEMBERS = {"sequence", "previous", "kind", "body"}


@dataclass(frozen=True)
class Entry:
    """A link of the chain; sequences begin with 1."""

    sequence: int
    previous: str | None
    kind: Kind
    body: Mapping[str, Any]

    @functools.cached_property
    def content(self) -> bytes:
        """The bytes that are hashed."""
        return canonical_json(
            {
                "sequence": self.sequence,
                "previous": self.previous,
                "kind": self.kind,
                "body": self.body,
            }
        )

    @functools.cached_property
    def hash(self) -> str:
        """The SHA-256 of the content, as hex."""
        return hashlib.sha256(self.content).hexdigest()


def read_entry(content: bytes, sequence: int) -> Entry:
    """The entry in `content`, stored as the `sequence`-th.

    Raises LedgerBrokenError unless these bytes are an entry's canonical form.
    """
    try:
        found = read_record(content, f"Entry {sequence} of the ledger")
    except AttestationError:
        raise _broken(sequence, "is not canonical JSON") from None
    if set(found) != _MEMBERS or found["kind"] not in KINDS:
        raise _broken(sequence, "does not have the members of an entry")
    well_typed = (
        type(found["sequence"]) is int
        and isinstance(found["body"], dict)
        and isinstance(found["previous"], str | None)
    )
    if not well_typed:
        raise _broken(sequence, "has members of another type than an entry's")
    return Entry(found["sequence"], found["previous"], found["kind"], found["body"])


def _broken(sequence: int, what: str) -> LedgerBrokenError:
    return LedgerBrokenError(
        f"Entry {sequence} of the ledger {what}: it was changed after it was written. Restore the "
        "ledger from a backup."
    )
