"""The executor: in process unless the run configuration asks for processes.

Starting a process a step costs more than a whole evaluation of moderate size. Dagster's own
choice of two has the other default, and a job cannot preset a selector that a user may change.
"""

import gc
from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster import ExecutorRequirement

from hokusai_assets import second_process
from hokusai_assets.defs.meanwhile import MEANWHILE
from hokusai_assets.defs.resources.inputs import CHECKS_JOB


def _requirements(config: Any) -> Sequence[ExecutorRequirement]:
    if "multiprocess" in config:
        return dg.multi_or_in_process_executor.get_requirements(config)
    return []


def _choose(init_context: dg.InitExecutorContext) -> dg.Executor:
    gc.set_threshold(*second_process.COLLECTOR_THRESHOLDS)
    # What there is when a run begins, Dagster most of all, is not looked through again even when
    # the process ends: that takes as long as a training of moderate size. (Freezing all there is at
    # the end would save more, but then DuckDB's binding takes its functions for leaked.)
    gc.freeze()
    trains = init_context.job.get_definition().name != CHECKS_JOB
    if trains and "multiprocess" not in init_context.executor_config:
        second_process.start(MEANWHILE)
    else:
        second_process.stop()
    create = dg.multi_or_in_process_executor.executor_creation_fn
    if create is None:
        raise dg.DagsterInvariantViolationError("Dagster's executor cannot be created")
    return create(init_context)


in_process_or_multiprocess_executor = dg.ExecutorDefinition(
    name="in_process_or_multiprocess",
    config_schema=dg.Field(
        dg.Selector(  # type: ignore[no-untyped-call]
            {
                "in_process": dg.in_process_executor.config_schema.as_field(),
                "multiprocess": dg.multiprocess_executor.config_schema.as_field(),
            }
        ),
        default_value={"in_process": {}},
    ),
    requirements=_requirements,
    executor_creation_fn=_choose,
    description="Steps run in this process; execution.config.multiprocess gives each its own.",
)
