"""The three jobs: an evaluation, its rehearsal on mock data, and the checks of what is stored."""

from typing import Any

import dagster as dg

from hokusai_assets.defs.resources.inputs import CHECKS_JOB, DRY_RUN_JOB

EVALUATE_JOB = "evaluate_contribution"
_CONSOLE: dict[str, Any] = {"loggers": {"console": {}}}

evaluate_contribution = dg.define_asset_job(
    EVALUATE_JOB,
    selection=dg.AssetSelection.all(),
    config=_CONSOLE,
    description="Evaluate contributions from file to attestation. With no configuration at all, "
    "the example that ships with the project.",
)

dry_run = dg.define_asset_job(
    DRY_RUN_JOB,
    selection=dg.AssetSelection.all(),
    config={**_CONSOLE, "resources": {"inputs": {"config": {"mode": "mock"}}}},
    description="The same on mock data that fit the task. A contribution that is named is really "
    "read, cleaned and merged. Nothing that it writes counts.",
)

checks = dg.define_asset_job(
    CHECKS_JOB,
    selection=dg.AssetSelection.all_asset_checks(),
    config=_CONSOLE,
    description="All asset checks on what the newest complete run stored, or on the run that "
    "resources.io_manager.config.run_id names. Materializes nothing.",
)

ALL_JOBS = [evaluate_contribution, dry_run, checks]
