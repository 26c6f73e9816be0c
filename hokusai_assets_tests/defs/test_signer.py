"""The signer resource in real runs: nobody by default and in dry runs, a key where configured."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hokusai_assets.attestation.signing.checking import check_signatures
from hokusai_assets.attestation.signing.keys import new_key_pair, read_public_key
from hokusai_assets.attestation.signing.policy import policy_of
from hokusai_assets.attestation.signing.signing import read_public_folder
from hokusai_assets.defs.build import default_resources
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.signer import SignerResource
from hokusai_assets_tests.attestation.public_folder import write_bundle
from hokusai_assets_tests.conftest import SmallTask


def run(
    bundle: Path, inputs: dict[str, Any], signer: dict[str, Any], *, dry_run: bool | None = None
) -> dg.ExecuteInProcessResult:
    """A run of one asset that signs a bundle as the attestation would, configured at launch."""
    said = dry_run

    @dg.asset
    def signed(inputs: InputsResource, signer: SignerResource) -> str:
        chosen = inputs.run.dry_run if said is None else said
        done = signer.open(dry_run=chosen).sign(str(bundle))
        return done.keyid if done else ""

    made = default_resources()
    resources = {name: made[name] for name in ("inputs", "signer")}
    config = {"resources": {"inputs": {"config": inputs}, "signer": {"config": signer}}}
    return dg.materialize_to_memory(
        [signed], resources=resources, run_config=config, raise_on_error=False
    )


def messages(result: dg.ExecuteInProcessResult) -> str:
    """Everything that the run's events say."""
    return " ".join(str(event.message) + str(event.event_specific_data) for event in all_of(result))


def all_of(result: dg.ExecuteInProcessResult) -> list[dg.DagsterEvent]:
    return list(result.all_events)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return Path(new_key_pair(tmp_path / "keys").private_path)


def test_by_default_nobody_signs(small: SmallTask, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    result = run(bundle, small.inputs(), {})
    assert result.output_for_node("signed") == ""
    assert not (bundle / "public" / "signatures").exists()


@pytest.mark.parametrize("source", ["key_file", "key_env"])
def test_a_configured_key_signs(
    small: SmallTask, tmp_path: Path, key: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_PEM", key.read_text())
    value = str(key) if source == "key_file" else "SIGNING_PEM"
    bundle = write_bundle(tmp_path / "bundle")
    result = run(bundle, small.inputs(), {"backend": "key", source: value})
    public = read_public_key(key.with_name("signing_key.pub.pem"))
    assert result.output_for_node("signed") == public.keyid
    assert check_signatures(read_public_folder(str(bundle)), policy_of([public])).satisfied
    assert key.read_text().splitlines()[1] not in messages(result)


def test_a_dry_run_is_signed_by_nobody(small: SmallTask, tmp_path: Path) -> None:
    """Not even where the files deny that it was one, and the key is not read."""
    bundle = write_bundle(tmp_path / "bundle")
    inputs = {"mode": "mock", "task": str(small.task)}
    result = run(bundle, inputs, {"backend": "key", "key_file": "no such file"})
    assert result.success
    assert result.output_for_node("signed") == ""
    assert not (bundle / "public" / "signatures").exists()


def test_what_is_called_a_dry_run_is_signed_by_nobody_although_a_key_is_there(
    small: SmallTask, tmp_path: Path, key: Path
) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    signer = {"backend": "key", "key_file": str(key)}
    result = run(bundle, small.inputs(), signer, dry_run=True)
    assert result.output_for_node("signed") == ""
    assert not (bundle / "public" / "signatures").exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"backend": "key"}, "Configure one of"),
        ({"backend": "key", "key_file": "a", "key_env": "B"}, "Configure one of"),
        ({"key_file": "a"}, "backend is none"),
        ({"key_env": "B"}, "backend is none"),
        ({"backend": "key", "key_file": "none.pem"}, "There is no key file"),
        ({"backend": "key", "key_env": "NOT_SET"}, "NOT_SET is not set"),
    ],
)
def test_what_is_wrong_stops_the_run_before_its_first_step(
    small: SmallTask, tmp_path: Path, config: dict[str, str], said: str
) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    result = run(bundle, small.inputs(), config)
    assert not result.success
    assert said in messages(result)
    assert not any(event.is_step_success for event in all_of(result))
    assert not (bundle / "public" / "signatures").exists()
