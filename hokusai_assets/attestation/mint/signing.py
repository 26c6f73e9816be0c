"""Signatures of a mint request with Ethereum keys, arranged as the contract takes them.

eth-account (extra `mint`) makes them and is imported when one is made; what it computes is compared
with this package's own digest first. Checking them needs no such library.
"""

import itertools
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hokusai_assets.attestation.mint import eip712
from hokusai_assets.attestation.mint.request import MintRequest
from hokusai_assets.attestation.mint.secp256k1 import N, recover_address
from hokusai_assets.attestation.signing.secret_files import read_secret_file, read_secret_variable
from hokusai_assets.errors import KeyFileError, SignatureError, UsageError

MAX_SIGNATURES = 8

_KEY = re.compile(rb"(?:0x)?([0-9a-fA-F]{64})")
_SIGNATURE = re.compile(r"0x[0-9a-f]{130}", re.ASCII)


@dataclass(frozen=True)
class EthereumKey:
    """A private key of 32 bytes, which its repr does not show."""

    secret: bytes = field(repr=False)

    def __reduce__(self) -> str:
        """Refuse pickling, as for every private key."""
        raise TypeError("an Ethereum key is not to be pickled")


@dataclass(frozen=True)
class MintSignature:
    """A signer's EIP-55 address, and r || s || v as 0x and 130 hexadecimal digits."""

    signer: str
    signature: str

    def as_json(self) -> dict[str, str]:
        """The signature as canonical JSON types."""
        return {"signer": self.signer, "signature": self.signature}


def read_ethereum_key(path: str | Path) -> EthereumKey:
    """The key in a file that only its owner can read: 64 hexadecimal digits."""
    return _parse_key(read_secret_file(path), str(path))


def ethereum_key_from_environment(
    name: str, environment: Mapping[str, str] | None = None
) -> EthereumKey:
    """The key that an environment variable holds."""
    return _parse_key(read_secret_variable(name, environment), f"the environment variable {name}")


def sign_request(request: MintRequest, key: EthereumKey) -> MintSignature:
    """The signature of a request; raises UsageError where eth-account is not installed."""
    limit = sys.getrecursionlimit()
    try:
        from eth_account import Account
        from eth_account.messages import encode_typed_data
    except ImportError:
        raise UsageError(
            "Signing a mint request needs eth-account: install hokusai-assets[mint]. Writing and "
            "checking one does not."
        ) from None
    finally:
        # A library under it raises the limit so far that deep JSON would end this process.
        sys.setrecursionlimit(limit)
    signable = encode_typed_data(full_message=_with_integers(request.typed_data))
    encoded = b"\x19" + signable.version + signable.header + signable.body  # EIP-191
    if eip712.keccak256(encoded) != request.digest:
        raise SignatureError(
            "eth-account computes another digest of this request than this package: nothing is "
            "signed. Check the version of eth-account."
        )
    signed = Account.sign_message(signable, key.secret)
    signature = bytes(signed.signature)
    signer = recover_address(request.digest, signature, "the new signature")
    if signer != Account.from_key(key.secret).address:
        raise SignatureError("The new signature recovers to another address than the key's.")
    return MintSignature(signer, "0x" + signature.hex())


def arranged(signatures: Iterable[MintSignature]) -> tuple[MintSignature, ...]:
    """Ascending by signer, each signer once, at most 8; raises UsageError past that."""
    by_signer = {int(s.signer, 16): s for s in signatures}
    if len(by_signer) > MAX_SIGNATURES:
        raise UsageError(
            f"{len(by_signer)} signers: the contract takes at most {MAX_SIGNATURES} signatures."
        )
    return tuple(by_signer[address] for address in sorted(by_signer))


def signature_problems(listed: Any, digest: bytes) -> tuple[tuple[MintSignature, ...], list[str]]:
    """The signatures of a file that hold, and what is wrong with the list, one line each."""
    if not isinstance(listed, list):
        return (), ["signatures must be a list."]
    problems, found = [], []
    for index, entry in enumerate(listed[: MAX_SIGNATURES + 1]):
        where = f"signatures[{index}]"
        if not isinstance(entry, dict) or set(entry) != {"signer", "signature"}:
            problems.append(f"{where} must hold signer and signature, and nothing else.")
            continue
        text = entry["signature"]
        if not isinstance(text, str) or not _SIGNATURE.fullmatch(text):
            problems.append(f"{where}.signature must be 0x and 130 lower-case hexadecimal digits.")
            continue
        try:
            signer = recover_address(digest, bytes.fromhex(text[2:]), f"{where}.signature")
        except SignatureError as error:
            problems.append(str(error))
            continue
        if entry["signer"] != signer:
            problems.append(
                f"{where}: the signature is by {signer}, not by the signer named, or it is of "
                "another request."
            )
            continue
        found.append(MintSignature(signer, text))
    if len(listed) > MAX_SIGNATURES:
        problems.append(f"signatures holds {len(listed)}; the contract takes {MAX_SIGNATURES}.")
    addresses = [int(signature.signer, 16) for signature in found]
    if any(left >= right for left, right in itertools.pairwise(addresses)):
        problems.append("signatures must be ascending by signer, each signer once.")
    return tuple(found), problems


def _with_integers(typed_data: Mapping[str, Any]) -> dict[str, Any]:
    """The typed data with integers and bytes in place of text, so that nothing is left to guess."""

    def convert(kind: str, value: Any) -> Any:
        if kind.endswith("[]"):
            return [convert(kind.removesuffix("[]"), item) for item in value]
        if kind in eip712.TYPES:
            kinds = {f["name"]: f["type"] for f in eip712.TYPES[kind]}
            return {name: convert(kinds[name], item) for name, item in value.items()}
        if kind == "uint256":
            return int(value)
        return bytes.fromhex(value[2:]) if kind == "bytes32" else value

    return {
        "types": typed_data["types"],
        "primaryType": typed_data["primaryType"],
        "domain": convert("EIP712Domain", typed_data["domain"]),
        "message": convert(eip712.PRIMARY_TYPE, typed_data["message"]),
    }


def _parse_key(content: bytes, where: str) -> EthereumKey:
    match = _KEY.fullmatch(content.strip())
    if match is None:
        raise KeyFileError(
            f"{where} does not hold an Ethereum key of 64 hexadecimal digits. An encrypted key "
            "file of a wallet has to be decrypted first."
        )
    secret = bytes.fromhex(match[1].decode())
    if not 1 <= int.from_bytes(secret, "big") < N:
        raise KeyFileError(f"{where} holds a number that is no key of secp256k1.")
    return EthereumKey(secret)
