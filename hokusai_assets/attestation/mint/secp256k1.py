"""Who made an ECDSA signature on secp256k1: recovery, for verifiers without an Ethereum library.

SEC 1 version 2.0, section 4.1.6, on the curve of SEC 2, section 2.4.1. Only public values enter, so
that plain integer arithmetic is fine here; signing is eth-account's.
"""

from hokusai_assets.attestation.mint.eip712 import keccak256
from hokusai_assets.errors import SignatureError
from hokusai_assets.identity import checksum_address

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
SIGNATURE_BYTES = 65

Point = tuple[int, int] | None  # None is the point at infinity


def recover_address(digest: bytes, signature: bytes, where: str) -> str:
    """The EIP-55 address that signed a 32-byte digest; `signature` is r || s || v, 65 bytes.

    Raises SignatureError unless v is 27 or 28 and s is in the lower half of the group order
    (EIP-2): in its other form the same signature would count as a second one.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"{where} must have {SIGNATURE_BYTES} bytes: r, s and v.")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    v = signature[64]
    if v not in (27, 28):
        raise SignatureError(f"{where}: v must be 27 or 28.")
    if not 1 <= s <= N // 2:
        raise SignatureError(f"{where}: s must be in the lower half of the group order (EIP-2).")
    if not 1 <= r < N:
        raise SignatureError(f"{where}: r is out of its range.")
    square = (pow(r, 3, P) + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        raise SignatureError(f"{where}: r is no coordinate of a point of the curve.")
    if y % 2 != v - 27:
        y = P - y
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest, "big")
    key = _add(_times(-e * inverse % N, G), _times(s * inverse % N, (r, y)))
    if key is None:
        raise SignatureError(f"{where}: no key can have made this signature.")
    public = key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big")
    return checksum_address("0x" + keccak256(public)[12:].hex())


def _add(left: Point, right: Point) -> Point:
    if left is None or right is None:
        return right if left is None else left
    (x1, y1), (x2, y2) = left, right
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = 3 * x1 * x1 * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def _times(factor: int, point: Point) -> Point:
    result: Point = None
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result
