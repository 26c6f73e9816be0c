"""The encoder against the standard's own example, against eth-account, and against lax values."""

from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.attestation.mint import eip712
from hokusai_assets.attestation.mint.signing import _with_integers
from hokusai_assets.errors import TypedDataError
from hokusai_assets.identity import checksum_address
from hokusai_assets_tests.attestation.mint.conftest import request_of

# The example of EIP-712 and the values that its test contract computes.
MAIL_TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
    "Mail": [
        {"name": "from", "type": "Person"},
        {"name": "to", "type": "Person"},
        {"name": "contents", "type": "string"},
    ],
}
MAIL_DOMAIN = {
    "name": "Ether Mail",
    "version": "1",
    "chainId": "1",
    "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
}
MAIL = {
    "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
    "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
    "contents": "Hello, Bob!",
}


def test_the_example_of_the_standard() -> None:
    encoded = "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    assert eip712.encode_type(MAIL_TYPES, "Mail") == encoded
    assert eip712.keccak256(encoded.encode()).hex() == (
        "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2"
    )
    assert eip712.hash_struct(MAIL_TYPES, "Mail", MAIL).hex() == (
        "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    )
    assert eip712.domain_separator(MAIL_TYPES, MAIL_DOMAIN).hex() == (
        "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    )
    assert eip712.signing_digest(MAIL_TYPES, "Mail", MAIL_DOMAIN, MAIL).hex() == (
        "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    )


def test_keccak_is_not_sha3() -> None:
    assert eip712.keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )


def test_the_types_are_those_of_the_contract() -> None:
    assert eip712.encode_type(eip712.TYPES, "MintRequest") == (
        "MintRequest(uint256 modelId,MintRequestPayload payload,Contributor[] contributors)"
        "BenchmarkAnchors(bytes32 benchmarkSpecHash,bytes32 datasetHash,bytes32 attestationHash,"
        "bytes32 idempotencyKey,string metricName,string metricFamily)"
        "Contributor(address walletAddress,uint256 weight)"
        "MintRequestPayload(string pipelineRunId,uint256 baselineScoreBps,"
        "uint256 candidateScoreBps,uint256 maxCostUsdMicro,uint256 actualCostUsdMicro,"
        "uint256 totalSamples,BenchmarkAnchors anchors,bytes32 baselineCommitment,"
        "bytes32 candidateCommitment,uint256 deadline)"
    )
    assert eip712.encode_type(eip712.TYPES, "EIP712Domain") == (
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    )


def by_eth_account(typed_data: Any) -> bytes:
    signable = encode_typed_data(full_message=_with_integers(typed_data))
    return eip712.keccak256(b"\x19" + signable.version + signable.header + signable.body)


UINT = st.integers(0, 2**256 - 1).map(str)
HASH = st.binary(min_size=32, max_size=32).map(lambda data: "0x" + data.hex())
WALLET = (
    st.binary(min_size=20, max_size=20)
    .filter(any)
    .map(lambda data: checksum_address("0x" + data.hex()))
)
STRATEGIES = {"uint256": UINT, "bytes32": HASH, "address": WALLET, "string": st.text()}


def of_type(kind: str) -> st.SearchStrategy[Any]:
    if kind.endswith("[]"):
        return st.lists(of_type(kind[:-2]), max_size=4)
    if kind in eip712.TYPES:
        fields = {field["name"]: of_type(field["type"]) for field in eip712.TYPES[kind]}
        return st.fixed_dictionaries(fields)
    return STRATEGIES[kind]


@given(of_type("EIP712Domain"), of_type("MintRequest"))
def test_any_message_has_the_digest_that_eth_account_gives(domain: Any, message: Any) -> None:
    typed_data = {
        "types": eip712.TYPES,
        "primaryType": eip712.PRIMARY_TYPE,
        "domain": domain,
        "message": message,
    }
    ours = eip712.signing_digest(eip712.TYPES, eip712.PRIMARY_TYPE, domain, message)
    assert ours == by_eth_account(typed_data)


def test_a_real_request_has_the_digest_that_eth_account_gives() -> None:
    request = request_of()
    assert request.digest == by_eth_account(request.typed_data)


@pytest.mark.parametrize("value", ["0", "1", "7800", str(2**256 - 1)])
def test_numbers_are_decimal_text(value: str) -> None:
    assert eip712.uint256(value, "x") == int(value)


@pytest.mark.parametrize(
    "value",
    [
        *(7800, True, False, None, 1.0, ["1"], b"1"),
        *("", "-1", "+1", "01", "1_000", "1e3", "0x10", " 1", "1\n", "٣"),
        *(str(2**256), "9" * 5_000),
    ],
)
def test_what_is_no_such_text_is_refused(value: Any) -> None:
    with pytest.raises(TypedDataError, match="x must be a whole number"):
        eip712.uint256(value, "x")


@pytest.mark.parametrize(
    "value",
    [
        "0x",
        "0x" + "ab" * 31,
        "0x" + "ab" * 31 + "a",
        "0x" + "ab" * 33,
        "0x" + "ab" * 32 + "\n",
        "ab" * 32,
        "0x" + "AB" * 32,
        "0x" + "gg" * 32,
        b"\x01" * 32,
        1,
        None,
    ],
)
def test_short_long_and_capital_hashes_are_refused(value: Any) -> None:
    with pytest.raises(TypedDataError, match="exactly 64 lower-case"):
        eip712.bytes32(value, "x")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD827", "checksum"),
        ("0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", "checksum"),
        ("0xCD2A3D9F938E13CD947EC05ABC7FE734DF8DD826", "checksum"),
        ("0x" + "0" * 40, "zero address"),
        ("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", "not an Ethereum address"),
        (None, "not an Ethereum address"),
        (int("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", 16), "not an Ethereum address"),
    ],
)
def test_addresses_with_a_wrong_checksum_are_refused(value: Any, said: str) -> None:
    with pytest.raises(TypedDataError, match=said):
        eip712.address(value, "x")


def test_all_lower_case_is_the_same_address() -> None:
    mixed = MAIL["from"]["wallet"]  # type: ignore[index]
    assert eip712.address(mixed, "x") == eip712.address(mixed.lower(), "x")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (MAIL | {"extra": "1"}, "message must hold exactly"),
        ({"from": MAIL["from"], "to": MAIL["to"]}, "message must hold exactly"),
        (MAIL | {"contents": 7}, "message.contents must be text"),
        (MAIL | {"contents": "\ud800"}, "half a surrogate"),
        (MAIL | {"to": ["Bob"]}, "message.to must hold exactly"),
        (MAIL | {"to": {"name": "Bob", "wallet": "0x1"}}, "message.to.wallet"),
    ],
)
def test_a_struct_holds_exactly_its_fields(value: Any, said: str) -> None:
    with pytest.raises(TypedDataError, match=said):
        eip712.signing_digest(MAIL_TYPES, "Mail", MAIL_DOMAIN, value)


def test_lists_and_unknown_types() -> None:
    types = {"A": [{"name": "x", "type": "uint256[]"}], "B": [{"name": "y", "type": "int8"}]}
    with pytest.raises(TypedDataError, match=r"A\.x must be a list"):
        eip712.hash_struct(types, "A", {"x": "12"})
    with pytest.raises(TypedDataError, match=r"A\.x\[1\] must be a whole"):
        eip712.hash_struct(types, "A", {"x": ["1", 2]})
    with pytest.raises(TypedDataError, match="of type int8"):
        eip712.hash_struct(types, "B", {"y": "1"})
