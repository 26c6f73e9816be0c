"""Writing mint files: the ledger first, one mint a core, signatures of several machines."""

import json
from pathlib import Path
from typing import Any

import pytest

from hokusai_assets.attestation.mint.checking import check_mint_file
from hokusai_assets.attestation.mint.signing import EthereumKey
from hokusai_assets.attestation.mint.writing import WrittenRequest, request_mint
from hokusai_assets.errors import LedgerError, MintRefusedError
from hokusai_assets_tests.attestation.mint.conftest import (
    OPTIONS,
    FakeLedger,
    files_of,
    options,
)
from hokusai_assets_tests.attestation.public_folder import RUN_ID, write_bundle

KEYS = [EthereumKey(number.to_bytes(32, "big")) for number in (21, 22)]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle")


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger(files_of())


def mint(bundle: Path, ledger: Any, *keys: EthereumKey, **given: Any) -> WrittenRequest:
    return request_mint(str(bundle), RUN_ID, options(**given), ledger, keys)


def mint_files(bundle: Path) -> list[Path]:
    return sorted((bundle / "public" / "mint").glob("*"))


def test_a_request_is_written_and_holds(bundle: Path, ledger: FakeLedger) -> None:
    written = mint(bundle, ledger, *KEYS)
    (path,) = mint_files(bundle)
    assert str(path) == written.path
    verdict = check_mint_file(path.read_bytes(), path.name, files_of(), RUN_ID)
    assert verdict.problems == ()
    assert tuple(s.signer for s in verdict.signatures) == written.signers
    assert len(written.signers) == 2
    (recorded,) = ledger.minted.values()
    assert recorded.hash == written.ledger_entry
    assert verdict.request is not None
    assert recorded.body["request_sha256"] == verdict.request.identity


def test_the_same_again_writes_nothing_new(bundle: Path, ledger: FakeLedger) -> None:
    first = mint(bundle, ledger)
    assert mint(bundle, ledger) == first
    assert len(mint_files(bundle)) == 1


def test_signers_on_several_machines_add_to_one_another(bundle: Path, ledger: FakeLedger) -> None:
    assert mint(bundle, ledger).signers == ()
    one = mint(bundle, ledger, KEYS[0])
    both = mint(bundle, ledger, KEYS[1])
    assert len(one.signers) == 1
    assert set(one.signers) < set(both.signers)
    assert len(both.signers) == 2
    assert len(mint_files(bundle)) == 3
    assert len(ledger.minted) == 1


def test_signatures_of_another_deadline_are_not_taken_over(
    bundle: Path, ledger: FakeLedger
) -> None:
    mint(bundle, ledger, KEYS[0])
    later = mint(bundle, ledger, KEYS[1], deadline="1999999999")
    assert len(later.signers) == 1
    assert len(ledger.minted) == 1


def test_a_broken_file_beside_is_left_alone(bundle: Path, ledger: FakeLedger) -> None:
    mint(bundle, ledger, KEYS[0])
    (path,) = mint_files(bundle)
    path.write_bytes(path.read_bytes().replace(b'"signatures"', b'"signaturez"'))
    assert len(mint(bundle, ledger, KEYS[1]).signers) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"model_id": "8"},
        {"chain_id": "1"},
        {"verifying_contract": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"},
        {"score_basis": "lower_bound"},
        {"spec_id": "another"},
    ],
)
def test_a_core_is_minted_for_one_thing_only(
    bundle: Path, ledger: FakeLedger, change: dict[str, str]
) -> None:
    """Another model, chain or contract would pay for the same gain again."""
    mint(bundle, ledger)
    with pytest.raises(MintRefusedError, match="another mint request of this core"):
        mint(bundle, ledger, **change)
    assert len(mint_files(bundle)) == 1
    assert set(change) <= set(OPTIONS)


def test_without_the_ledgers_acceptance_nothing_is_written(bundle: Path) -> None:
    other = FakeLedger(files_of(core={"model_id": "other"}))
    with pytest.raises(MintRefusedError, match="no acceptance"):
        mint(bundle, other)
    assert mint_files(bundle) == []
    assert other.minted == {}


def test_a_refused_request_is_not_recorded(bundle: Path, ledger: FakeLedger) -> None:
    with pytest.raises(MintRefusedError, match="model_id is 0"):
        mint(bundle, ledger, model_id="0")
    assert ledger.minted == {}
    assert mint_files(bundle) == []


class AwayLedger(FakeLedger):
    """Answers until it is to write."""

    def record_mint(self, core_digest: str, request_sha256: str) -> str:
        raise LedgerError("the ledger is away")


def test_no_file_exists_that_the_ledger_does_not_know(bundle: Path) -> None:
    with pytest.raises(LedgerError):
        mint(bundle, AwayLedger(files_of()), KEYS[0])
    assert mint_files(bundle) == []


def test_no_private_byte_is_written(bundle: Path, ledger: FakeLedger) -> None:
    canary = EthereumKey(bytes.fromhex("c0ffee" * 10 + "c0ff"))
    mint(bundle, ledger, canary)
    (path,) = mint_files(bundle)
    assert "c0ffee" not in path.read_text()
    assert len(json.loads(path.read_bytes())["signatures"]) == 1
