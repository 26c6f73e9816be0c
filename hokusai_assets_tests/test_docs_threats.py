"""Every test that the page of threats names exists, and every threat names one."""

import ast
import functools
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))
ROWS = [line.split(" | ") for line in PAGE.splitlines() if re.match(r"\| [A-Z]", line)]


@functools.cache
def names_in(path: str) -> frozenset[str]:
    """The tests that pytest collects in a file: functions of the module."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    found = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    assert name in names_in(path)


def test_every_threat_has_an_answer_and_a_test() -> None:
    assert len(ROWS) >= 25
    for row in ROWS:
        assert len(row) == 3, row[0]
        assert re.search(r"`[\w/]+\.py::test_\w+`", row[2]), row[0]


def test_nothing_that_looks_like_a_test_is_missed() -> None:
    """A name written without its file would be held to nothing."""
    assert len(re.findall(r"test_\w+(?!\w*\.py)\b", re.sub(r"[\w/]+\.py", "", PAGE))) == len(
        re.findall(r"\.py::", PAGE)
    )
    assert len(NAMED) >= 50
