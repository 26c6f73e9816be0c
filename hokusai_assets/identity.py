"""Who contributed: contributor ids and Ethereum wallet addresses, checked before anything runs.

Neither ever becomes part of a path; digests do.
"""

import re

from hokusai_assets.errors import IdentityError

_CONTRIBUTOR_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,63}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


def check_contributor_id(text: str) -> str:
    """Return `text` if it may name a contributor, else raise IdentityError."""
    if not _CONTRIBUTOR_ID.fullmatch(text):
        raise IdentityError(
            "The contributor id is not acceptable: use 1 to 64 letters, digits, '-', '_' and "
            "single dots, starting with a letter or digit (no '..', no '/')."
        )
    return text


def checksum_address(address: str) -> str:
    """The EIP-55 form of a hexadecimal address of 20 bytes."""
    # Imported here: commands that check no wallet should not pay for it.
    from Crypto.Hash import keccak

    digits = address[2:].lower()
    digest = keccak.new(digest_bits=256, data=digits.encode()).hexdigest()
    return "0x" + "".join(
        d.upper() if int(h, 16) >= 8 else d for d, h in zip(digits, digest, strict=False)
    )


def check_wallet_address(text: str) -> str:
    """Return the EIP-55 form of `text`, else raise IdentityError.

    All lower case carries no checksum and is accepted (EIP-55); anything else must match, which
    refuses a mistyped address before money goes there.
    """
    if not _ADDRESS.fullmatch(text):
        raise IdentityError(
            "The wallet address is not an Ethereum address: it must be 0x and 40 hexadecimal "
            "digits."
        )
    if not text[2:].strip("0"):
        raise IdentityError("The wallet address is the zero address, which nobody can spend from.")
    checksummed = checksum_address(text)
    if text[2:] != text[2:].lower() and text != checksummed:
        raise IdentityError(
            f"The wallet address {text} fails its EIP-55 checksum: a digit or a letter's case is "
            "wrong. Copy it again from the wallet, or write it all in lower case if you are sure."
        )
    return checksummed
