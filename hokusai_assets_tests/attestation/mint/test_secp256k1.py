"""Recovery of signers: against eth-account, against a published key, and against second forms."""

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.attestation.mint.secp256k1 import G, N, P, _times, recover_address
from hokusai_assets.errors import SignatureError

DIGEST = bytes(range(32))
# EIP-712's own example: its signer's key is keccak256("cow"), and this signature of its message.
MAIL_DIGEST = bytes.fromhex("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
MAIL_SIGNATURE = bytes.fromhex(
    "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
    "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
    "1c"
)


def signed(key: int, digest: bytes = DIGEST) -> bytes:
    return bytes(Account.unsafe_sign_hash(digest, key.to_bytes(32, "big")).signature)


def test_the_signer_of_the_standards_example() -> None:
    assert recover_address(MAIL_DIGEST, MAIL_SIGNATURE, "x") == (
        "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
    )


def test_the_curve_is_the_right_one() -> None:
    assert (G[1] ** 2 - G[0] ** 3 - 7) % P == 0
    assert _times(N, G) is None
    assert _times(N + 1, G) == G


@settings(max_examples=25, deadline=None)
@given(st.integers(1, N - 1), st.binary(min_size=32, max_size=32))
def test_any_signature_recovers_to_its_key(key: int, digest: bytes) -> None:
    expected = Account.from_key(key.to_bytes(32, "big")).address
    assert recover_address(digest, signed(key, digest), "x") == expected


def parts(signature: bytes) -> tuple[int, int, int]:
    return (
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
        signature[64],
    )


def joined(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def test_the_other_form_of_a_signature_is_refused() -> None:
    """(r, N - s) with the other v signs the same, so it would count as a second signature."""
    r, s, v = parts(signed(7))
    with pytest.raises(SignatureError, match="lower half"):
        recover_address(DIGEST, joined(r, N - s, 55 - v), "x")


@pytest.mark.parametrize("v", [0, 1, 2, 26, 29, 30, 37, 255])
def test_only_27_and_28_are_taken(v: int) -> None:
    r, s, _ = parts(signed(7))
    with pytest.raises(SignatureError, match="27 or 28"):
        recover_address(DIGEST, joined(r, s, v), "x")


def test_numbers_out_of_range_are_refused() -> None:
    r, s, v = parts(signed(7))
    not_on_curve = next(x for x in range(2, 99) if pow((x**3 + 7) % P, (P - 1) // 2, P) == P - 1)
    for signature, said in (
        (joined(0, s, v), "r is out"),
        (joined(N, s, v), "r is out"),
        (joined(r, 0, v), "lower half"),
        (joined(r, N, v), "lower half"),
        (joined(not_on_curve, s, v), "no coordinate"),
        (signed(7)[:-1], "65 bytes"),
        (signed(7) + b"\x00", "65 bytes"),
        (b"", "65 bytes"),
    ):
        with pytest.raises(SignatureError, match=said):
            recover_address(DIGEST, signature, "x")


def test_a_signature_that_no_key_made_is_refused() -> None:
    """With R = G and e = s the two parts cancel: the key would be the point at infinity."""
    s = 12345
    signature = joined(G[0], s, 27 + G[1] % 2)
    with pytest.raises(SignatureError, match="no key"):
        recover_address(s.to_bytes(32, "big"), signature, "x")


def test_another_digest_recovers_to_somebody_else() -> None:
    mine = Account.from_key((7).to_bytes(32, "big")).address
    assert recover_address(DIGEST, signed(7), "x") == mine
    assert recover_address(bytes(32), signed(7), "x") != mine
