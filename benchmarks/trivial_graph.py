"""Ten assets that do nothing, in process: the floor that Dagster itself sets."""

import dagster as dg


def _asset(index: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"asset_{index}", deps=[f"asset_{index - 1}"] if index else [])
    def nothing() -> int:
        return index

    return nothing


defs = dg.Definitions(
    assets=[_asset(index) for index in range(10)],
    jobs=[dg.define_asset_job("trivial", executor_def=dg.in_process_executor)],
)
