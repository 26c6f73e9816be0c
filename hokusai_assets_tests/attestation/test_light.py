"""What reads and recounts a bundle loads nothing heavy: a verifier runs on it alone."""

import json
import subprocess
import sys

from hokusai_assets_tests.conftest import ROOT, Evaluated

HEAVY = ("dagster", "mlflow", "pandas", "polars", "duckdb", "pyarrow", "scipy.stats", "sklearn")

SCRIPT = """
import json, pkgutil, sys
import hokusai_assets.attestation as room
for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
    __import__(module.name)
from hokusai_assets.attestation.bundle import LEAVES
from hokusai_assets.attestation.bundle_reading import read_bundle, record_disagreements
from hokusai_assets.attestation.rows.leaves import guarded_slices
from hokusai_assets.attestation.rows.reading import read_leaves
from hokusai_assets.attestation.rows.recount import differences, recount
bundle = read_bundle(sys.argv[1])
rule, labels = bundle.plan["rule"], bundle.core["benchmark"]["labels"]
with bundle.open(LEAVES) as stream:
    rows = read_leaves(stream, LEAVES, classes=len(labels), guarded=guarded_slices(rule))
problems = record_disagreements(bundle) + differences(
    bundle.core, recount(rows, bundle.core, rule)
)
print(json.dumps({"problems": problems, "modules": sorted(sys.modules)}))
"""


def test_a_bundle_is_read_and_recounted_without_anything_heavy(evaluated: Evaluated) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, evaluated["attestation"].bundle_path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["problems"] == []
    assert "scipy.special" in told["modules"]
    assert [name for name in HEAVY if name in told["modules"]] == []
