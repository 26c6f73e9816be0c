"""The Sigstore bundle is accepted, offline, by the Sigstore client for JavaScript.

Runs where node is and the packages @sigstore/bundle and @sigstore/verify are: in node_modules of
the project or in the folder that HOKUSAI_TEST_NODE_MODULES names.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hokusai_assets.attestation.signing.keys import PublicKey, SigningKey
from hokusai_assets.attestation.signing.signing import signature_files
from hokusai_assets.digests import canonical_json
from hokusai_assets_tests.attestation.public_folder import public_content

ROOT = Path(__file__).parents[3]
MODULES = Path(os.environ.get("HOKUSAI_TEST_NODE_MODULES") or ROOT / "node_modules")

SCRIPT = """
const { bundleFromJSON, isBundleV01 } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
const [text, keyid, der] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const bundle = bundleFromJSON(JSON.parse(text));
const none = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const keys = { [keyid]: { rawBytes: Buffer.from(der, 'base64') } };
const verifier = new Verifier(toTrustMaterial(none, keys), {
  ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0,
});
const signer = verifier.verify(toSignedEntity(bundle));
if (!signer.key) throw new Error('no key');
console.log(bundle.mediaType);
"""


def verified(content: bytes, key: PublicKey) -> subprocess.CompletedProcess[str]:
    import base64

    node = shutil.which("node")
    if node is None or not (MODULES / "@sigstore" / "verify").is_dir():
        pytest.skip("node with @sigstore/bundle and @sigstore/verify is not installed")
    return subprocess.run(
        [node, "-e", SCRIPT],
        input=json.dumps([content.decode(), key.keyid, base64.b64encode(key.der).decode()]),
        env={**os.environ, "NODE_PATH": str(MODULES)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def bundle_of(key: SigningKey) -> bytes:
    return signature_files(public_content(), key)[f"{key.keyid}.sigstore.json"]


def test_the_client_accepts_the_bundle_offline(alice: SigningKey) -> None:
    done = verified(bundle_of(alice), alice.public)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "application/vnd.dev.sigstore.bundle.v0.3+json"


def test_the_client_refuses_another_payload_or_key(alice: SigningKey, bob: SigningKey) -> None:
    bundle = json.loads(bundle_of(alice))
    other = json.loads(bundle_of(bob))
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = other["dsseEnvelope"]["signatures"][0]["sig"]
    done = verified(canonical_json(bundle), alice.public)
    assert done.returncode == 1
    assert "signature verification failed" in done.stderr
    done = verified(bundle_of(alice), bob.public)
    assert done.returncode == 1
    assert "key not found" in done.stderr
