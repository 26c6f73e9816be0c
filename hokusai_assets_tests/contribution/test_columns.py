"""Columns of a file: matched by name, refused when missing or twice, and shown only masked."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution.columns import match_columns, required_names
from hokusai_assets.contribution.manifest import column_schemas
from hokusai_assets.errors import ContributionError

KNOWN = ["key", "note", "weight", "label"]
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def match(names: list[str], task: Any) -> tuple[dict[str, int], tuple[str, ...]]:
    return match_columns(names, task, "c.csv", "its header")


def refusal(names: list[str], task: Any) -> str:
    with pytest.raises(ContributionError) as caught:
        match(names, task)
    return str(caught.value)


@given(names=st.permutations([*KNOWN, "extra", "more"]))
@settings(deadline=None)
def test_columns_are_found_wherever_they_stand(make_task: Any, names: list[str]) -> None:
    positions, dropped = match(names, make_task())
    assert {name: names[place] for name, place in positions.items()} == dict(
        zip(KNOWN, KNOWN, strict=True)
    )
    assert dropped == ("extra", "more")


def test_names_are_compared_exactly_but_for_their_unicode_form(make_task: Any) -> None:
    task = make_task(
        [
            {"name": COMPOSED, "type": "text"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    assert COMPOSED != DECOMPOSED
    positions, dropped = match(["label", DECOMPOSED], task)
    assert positions == {COMPOSED: 1, "label": 0}
    assert dropped == ()
    assert "lacks the required column 'label'" in refusal([COMPOSED, "Label"], task)
    assert "lacks the required column 'label'" in refusal([COMPOSED, "label "], task)


def test_a_missing_column_is_named_and_those_that_are_there_are_counted(make_task: Any) -> None:
    assert refusal(["key", "note", "label", "canaryvalue"], make_task()) == (
        "The file c.csv lacks the required column 'weight': its header has 4 columns, 3 of which "
        "the task knows. Add what is missing, or check the header and the delimiter."
    )


def test_all_missing_columns_are_named(make_task: Any) -> None:
    said = refusal(["canaryvalue"], make_task())
    assert "lacks the required columns 'key', 'label', 'note', 'weight': its header has" in said
    assert "1 column, 0 of which" in said
    assert "canaryvalue" not in said


def test_an_empty_header_has_no_columns(make_task: Any) -> None:
    assert "its header has 0 columns, 0 of which" in refusal([], make_task())


def test_a_column_that_is_not_required_may_be_missing(make_task: Any) -> None:
    task = make_task(
        [
            {"name": "note", "type": "text"},
            {"name": "weight", "type": "number", "required": False, "nullable": True},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    assert required_names(task) == ("label", "note")
    assert match(["note", "label"], task) == ({"note": 0, "label": 1}, ())
    assert match(["weight", "note", "label"], task)[0]["weight"] == 0


def test_an_ignored_column_is_neither_required_nor_kept(make_task: Any) -> None:
    task = make_task(
        [
            {"name": "note", "type": "text"},
            {"name": "aside", "type": "text", "role": "ignore"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    assert match(["note", "label"], task)[1] == ()
    assert match(["note", "aside", "label"], task) == ({"note": 0, "label": 2}, ("aside",))
    assert [c.name for c in column_schemas(task)] == ["label", "note"]


def test_a_known_column_twice_is_refused_by_name(make_task: Any) -> None:
    assert refusal([*KNOWN, "note"], make_task()) == (
        "The file c.csv has 1 column name more than once ('note'): give every column a name of "
        "its own."
    )


def test_an_unknown_column_twice_is_refused_without_its_name(make_task: Any) -> None:
    """Without a header the name is a cell of the first row."""
    assert refusal([*KNOWN, "canaryvalue", "canaryvalue"], make_task()) == (
        "The file c.csv has 1 column name more than once: give every column a name of its own."
    )


def test_of_several_columns_twice_only_the_known_are_named(make_task: Any) -> None:
    said = refusal([*KNOWN, "canaryvalue", "canaryvalue", "key", "note", "key"], make_task())
    assert "has 3 column names more than once ('key', 'note'): give" in said
    assert "canaryvalue" not in said


def test_two_unicode_forms_of_a_name_are_the_same_column_twice(make_task: Any) -> None:
    said = refusal([*KNOWN, COMPOSED, DECOMPOSED], make_task())
    assert "1 column name more than once" in said
    assert COMPOSED not in said


def test_personal_data_in_place_of_a_name_are_masked(make_task: Any) -> None:
    _, dropped = match([*KNOWN, "jane.doe@example.com", "b"], make_task())
    assert len(dropped) == 2
    assert not any("jane" in name for name in dropped)


def test_stored_columns_are_the_kept_ones_by_name(make_task: Any) -> None:
    assert [(c.name, c.type) for c in column_schemas(make_task())] == [
        ("key", "text"),
        ("label", "category"),
        ("note", "text"),
        ("weight", "number"),
    ]
