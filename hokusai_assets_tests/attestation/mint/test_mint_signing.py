"""Signatures of requests: by whom, in which order, and nothing of a key in any message."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from hokusai_assets.attestation.mint import signing as mint_signing
from hokusai_assets.attestation.mint.secp256k1 import N
from hokusai_assets.attestation.mint.signing import (
    EthereumKey,
    MintSignature,
    _with_integers,
    arranged,
    ethereum_key_from_environment,
    read_ethereum_key,
    sign_request,
    signature_problems,
)
from hokusai_assets.errors import HokusaiError, KeyFileError, SignatureError, UsageError
from hokusai_assets_tests.attestation.mint.conftest import request_of

SECRET = "c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4"  # keccak256("cow")
COW = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"


def key(number: int) -> EthereumKey:
    return EthereumKey(number.to_bytes(32, "big"))


def signatures(count: int) -> list[MintSignature]:
    return [sign_request(request_of(), key(1 + i)) for i in range(count)]


def as_json(listed: Any) -> list[dict[str, str]]:
    return [signature.as_json() for signature in listed]


def test_a_signature_is_eth_accounts_and_names_its_signer() -> None:
    request = request_of()
    made = sign_request(request, EthereumKey(bytes.fromhex(SECRET)))
    assert made.signer == COW
    signable = encode_typed_data(full_message=_with_integers(request.typed_data))
    assert Account.recover_message(signable, signature=made.signature) == COW
    assert made.signature.startswith("0x")
    assert len(made.signature) == 132
    assert made.signature[-2:] in {"1b", "1c"}
    assert made == sign_request(request, EthereumKey(bytes.fromhex(SECRET)))


def test_signatures_are_ascending_by_signer_and_each_once() -> None:
    listed = signatures(8)
    expected = sorted(listed, key=lambda s: bytes.fromhex(s.signer[2:]))
    assert list(arranged(listed[::-1] + listed)) == expected
    assert [s.signer for s in expected] != sorted(s.signer for s in expected), "case must not sort"
    assert signature_problems(as_json(expected), request_of().digest) == (tuple(expected), [])
    with pytest.raises(UsageError, match="at most 8"):
        arranged([*listed, sign_request(request_of(), key(900))])


def test_lists_that_a_contract_would_refuse_are_named() -> None:
    digest = request_of().digest
    listed = as_json(arranged(signatures(9)[:8]))
    first, second, *_ = listed
    one, two = bytes.fromhex(first["signature"][2:]), first["signature"]
    high = N - int.from_bytes(one[32:64], "big")
    other_form = one[:32] + high.to_bytes(32, "big") + bytes([55 - one[64]])
    for value, said in (
        ([second, first], "ascending by signer"),
        ([first, first], "ascending by signer"),
        ([first | {"signer": second["signer"]}], "not by the signer named"),
        ([first | {"signer": first["signer"].lower()}], "not by the signer named"),
        ([first | {"signature": "0x" + other_form.hex()}], "lower half"),
        ([first | {"signature": two[:-2] + "00"}], "v must be 27 or 28"),
        ([first | {"signature": two[:-2]}], "130 lower-case"),
        ([first | {"signature": "0x" + two[2:].upper()}], "130 lower-case"),
        ([first | {"signature": None}], "130 lower-case"),
        ([first | {"extra": 1}], "and nothing else"),
        (["x"], "and nothing else"),
        ({}, "must be a list"),
        (None, "must be a list"),
        ([*listed, *as_json(signatures(9)[8:])], "holds 9; the contract takes 8"),
    ):
        _, problems = signature_problems(value, digest)
        assert any(said in problem for problem in problems), said


def test_a_signature_of_another_request_is_not_the_signers() -> None:
    made = sign_request(request_of(), key(5)).as_json()
    other = request_of(deadline="1999999999")
    found, (problem,) = signature_problems([made], other.digest)
    assert found == ()
    assert "of another request" in problem


def test_keys_are_hexadecimal_and_read_safely(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for text in (SECRET, "0x" + SECRET, f" {SECRET.upper()}\n"):
        path.write_text(text)
        path.chmod(0o600)
        assert read_ethereum_key(path).secret.hex() == SECRET
        assert ethereum_key_from_environment("KEY", {"KEY": text}).secret.hex() == SECRET
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_ethereum_key(path)


def test_no_message_or_repr_holds_the_key() -> None:
    secret = EthereumKey(bytes.fromhex(SECRET))
    told = [repr(secret), str([secret])]
    for text in (SECRET[:-1], SECRET + "0", '{"crypto": "' + SECRET + '"}', "", "g" * 64):
        with pytest.raises(HokusaiError) as caught:
            ethereum_key_from_environment("KEY", {"KEY": text})
        told.append(str(caught.value))
    for attempt in (ethereum_key_from_environment, read_ethereum_key):
        for given in (SECRET, "0x" + SECRET):  # the key itself, where its place belongs
            with pytest.raises(KeyFileError, match="given") as caught:
                attempt(given)
            told.append(str(caught.value))
    for number in (0, N, 2**256 - 1):
        with pytest.raises(KeyFileError, match="no key of secp256k1"):
            ethereum_key_from_environment("KEY", {"KEY": f"{number:064x}"})
    assert not any(SECRET[:16] in text for text in told)
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(secret)


def test_without_eth_account_signing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "eth_account", None)
    with pytest.raises(UsageError, match=r"hokusai-assets\[mint\]"):
        sign_request(request_of(), key(5))


def test_another_digest_by_the_library_stops_the_signing(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(typed_data: Any) -> Any:
        result = _with_integers(typed_data)
        result["message"]["modelId"] = 8
        return result

    monkeypatch.setattr(mint_signing, "_with_integers", changed)
    with pytest.raises(SignatureError, match="computes another digest"):
        sign_request(request_of(), key(5))


def printed(script: str) -> str:
    """What a script prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    return done.stdout


def test_writing_and_checking_import_no_ethereum_library() -> None:
    script = (
        "import sys\n"
        "from hokusai_assets.attestation.mint import checking, writing\n"
        "from hokusai_assets.attestation.signing import checking as signatures\n"
        "heavy = 'dagster mlflow pandas polars duckdb pyarrow scipy.stats sklearn "
        "eth_account sqlalchemy'.split()\n"
        "print(sorted(set(heavy) & set(sys.modules)))\n"
    )
    assert printed(script) == "[]\n"


def test_the_limit_that_bounds_json_is_left_where_it_was() -> None:
    script = (
        "import sys\n"
        "from hokusai_assets_tests.attestation.mint.test_mint_signing import *\n"
        "for name in [n for n in sys.modules if n.startswith(('eth_', 'py_ecc'))]:\n"
        "    del sys.modules[name]\n"
        "sys.setrecursionlimit(777)\n"
        "sign_request(request_of(), key(5))\n"
        "print(sys.getrecursionlimit())\n"
    )
    assert printed(script) == "777\n"
