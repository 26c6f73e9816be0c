"""docs/metrics.md says of every metric what the code does, and its example runs."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from hokusai_assets.scoring import METRICS
from hokusai_assets.task.metrics import MAY_BE_PRIMARY, primary_problem

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_the_table_is_the_registry() -> None:
    lines = re.findall(r"^\| `(\w+)` \|(.+)\|$", PAGE, re.MULTILINE)
    assert [name for name, _ in lines] == list(METRICS)
    for name, rest in lines:
        _, direction, undefined, _, primary = (cell.strip() for cell in rest.split(" | "))
        assert (primary == "in a regression") is (primary_problem(name, 0) is None)
        assert (METRICS[name].kind == "regression") is ("of a regression:" in rest)
        assert direction == ("higher" if METRICS[name].higher_is_better else "lower")
        assert ("no scores" in undefined) is (METRICS[name].needs == "scores")
        assert (primary in {"yes", "with two classes"}) is (name in MAY_BE_PRIMARY)
        assert (primary == "yes") is (primary_problem(name, 3) is None)
        problem = primary_problem(name, 2)
        assert ("errs too often" in primary) is (problem is not None and "errs" in problem)


def test_the_example_of_ones_own_is_a_metric() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    known: dict[str, Any] = {}
    exec(code, known)  # noqa: S102 - the page's own code
    assert known["cost"](np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), None) == 1.0
