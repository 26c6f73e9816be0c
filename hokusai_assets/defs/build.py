"""The one place where assets, checks, resources and jobs come together."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from hokusai_assets.defs.assets.attestation import attestation
from hokusai_assets.defs.assets.base_dataset import base_dataset
from hokusai_assets.defs.assets.baseline_model import baseline_model
from hokusai_assets.defs.assets.benchmark_dataset import benchmark_dataset
from hokusai_assets.defs.assets.benchmark_metrics import benchmark_metrics
from hokusai_assets.defs.assets.contributed_data import contributed_data
from hokusai_assets.defs.assets.delta_report import delta_report
from hokusai_assets.defs.assets.evaluation_plan import evaluation_plan
from hokusai_assets.defs.assets.merged_dataset import merged_dataset
from hokusai_assets.defs.assets.new_model import new_model
from hokusai_assets.defs.checks import ALL_CHECKS
from hokusai_assets.defs.console import console_logger
from hokusai_assets.defs.executor import in_process_or_multiprocess_executor
from hokusai_assets.defs.io_managers import HokusaiIOManager
from hokusai_assets.defs.jobs import ALL_JOBS
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.defs.resources.signer import SignerResource
from hokusai_assets.defs.resources.tracking import TrackingResource

ALL_ASSETS = [
    base_dataset,
    benchmark_dataset,
    contributed_data,
    merged_dataset,
    evaluation_plan,
    baseline_model,
    new_model,
    benchmark_metrics,
    delta_report,
    attestation,
]


def default_resources() -> dict[str, Any]:
    """Every resource, configurable when a run is launched."""
    inputs = InputsResource.configure_at_launch()
    outputs = OutputsResource.configure_at_launch()
    tracking = TrackingResource.configure_at_launch(inputs=inputs, outputs=outputs)
    return {
        "inputs": inputs,
        "outputs": outputs,
        "tracking": tracking,
        "ledger": LedgerResource.configure_at_launch(),
        "signer": SignerResource.configure_at_launch(inputs=inputs),
        "io_manager": HokusaiIOManager.configure_at_launch(
            inputs=inputs, outputs=outputs, tracking=tracking
        ),
    }


def build_definitions(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions; `overrides` replaces resources by name."""
    return dg.Definitions(
        assets=ALL_ASSETS,
        asset_checks=ALL_CHECKS,
        resources={**default_resources(), **(overrides or {})},
        jobs=ALL_JOBS,
        executor=in_process_or_multiprocess_executor,
        loggers={"console": console_logger},
    )
