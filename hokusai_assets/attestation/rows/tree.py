"""The Merkle tree over leaves, and the proof that one leaf stands in it.

RFC 6962, section 2.1 (RFC 9162, section 2.1.1, says the same): a leaf's hash is SHA-256(0x00 ||
data), a node's SHA-256(0x01 || left || right), so that no node passes for a leaf; the left part of
n leaves is the largest power of two below n; no leaf at all is SHA-256 of nothing. Standard library
only.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

EMPTY_ROOT = hashlib.sha256().digest()
MOST_LEAVES = 1 << 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf, 32 bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others, 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class RootBuilder:
    """The root of leaves that come one by one; holds a hash a level, not one a leaf."""

    def __init__(self) -> None:
        self.size = 0
        # Roots of complete subtrees, left to right: one for each bit that is set in `size`.
        self._complete: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Append the leaf with this content."""
        found = hashlib.sha256(b"\x00" + data).digest()
        rest = self.size
        while rest & 1:
            found = hashlib.sha256(b"\x01" + self._complete.pop() + found).digest()
            rest >>= 1
        self._complete.append(found)
        self.size += 1

    def root(self) -> bytes:
        """The root over the leaves so far; more may follow."""
        if not self._complete:
            return EMPTY_ROOT
        found = self._complete[-1]
        for left in reversed(self._complete[:-1]):
            found = node_hash(left, found)
        return found


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over the leaves' contents, 32 bytes."""
    builder = RootBuilder()
    for data in leaves:
        builder.add(data)
    return builder.root()


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from leaf `index` to the root, lowest first.

    `hashes` are the leaves' (RFC 9162, section 2.1.3.1). Raises IndexError where there is no such
    leaf.
    """
    if not 0 <= index < len(hashes):
        raise IndexError(f"there is no leaf {index} among {len(hashes)}")
    proof = []
    level = list(hashes)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            proof.append(level[beside])
        level = list(_paired(level))
        index >>= 1
    return proof


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf with hash `leaf` stands at `index` of the `size` leaves under `root`.

    RFC 9162, section 2.1.3.2, step by step; anything that is not a proof is False.
    """
    if not 0 <= index < size <= MOST_LEAVES or any(len(part) != 32 for part in (leaf, *proof)):
        return False
    fn, sn, found = index, size - 1, leaf
    for beside in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(beside, found)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            found = node_hash(found, beside)
        fn >>= 1
        sn >>= 1
    return sn == 0 and found == root


def _paired(level: Sequence[bytes]) -> Iterator[bytes]:
    """The level above; a last hash without a neighbour goes up as it is."""
    for place in range(0, len(level) - 1, 2):
        yield node_hash(level[place], level[place + 1])
    if len(level) % 2:
        yield level[-1]
