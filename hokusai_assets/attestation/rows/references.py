"""What leaves call rows and groups, and their salts: keyed hashes, since an id may be an e-mail.

All are HMAC-SHA256 under one secret that holds for one benchmark, each kind with a word of its own
before what is hashed: otherwise the salt of row 7 would be the name of a row whose id is "7", and
opening one would tell the other. Without a configured secret anyone can compute the keyed hashes,
so ids and names of groups, which could then be guessed, do not enter them at all.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

_HIDDEN = b"deltaone/leaf-secret/v1\x00"
_PUBLIC = b"deltaone/leaf-secret/public/v1\x00"
_KEY_ID = b"deltaone/salt-key-id/v1"


@dataclass(frozen=True)
class LeafSecret:
    """The key of a benchmark's leaves; `hides` says whether outsiders can not compute it."""

    key: bytes = field(repr=False)
    hides: bool

    def hasher(self) -> Callable[[bytes], str]:
        """HMAC-SHA256 (RFC 2104) under the key, as hex.

        `hmac.digest` is the same and takes twice as long, of a million rows some seconds.
        """
        block = self.key.ljust(64, b"\0")  # keys here are 32 bytes
        inner = bytes(byte ^ 0x36 for byte in block)
        outer = bytes(byte ^ 0x5C for byte in block)
        sha256 = hashlib.sha256

        def keyed(message: bytes) -> str:
            return sha256(outer + sha256(inner + message).digest()).hexdigest()

        return keyed


def leaf_secret(configured: bytes | None, benchmark_root: str) -> LeafSecret:
    """The key for leaves of the benchmark with this content root (as scored, in hex).

    Derived and not the configured secret itself: opening a retired benchmark shows its salts, and
    these must say nothing of the next one's.
    """
    root = bytes.fromhex(benchmark_root)
    if configured is None:
        return LeafSecret(hashlib.sha256(_PUBLIC + root).digest(), False)
    return LeafSecret(hmac.digest(configured, _HIDDEN + root, "sha256"), True)


def salt_key_id(configured: bytes | None) -> str | None:
    """What names the configured secret without telling it: HMAC-SHA256 of a constant, or None."""
    return None if configured is None else hmac.digest(configured, _KEY_ID, "sha256").hex()


def row_references(
    secret: LeafSecret, row_digests: Sequence[bytes], ids: Sequence[str] | None
) -> Iterator[str]:
    """Each row's row_ref in hex, in leaf order.

    Of the id; of the row digest and how many rows of the same came before, where there is no id
    (None, or empty) or no configured secret.
    """
    keyed = secret.hasher()
    before, repeated = b"", 0
    for position, digest in enumerate(row_digests):
        repeated = repeated + 1 if digest == before else 0
        before = digest
        name = ids[position] if ids is not None and secret.hides else ""
        if name:
            yield keyed(b"row\x00" + _text(name))
        else:
            yield keyed(b"content\x00%s\x00%d" % (digest.hex().encode(), repeated))


def group_references(
    secret: LeafSecret, groups: Sequence[str | None], row_refs: Sequence[str]
) -> Iterator[str]:
    """Each row's group_ref in hex, in leaf order; a row without a group is one of its own.

    Of the group's name; of the groups' order of appearance, where there is no configured secret.
    """
    keyed = secret.hasher()
    seen: dict[str, int] = {}
    for group, row_ref in zip(groups, row_refs, strict=True):
        if group is None:
            yield keyed(b"ungrouped\x00" + row_ref.encode())
        elif secret.hides:
            yield keyed(b"group\x00" + _text(group))
        else:
            yield keyed(b"group\x00%d" % seen.setdefault(group, len(seen)))


def salts(secret: LeafSecret) -> Iterator[str]:
    """The salts of leaves 0, 1 and so on, in hex."""
    keyed = secret.hasher()
    return (keyed(b"salt\x00%d" % index) for index in count())


def _text(text: str) -> bytes:
    return unicodedata.normalize("NFC", text).encode()
