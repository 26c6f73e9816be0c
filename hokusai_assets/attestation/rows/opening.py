"""One row opened: its leaf and the proof that it stands under the core's root, without the others.

An opening shows one row of a benchmark, and the hashes beside it show nothing where the core says
that references hide.
"""

from collections.abc import Iterable
from typing import Any

from hokusai_assets.attestation.rows.leaves import LEAF_VERSION
from hokusai_assets.attestation.rows.reading import parse_leaf
from hokusai_assets.attestation.rows.tree import includes, inclusion_proof, leaf_hash
from hokusai_assets.errors import AttestationError, UsageError

_FIELDS = {"leaf_version", "index", "count", "leaf", "proof"}


def open_row(lines: Iterable[bytes], index: int) -> dict[str, Any]:
    """The opening of leaf `index`, as canonical JSON types; holds 32 bytes a leaf.

    Raises UsageError where there is no such leaf.
    """
    hashes, chosen = [], None
    for position, line in enumerate(lines):
        hashes.append(leaf_hash(line))
        if position == index:
            chosen = line
    if chosen is None:
        raise UsageError(f"There is no row {index}: rows are counted from 0 to {len(hashes) - 1}.")
    return {
        "leaf_version": LEAF_VERSION,
        "index": index,
        "count": len(hashes),
        "leaf": chosen.decode(),
        "proof": [part.hex() for part in inclusion_proof(hashes, index)],
    }


def check_opening(opening: dict[str, Any], rows: dict[str, Any], name: str) -> list[Any]:
    """The leaf of an opening that stands under `rows`, the core's section of that name.

    Raises AttestationError with what is wrong; `name` is what errors call the opening.
    """
    if set(opening) != _FIELDS or opening["leaf_version"] != LEAF_VERSION:
        raise AttestationError(f"{name} is not an opening of version {LEAF_VERSION}.")
    index, leaf, proof = opening["index"], opening["leaf"], opening["proof"]
    well_formed = (
        type(index) is int
        and isinstance(leaf, str)
        and isinstance(proof, list)
        and all(isinstance(part, str) and len(part) == 64 for part in proof)
        and leaf.isascii()
    )
    if not well_formed:
        raise AttestationError(f"{name}: index, leaf or proof are not of their form.")
    if opening["count"] != rows["count"]:
        raise AttestationError(f"{name} is of other rows: its count is not the core's.")
    try:
        hashes = [bytes.fromhex(part) for part in proof]
        root = bytes.fromhex(rows["root"])
    except ValueError:
        raise AttestationError(f"{name}: proof or root are not hexadecimal.") from None
    if not includes(leaf_hash(leaf.encode()), index, rows["count"], hashes, root):
        raise AttestationError(f"{name}: the leaf does not stand at {index} under the core's root.")
    return parse_leaf(leaf.encode(), index, name)
