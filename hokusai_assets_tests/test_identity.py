"""Contributor ids never look like paths; wallets keep their EIP-55 checksum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.errors import IdentityError
from hokusai_assets.identity import check_contributor_id, check_wallet_address, checksum_address

# The examples of EIP-55: all capitals, all lower case, and mixed.
EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("address", EIP_55)
def test_published_addresses(address):
    assert checksum_address(address.lower()) == address
    assert check_wallet_address(address) == address
    assert check_wallet_address(address.lower()) == address


@pytest.mark.parametrize("address", EIP_55[4:])
def test_one_letter_in_the_wrong_case_is_refused(address):
    place = next(i for i, c in enumerate(address[2:], 2) if c.isalpha())
    with pytest.raises(IdentityError, match="EIP-55 checksum"):
        check_wallet_address(address[:place] + address[place].swapcase() + address[place + 1 :])


@pytest.mark.parametrize(
    "address",
    [
        "",
        "0x",
        EIP_55[4][2:],
        EIP_55[4][:-1],
        EIP_55[4] + "0",
        "0X" + EIP_55[4][2:],
        EIP_55[4][:-1] + "g",
        EIP_55[4] + "\n",
        "0x" + "٤" * 40,
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(IdentityError, match="not an Ethereum address"):
        check_wallet_address(address)


@pytest.mark.parametrize("name", ["alice", "a", "0", "A.b-c_d", "x" * 64, "alice.bob.2"])
def test_contributor_ids(name):
    assert check_contributor_id(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a..b",
        "../alice",
        "a/b",
        "a\\b",
        ".hidden",
        "-flag",
        "a b",
        "x" * 65,
        "alice\n",
        "al\0ice",
        "álice",
        "alice@example.com",
    ],
)
def test_ids_that_are_refused(name):
    with pytest.raises(IdentityError) as caught:
        check_contributor_id(name)
    assert caught.value.exit_code == 2
    assert len(name) < 5 or name not in str(caught.value)


@given(st.text())
def test_an_accepted_id_is_one_plain_file_name(name):
    from pathlib import PurePosixPath, PureWindowsPath

    try:
        accepted = check_contributor_id(name)
    except IdentityError:
        return
    for path in (PurePosixPath(accepted), PureWindowsPath(accepted)):
        assert path.parts == (accepted,) and ".." not in accepted


def test_nobody_is_paid_at_the_zero_address():
    with pytest.raises(IdentityError, match="zero address"):
        check_wallet_address("0x" + "0" * 40)
