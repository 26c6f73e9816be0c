"""What Dagster loads: `dagster dev`, `dagster job execute -m hokusai_assets.definitions -j ...`."""

from hokusai_assets.defs.build import build_definitions

defs = build_definitions()
