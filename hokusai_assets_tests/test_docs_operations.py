"""The page on keys is true: its commands run, its policy is one, its variables are read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from hokusai_assets.attestation.signing.checking import check_signatures
from hokusai_assets.attestation.signing.keys import parse_public_key, read_public_key
from hokusai_assets.attestation.signing.policy import parse_policy, policy_of
from hokusai_assets.attestation.signing.signing import read_public_folder
from hokusai_assets.defs.resources.signer import SignerResource
from hokusai_assets_tests.attestation.public_folder import write_bundle

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_commands_run_one_after_the_other(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle", models=True)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("sh"))],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    key = read_public_key(tmp_path / "keys" / "signing_key.pub.pem")
    assert f"{key.keyid}  -\n" in done.stdout, "openssl computes another id"
    assert f"Signed by {key.keyid}\n" in done.stdout
    assert "Models signed by " in done.stdout
    assert "Verification succeeded" in done.stdout + done.stderr, "of the model"
    assert check_signatures(read_public_folder(str(bundle)), policy_of([key])).satisfied


def test_the_policy_is_one() -> None:
    (text,) = blocks("toml")
    pem = re.findall(r"-----BEGIN.*?-----END PUBLIC KEY-----\n", text, re.DOTALL)[0]
    first = parse_public_key(pem.encode(), "page")
    by_id = re.findall(r'keyid = "(\w+)"', text)[0]
    other = parse_public_key(OTHER, "test")
    assert by_id == other.keyid
    policy = parse_policy(text, "page", json_text=False, keys=[other])
    assert policy.threshold == 2
    assert [named.key for named in policy.keys] == [first, other]
    assert len(policy.revoked) == 1


OTHER = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=
-----END PUBLIC KEY-----
"""


def test_the_resource_is_configured_as_shown() -> None:
    (text,) = blocks("yaml")
    config = yaml.safe_load(text)["resources"]["signer"]["config"]
    assert set(config) <= set(SignerResource.model_fields)
    assert "key_file" in SignerResource.model_fields
    assert config["backend"] == "key"
