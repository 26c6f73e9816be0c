"""What Dagster loads: `dagster dev`, `dagster job execute -m hokusai_assets.definitions -j ...`."""

import sys

from hokusai_assets.defs.meanwhile import begin_early

begin_early(sys.argv)

from hokusai_assets.defs.build import build_definitions  # noqa: E402 - importing takes its time

defs = build_definitions()
