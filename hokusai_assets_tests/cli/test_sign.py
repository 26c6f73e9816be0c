"""`hokusai sign` as people use it."""

import subprocess
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hokusai_assets.attestation.signing.checking import check_signatures
from hokusai_assets.attestation.signing.keys import new_key_pair, read_public_key
from hokusai_assets.attestation.signing.policy import policy_of
from hokusai_assets.attestation.signing.signing import read_public_folder
from hokusai_assets.cli.app import app
from hokusai_assets_tests.attestation.public_folder import write_bundle


def run(*words: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["sign", *map(str, words)], env=env)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return Path(new_key_pair(tmp_path / "keys").private_path)


def public(key: Path) -> Path:
    return key.with_name("signing_key.pub.pem")


def test_a_file_or_a_variable_signs_the_same(bundle: Path, key: Path) -> None:
    first = run(bundle, "--key", key)
    assert first.exit_code == 0, first.output
    written = sorted((bundle / "public" / "signatures").iterdir())
    assert [line for line in first.stdout.splitlines() if line.startswith("/")] == sorted(
        map(str, written), key=first.stdout.index
    )
    again = run(bundle, "--key-env", "SIGNING", env={"SIGNING": key.read_text()})
    assert again.exit_code == 0, again.output
    assert again.stdout.count("there already, and the same") == 3
    assert sorted((bundle / "public" / "signatures").iterdir()) == written
    policy = policy_of([read_public_key(public(key))])
    assert check_signatures(read_public_folder(str(bundle)), policy).satisfied


@pytest.mark.parametrize(
    "words", [[], ["--key", "a", "--key-env", "B"], ["--key", "none.pem"], ["--key-env", "NONE"]]
)
def test_exactly_one_key_that_is_there(bundle: Path, words: list[str]) -> None:
    done = run(bundle, *words)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert not (bundle / "public" / "signatures").exists()


def test_a_dry_run_is_refused_with_3(tmp_path: Path, key: Path) -> None:
    dry = {part: {"dry_run": True} for part in ("core", "plan", "decision")}
    bundle = write_bundle(tmp_path / "dry", **dry)
    done = run(bundle, "--key", key)
    assert done.exit_code == 3
    assert "A dry run is never signed" in done.stderr
    assert not (bundle / "public" / "signatures").exists()


def test_what_is_no_bundle_or_was_changed(tmp_path: Path, bundle: Path, key: Path) -> None:
    assert run(tmp_path / "nowhere", "--key", key).exit_code == 2
    run(bundle, "--key", key)
    (file, *_) = (bundle / "public" / "signatures").iterdir()
    file.write_text("{}")
    done = run(bundle, "--key", key)
    assert done.exit_code == 1
    assert "was changed after it was signed" in done.stderr


def test_the_private_key_stands_in_no_output_and_no_file(
    tmp_path: Path, bundle: Path, key: Path
) -> None:
    secret = key.read_text().splitlines()[1]
    damaged = key.read_text().replace(secret, secret[:-8])
    key.chmod(0o644)
    outputs = [
        run(bundle, "--key", key).output,
        run(bundle, "--key-env", "K", env={"K": damaged}).output,
        run(bundle, "--key-env", key.read_text()).output,
        run(bundle, "--key", key.read_text()).output,
    ]
    key.chmod(0o600)
    outputs.append(run(bundle, "--key", key).output)
    assert "chmod 600" in outputs[0]
    assert "Signed by" in outputs[-1]
    outputs += [p.read_text() for p in bundle.rglob("*") if p.is_file()]
    assert not any(secret[:20] in text for text in outputs)


@pytest.fixture
def model_key(tmp_path: Path) -> Path:
    path = tmp_path / "model_key.pem"
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run([*command, "-out", str(path)], check=True, capture_output=True, timeout=30)
    return path


def signatures(bundle: Path) -> list[str]:
    folder = bundle / "public" / "signatures"
    return sorted(p.name[65:] for p in folder.iterdir()) if folder.exists() else []


MODELS = ["baseline.model.sigstore.json", "candidate.model.sigstore.json"]
OWN = ["dsse.json", "sigstore.json", "test-result.dsse.json"]


def test_models_are_signed_alone_or_with_the_attestation(
    tmp_path: Path, key: Path, model_key: Path
) -> None:
    bundle = write_bundle(tmp_path / "whole", models=True)
    done = run(bundle, "--model-key", model_key)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Models signed by ")
    assert signatures(bundle) == MODELS
    done = run(bundle, "--key", key, "--model-key-env", "M", env={"M": model_key.read_text()})
    assert done.exit_code == 0, done.output
    assert done.stdout.count("there already, and the same") == 2
    assert signatures(bundle) == sorted([*MODELS, *OWN])
    policy = policy_of([read_public_key(public(key))])
    assert check_signatures(read_public_folder(str(bundle)), policy).satisfied


@pytest.mark.parametrize("wrong", ["ed25519", "missing", "both"])
def test_with_a_wrong_model_key_nothing_is_signed(
    tmp_path: Path, key: Path, model_key: Path, wrong: str
) -> None:
    bundle = write_bundle(tmp_path / "whole", models=True)
    words = {
        "ed25519": ["--model-key", key],
        "missing": ["--model-key", tmp_path / "nowhere.pem"],
        "both": ["--model-key", model_key, "--model-key-env", "M"],
    }
    done = run(bundle, "--key", key, *words[wrong], env={"M": model_key.read_text()})
    assert done.exit_code == 2
    assert signatures(bundle) == []


def test_models_that_are_not_there_are_refused_with_3(bundle: Path, model_key: Path) -> None:
    done = run(bundle, "--model-key", model_key)
    assert done.exit_code == 3
    assert "The models are not here" in done.stderr
    assert signatures(bundle) == []
    assert model_key.read_text().splitlines()[1][:20] not in done.output
