"""The asset graph as users know it: a change here is a change of the product."""

import json
import subprocess
import sys
from pathlib import Path

from hokusai_assets.definitions import defs
from hokusai_assets.defs.io_managers import HokusaiIOManager
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.defs.resources.signer import SignerResource
from hokusai_assets.defs.resources.tracking import TrackingResource

GOLDEN = Path(__file__).with_name("graph.json")


def snapshot() -> dict[str, object]:
    graph = defs.resolve_asset_graph()
    assets = {}
    for key in sorted(graph.get_all_asset_keys(), key=lambda k: k.path):
        node = graph.get(key)
        assets[key.to_user_string()] = {
            "group": node.group_name,
            "from": sorted(parent.to_user_string() for parent in node.parent_keys),
            "kinds": sorted(node.kinds),
            "checks": sorted(check.name for check in node.check_keys),
            "described": bool(node.description),
            "code_version": node.code_version,
        }
    jobs = sorted(j.name for j in defs.resolve_all_job_defs() if not j.name.startswith("__"))
    return {"assets": assets, "jobs": jobs}


def test_graph_is_as_documented() -> None:
    assert snapshot() == json.loads(GOLDEN.read_text())


def test_every_check_blocks() -> None:
    for definition in defs.asset_checks or ():
        for spec in definition.check_specs:
            assert spec.blocking, spec.name


def test_every_configuration_field_is_described() -> None:
    """The launchpad shows descriptions; a field without one is a riddle."""
    for resource in (
        InputsResource,
        OutputsResource,
        TrackingResource,
        LedgerResource,
        SignerResource,
        HokusaiIOManager,
    ):
        for name, field in resource.model_fields.items():
            if name not in {"inputs", "outputs", "tracking"}:  # nested resources
                assert field.description, f"{resource.__name__}.{name}"


def test_importing_definitions_loads_nothing_heavy() -> None:
    code = (
        "import sys, hokusai_assets.definitions; "
        "print([m for m in ('mlflow', 'sklearn', 'matplotlib', 'pandas', 'pyarrow', 'duckdb', "
        "'pandera', 'dagster_mlflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
