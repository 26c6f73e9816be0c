"""EIP-712 typed structured data: encoding and digest, and the types of a mint request.

Values are strict, since libraries for Ethereum are not: uint256 is decimal text without leading
zeros, bytes32 is 0x and 64 lower-case hexadecimal digits, an address carries its EIP-55 checksum or
is all lower case, a struct holds exactly its fields. Anything else raises TypedDataError.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hokusai_assets.errors import IdentityError, TypedDataError
from hokusai_assets.identity import check_wallet_address

Types = Mapping[str, Sequence[Mapping[str, str]]]

DOMAIN_NAME, DOMAIN_VERSION = "HokusaiDeltaVerifier", "1"
PRIMARY_TYPE = "MintRequest"


def _fields(text: str) -> list[dict[str, str]]:
    pairs = (part.split(" ") for part in text.split(","))
    return [{"name": name, "type": kind} for kind, name in pairs]


TYPES: dict[str, list[dict[str, str]]] = {
    "EIP712Domain": _fields(
        "string name,string version,uint256 chainId,address verifyingContract",
    ),
    PRIMARY_TYPE: _fields(
        "uint256 modelId,MintRequestPayload payload,Contributor[] contributors",
    ),
    "MintRequestPayload": _fields(
        "string pipelineRunId,uint256 baselineScoreBps,uint256 candidateScoreBps,"
        "uint256 maxCostUsdMicro,uint256 actualCostUsdMicro,uint256 totalSamples,"
        "BenchmarkAnchors anchors,bytes32 baselineCommitment,bytes32 candidateCommitment,"
        "uint256 deadline",
    ),
    "BenchmarkAnchors": _fields(
        "bytes32 benchmarkSpecHash,bytes32 datasetHash,bytes32 attestationHash,"
        "bytes32 idempotencyKey,string metricName,string metricFamily",
    ),
    "Contributor": _fields("address walletAddress,uint256 weight"),
}

_UINT = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_BYTES32 = re.compile(r"0x[0-9a-f]{64}", re.ASCII)


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum has it, which is not SHA3-256."""
    from Crypto.Hash import keccak

    return bytes(keccak.new(digest_bits=256, data=data).digest())


def uint256(value: Any, where: str) -> int:
    """The number in decimal text; raises TypedDataError for integers, booleans, signs and zeros."""
    if not isinstance(value, str) or not _UINT.fullmatch(value) or int(value) >= 2**256:
        raise TypedDataError(
            f"{where} must be a whole number from 0 below 2^256, as decimal text without leading "
            "zeros."
        )
    return int(value)


def bytes32(value: Any, where: str) -> bytes:
    """The 32 bytes in hexadecimal text; shorter text is refused, not padded."""
    if not isinstance(value, str) or not _BYTES32.fullmatch(value):
        raise TypedDataError(f"{where} must be 0x and exactly 64 lower-case hexadecimal digits.")
    return bytes.fromhex(value[2:])


def address(value: Any, where: str) -> bytes:
    """The 20 bytes of an address with its EIP-55 checksum; the zero address is refused."""
    try:
        return bytes.fromhex(check_wallet_address(value if isinstance(value, str) else "")[2:])
    except IdentityError as error:
        raise TypedDataError(f"{where}: {error}") from None


def encode_type(types: Types, name: str) -> str:
    """encodeType: the struct, then the structs it refers to by name (EIP-712, encodeType)."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            inner = (field["type"].removesuffix("[]") for field in types[current])
            waiting += [kind for kind in inner if kind in types]
    ordered = [name, *sorted(found - {name})]
    return "".join(
        f"{struct}({','.join(field['type'] + ' ' + field['name'] for field in types[struct])})"
        for struct in ordered
    )


def hash_struct(types: Types, name: str, value: Any, where: str = "") -> bytes:
    """hashStruct: keccak256(typeHash || encodeData); `where` names the place in errors."""
    place = where or name
    names = [field["name"] for field in types[name]]
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise TypedDataError(f"{place} must hold exactly {', '.join(names)}.")
    data = keccak256(encode_type(types, name).encode())
    for field in types[name]:
        data += _encode(types, field["type"], value[field["name"]], f"{place}.{field['name']}")
    return keccak256(data)


def domain_separator(types: Types, domain: Any) -> bytes:
    """The hash that binds a signature to one contract on one chain."""
    return hash_struct(types, "EIP712Domain", domain, "domain")


def signing_digest(types: Types, primary_type: str, domain: Any, message: Any) -> bytes:
    """What is signed: keccak256(0x19 0x01 || domainSeparator || hashStruct(message))."""
    return keccak256(
        b"\x19\x01"
        + domain_separator(types, domain)
        + hash_struct(types, primary_type, message, "message")
    )


def _encode(types: Types, kind: str, value: Any, where: str) -> bytes:
    if kind.endswith("[]"):
        if not isinstance(value, list | tuple):
            raise TypedDataError(f"{where} must be a list.")
        item = kind.removesuffix("[]")
        return keccak256(
            b"".join(_encode(types, item, v, f"{where}[{i}]") for i, v in enumerate(value))
        )
    if kind in types:
        return hash_struct(types, kind, value, where)
    if kind == "uint256":
        return uint256(value, where).to_bytes(32, "big")
    if kind == "bytes32":
        return bytes32(value, where)
    if kind == "address":
        return address(value, where).rjust(32, b"\x00")
    if kind == "string":
        if not isinstance(value, str):
            raise TypedDataError(f"{where} must be text.")
        try:
            return keccak256(value.encode())
        except UnicodeEncodeError:
            raise TypedDataError(f"{where} holds half a surrogate pair, which is no text.") from (
                None
            )
    raise TypedDataError(f"{where} is of type {kind}, which no mint request has.")
