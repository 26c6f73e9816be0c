"""The tree: vectors of Certificate Transparency, the recursive definition, and forged proofs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.attestation.rows.tree import (
    RootBuilder,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)

# The test data of the Certificate Transparency implementation of RFC 6962.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_known_proof() -> None:
    """The audit path of leaf 0 of 8 in the same test data."""
    proof = inclusion_proof([leaf_hash(leaf) for leaf in LEAVES], 0)
    assert [part.hex() for part in proof] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0]).digest() if leaves else hashlib.sha256().digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


CONTENTS = st.lists(st.binary(max_size=5), max_size=40)


@given(CONTENTS)
def test_the_streamed_root_is_the_definitions(leaves: list[bytes]) -> None:
    assert root_of(leaves) == by_definition(leaves)


@given(CONTENTS, st.binary(max_size=3))
def test_a_root_may_be_asked_for_on_the_way(leaves: list[bytes], more: bytes) -> None:
    builder = RootBuilder()
    for leaf in leaves:
        builder.add(leaf)
        builder.root()
    assert builder.root() == by_definition(leaves)
    builder.add(more)
    assert (builder.root(), builder.size) == (by_definition([*leaves, more]), len(leaves) + 1)


@given(CONTENTS.filter(bool), st.data())
def test_every_leaf_is_proven_and_no_other_place_or_size(
    leaves: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    hashes, root = [leaf_hash(leaf) for leaf in leaves], root_of(leaves)
    proof = inclusion_proof(hashes, index)
    assert includes(hashes[index], index, len(leaves), proof, root)
    for other in range(len(leaves) + 1):
        if other != index and (other == len(leaves) or hashes[other] != hashes[index]):
            assert not includes(hashes[index], other, len(leaves), proof, root)
    assert not includes(hashes[index], index, len(leaves), [*proof, root], root)
    assert not includes(hashes[index], index, len(leaves), proof, leaf_hash(b"another"))
    assert not includes(leaf_hash(b"no leaf of these"), index, len(leaves), proof, root)
    if proof:
        cut = data.draw(st.integers(0, len(proof) - 1))
        assert not includes(hashes[index], index, len(leaves), proof[:cut], root)
        changed = list(proof)
        changed[cut] = bytes(32)
        assert not includes(hashes[index], index, len(leaves), changed, root)


def test_a_node_does_not_pass_for_a_leaf() -> None:
    """Without the bytes before leaf and node, a tree of two would be a tree of one."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert root_of([b"a", b"b"]) != root_of([left + right])
    assert not includes(node_hash(left, right), 0, 1, [], root_of([left + right]))


def test_what_is_no_proof_is_no_error() -> None:
    root = root_of(LEAVES)
    leaf = leaf_hash(LEAVES[0])
    proof = inclusion_proof([leaf_hash(x) for x in LEAVES], 0)
    for index, size in ((-1, 8), (8, 8), (0, 0), (0, 1 << 60)):
        assert not includes(leaf, index, size, proof, root)
    assert not includes(b"short", 0, 8, proof, root)
    assert not includes(leaf, 0, 8, [b"short", *proof[1:]], root)
    with pytest.raises(IndexError, match="no leaf 8 among 8"):
        inclusion_proof([leaf] * 8, 8)
