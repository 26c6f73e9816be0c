"""What rows say of their features, as repetitions are compared: the label, or about which number.

Two numbers of a regression's target say the same if they lie in the same hundredth of its range.
Were they compared to the last digit, copies of one honest row with a shaken target would each be a
row of its own: they cost nothing, hardly change a model, and dilute the share of rows that leaked
(docs/adr/0010). A hundredth is the least gain that counts by default, so that copies which are
shaken by more are no longer harmless to whoever sends them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

HUNDREDTHS = 100


def told_targets(table: pa.Table, task: Task) -> pa.ChunkedArray:
    """The target of each row, of a number the hundredth of the range that it lies in, 0 to 99."""
    import pyarrow as pa

    cells = table.column(task.target.name)
    if task.kind == "classification":
        return cells
    # Late, since it loads scipy, which nothing else here needs.
    from hokusai_assets.scoring import MILLION
    from hokusai_assets.scoring.target_scale import scaled

    numbers = scaled(task.target_scale, cells.to_numpy())
    hundredths = (numbers * HUNDREDTHS // MILLION).clip(0, HUNDREDTHS - 1)
    return pa.chunked_array([pa.array(hundredths)])
