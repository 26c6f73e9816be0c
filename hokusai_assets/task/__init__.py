"""The task file: what the model does, which data it has, how it is judged.

One frozen, typed record, read from TOML (`task_schema = 1`) and checked whole. Its digest covers
what the task means, not how it is written down. Reading the data that a task names is
contribution/'s business.
"""

from hokusai_assets.task.kinds import TargetScale, TaskKind
from hokusai_assets.task.loading import LoadedTask, load_task, parse_task, task_json_schema
from hokusai_assets.task.meaning import DEFAULT_SEED
from hokusai_assets.task.metrics import METRIC_NAMES, MetricName, is_own
from hokusai_assets.task.mint import MintSection
from hokusai_assets.task.sections import (
    Column,
    ColumnRole,
    ColumnType,
    Label,
    PiiAction,
    SliceSection,
    Task,
)

__all__ = [
    "DEFAULT_SEED",
    "METRIC_NAMES",
    "Column",
    "ColumnRole",
    "ColumnType",
    "Label",
    "LoadedTask",
    "MetricName",
    "MintSection",
    "PiiAction",
    "SliceSection",
    "TargetScale",
    "Task",
    "TaskKind",
    "is_own",
    "load_task",
    "parse_task",
    "task_json_schema",
]
