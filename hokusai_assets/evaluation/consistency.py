"""What must be true of any benchmark metrics, whatever was measured."""

import math

from hokusai_assets.records import BenchmarkMetrics
from hokusai_assets.scoring import METRICS


def inconsistencies(metrics: BenchmarkMetrics) -> list[str]:
    """Metrics outside their range, absent without a reason, and counts that do not add up."""
    found = []
    for model, values in (("baseline", metrics.baseline), ("candidate", metrics.candidate)):
        for value in values:
            known = METRICS.get(value.metric)
            low, high = (known.lowest, known.highest) if known else (-math.inf, math.inf)
            name = f"{model} {value.metric}"
            if value.value is None:
                if not value.undefined:
                    found.append(f"{name} has neither a value nor a reason")
                if value.millionths is not None:
                    found.append(f"{name} has millionths but no value")
            elif value.undefined:
                found.append(f"{name} has a value and a reason to have none")
            elif not low <= value.value <= high:
                found.append(f"{name} is {value.value}, outside {low:.3g} to {high:.3g}")
            elif value.millionths is None or abs(value.value * 1e6 - value.millionths) > 0.5 + 1e-6:
                found.append(f"{name} and its millionths disagree")
    for index, table in enumerate(metrics.joint_counts):
        total = sum(cell.count for cell in table)
        if metrics.target_range is not None:
            if table:
                found.append(
                    f"joint counts of seed {index} are of labels, and numbers are predicted"
                )
        elif total != metrics.row_count:
            found.append(
                f"joint counts of seed {index} hold {total} rows of {metrics.row_count} scored"
            )
        if any(cell.count <= 0 for cell in table):
            found.append(f"joint counts of seed {index} hold a count below 1")
    return found
