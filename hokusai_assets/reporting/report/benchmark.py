"""What a reader must know of the benchmark and of training, beside the deltas.

What was left out of the benchmark, classes that say too little, how much training again with
another seed changes, and what the model that is released gains by itself. For the operator only:
each of these is told of a live benchmark.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hokusai_assets.reporting.report import words


def benchmark_notes(output: Mapping[str, Any]) -> list[str]:
    """Rows left out because of base, and classes with too few rows; older files have less."""
    told = output["evaluation_metadata"]["benchmark_dataset"]
    same, group = (
        told.get(key) or 0 for key in ("left_out_as_in_base", "left_out_as_group_in_base")
    )
    left = []
    if same:
        left.append(f"{words.count(same)} because base holds their features")
    if group:
        left.append(f"{words.count(group)} because base holds others of their group")
    notes = [f"Rows left out of the benchmark: {'; '.join(left)}."] if left else []
    small = told.get("small_classes") or {}
    if small:
        listed = words.names([f"{label} ({words.count(rows)})" for label, rows in small.items()])
        notes.append(
            f"Too few rows to say anything of {listed}: below "
            f"{words.count(told['class_rows_needed'])} rows a class may lose 5 points of its "
            "recall unseen."
        )
    return notes


def training_notes(output: Mapping[str, Any]) -> list[str]:
    """The null run, and the released model's own delta; nothing where an older file has none."""
    return [*_null_run(output["statistics"].get("null_run")), *_released(output)]


def _null_run(told: Mapping[str, Any] | None) -> Iterator[str]:
    if told is None:
        return
    if not told["noise"]:
        yield f"Null run: {told['reason'] or 'no metric is defined.'}"
        return
    listed = "; ".join(
        f"{_name(metric)} at most {one['largest_bps']:.0f}, standard deviation "
        f"{one['deviation_bps']:.0f} ({one['deviation_of_means_bps']:.0f} of two means)"
        for metric, one in told["noise"].items()
    )
    yield (
        f"Null run, the noise floor: the {told['model']} against itself with other seeds, "
        f"{told['seeds']} trainings, differs in basis points by: {listed}."
    )


def _released(output: Mapping[str, Any]) -> Iterator[str]:
    told = output["statistics"].get("released_model")
    if told is None:
        return
    deltas = output["delta_computation"]["metric_deltas"]
    listed = []
    for metric, delta in told["deltas"].items():
        values = [deltas[metric][key] for key in ("baseline_value", "new_value")]
        points = words.in_points(metric, output["statistics"], *values)
        listed.append(f"{_name(metric)} {words.signed(delta, points=points, unit=points)}")
    if told["delta_one"] is not None:
        listed.append(f"DeltaOne {words.signed(told['delta_one'], points=True, unit=True)}")
    yield (
        "Deltas are means over seeds. The model that is released is the first seed's; its own: "
        f"{', '.join(listed)}."
    )


def _name(metric: str) -> str:
    return "DeltaOne" if metric == "delta_one" else words.spaced(metric)
