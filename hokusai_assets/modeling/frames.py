"""Stored rows as a model sees them: a pandas frame of the features, and the target.

Only feature columns, by name, ever reach a model; never an id, a group or a row's source, from
which it could learn who contributed a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def feature_frame(task: Task, table: pa.Table) -> pd.DataFrame:
    """The features of `table`, one column each by name, in the table's row order.

    Empty text and category cells become "", so that an empty cell is a value like any other;
    everything else becomes a float, NaN where empty, a timestamp its seconds since 1970 UTC.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, Any] = {}
    for column in task.features:
        cells = table.column(column.name)
        if column.type in {"text", "category"}:
            filled = pc.fill_null(cells, "")
            columns[column.name] = np.array(filled.to_pylist(), dtype=object)
            continue
        if column.type == "timestamp":
            # Microseconds since 1970 stay exact in a float until the year 2255.
            cells = pc.divide(cells.cast(pa.int64()).cast(pa.float64(), safe=False), 1e6)
        numbers = cells.cast(pa.float64(), safe=False)
        columns[column.name] = pc.fill_null(numbers, float("nan")).to_numpy()
    return pd.DataFrame(columns)


def targets(task: Task, table: pa.Table) -> Any:
    """The target column in the table's row order: labels as objects, numbers as floats."""
    import numpy as np

    if task.kind == "regression":
        return table.column(task.target.name).to_numpy().astype(np.float64)
    return np.array(table.column(task.target.name).to_pylist(), dtype=object)
