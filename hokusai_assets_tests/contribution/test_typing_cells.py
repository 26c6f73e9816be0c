"""What a cell means: a table of accepted and refused cells per type, and laws over all of them."""

import datetime
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.contribution.rows import Kind
from hokusai_assets.contribution.typing_cells import CellError, type_cell

UTC = datetime.UTC
TEXT, NUMBER, BOOLEAN, TIME = Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.TIME


def moment(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column_type", "cell", "kind", "value"),
    [
        ("text", " kept as it is ", TEXT, " kept as it is "),
        ("text", "1.50", TEXT, "1.50"),
        ("category", "17", NUMBER, "17"),
        ("integer", "7", TEXT, 7),
        ("integer", " -7 ", TEXT, -7),
        ("integer", "1.0", NUMBER, 1),
        ("integer", "1e3", TEXT, 1000),
        ("integer", "12.50e1", TEXT, 125),
        ("integer", "9223372036854775807", TEXT, 2**63 - 1),
        ("integer", "-9223372036854775808.0", NUMBER, -(2**63)),
        ("integer", "9007199254740993.0", TEXT, 2**53 + 1),
        ("integer", "0e999999999", TEXT, 0),
        ("integer", "NaN", NUMBER, None),
        ("number", "0.1", TEXT, 0.1),
        ("number", "1e-400", TEXT, 0.0),
        ("number", ".5", TEXT, 0.5),
        ("number", "nan", TEXT, None),
        ("number", "NaN", NUMBER, None),
        ("number", "  ", TEXT, None),
        ("boolean", "TRUE", TEXT, True),
        ("boolean", "false", BOOLEAN, False),
        ("boolean", "1", NUMBER, True),
        ("boolean", "0.0", NUMBER, False),
        ("timestamp", "2024-05-01", TEXT, moment(2024, 5, 1)),
        ("timestamp", "2024-05-01", TIME, moment(2024, 5, 1)),
        ("timestamp", "2024-05-01T12:30Z", TEXT, moment(2024, 5, 1, 12, 30)),
        ("timestamp", "2024-05-01 12:30:15.25+02:00", TEXT, moment(2024, 5, 1, 10, 30, 15, 250000)),
        ("timestamp", "2024-05-01t12:30:15,1z", TEXT, moment(2024, 5, 1, 12, 30, 15, 100000)),
        (
            "timestamp",
            "2024-05-01 12:30:15.123456000",
            TIME,
            moment(2024, 5, 1, 12, 30, 15, 123456),
        ),
        ("timestamp", "1969-12-31 19:00:00-0500", TEXT, moment(1970, 1, 1)),
    ],
)
def test_accepted(column_type, cell, kind, value):
    found = type_cell(column_type, cell, kind)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("column_type", "cell", "kind", "reason"),
    [
        ("text", "1.5", NUMBER, "a number where text is due"),
        ("text", "true", BOOLEAN, "a boolean where text is due"),
        ("category", "2024-05-01", TIME, "a time where text is due"),
        ("text", "?", Kind.NESTED, "a list or an object"),
        ("text", "?", Kind.INVALID, "not valid Unicode"),
        ("integer", "1.5", TEXT, "not an integer"),
        ("integer", "1e-999999999", TEXT, "not an integer"),
        ("integer", "1e999999999", TEXT, "an integer beyond 64 bits"),
        ("integer", "9223372036854775808", NUMBER, "an integer beyond 64 bits"),
        ("integer", "true", BOOLEAN, "a boolean where an integer is due"),
        ("integer", "2024-05-01", TIME, "a time where an integer is due"),
        ("integer", "١٢", TEXT, "not an integer"),
        ("integer", "1_000", TEXT, "not an integer"),
        ("integer", "9" * 5000, TEXT, "not an integer"),
        ("number", "1e999", TEXT, "not a finite number"),
        ("number", "-Infinity", NUMBER, "not a finite number"),
        ("number", "inf", TEXT, "not a finite number"),
        ("number", "true", BOOLEAN, "a boolean where a number is due"),
        ("number", "1,5", TEXT, "not a number"),
        ("number", "0x10", TEXT, "not a number"),
        ("boolean", "yes", TEXT, "neither true nor false"),
        ("boolean", "2", NUMBER, "neither true nor false"),
        ("timestamp", "01/05/2024", TEXT, "not an ISO 8601 time"),
        ("timestamp", "20240501", TEXT, "not an ISO 8601 time"),
        ("timestamp", "2024-02-30", TEXT, "not an ISO 8601 time"),
        ("timestamp", "1714521600", NUMBER, "not an ISO 8601 time"),
        ("timestamp", "0001-01-01T00:00+14:00", TEXT, "not an ISO 8601 time"),
        ("timestamp", "2024-05-01T12:00:00.1234567", TEXT, "a time finer than a microsecond"),
    ],
)
def test_refused_without_the_cell(column_type, cell, kind, reason):
    with pytest.raises(CellError) as caught:
        type_cell(column_type, cell, kind)
    assert str(caught.value) == reason


def test_minus_zero_is_zero():
    assert math.copysign(1, type_cell("number", "-0.0", TEXT)) == 1


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_integer_is_read_exactly(value):
    assert type_cell("integer", str(value), TEXT) == value
    assert type_cell("integer", f"{value}.0", NUMBER) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_exactly(value):
    for text in (repr(value), json.dumps(value), f"{value:.17e}"):
        assert type_cell("number", text, TEXT) == value


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_moment_is_read_exactly(value):
    assert type_cell("timestamp", value.isoformat(), TEXT) == value
    assert type_cell("timestamp", str(value), TIME) == value


@given(st.sampled_from(["integer", "number", "boolean", "timestamp"]), st.text(), st.booleans())
def test_anything_is_a_value_or_a_reason(column_type, cell, as_number):
    try:
        type_cell(column_type, cell or "x", NUMBER if as_number else TEXT)
    except CellError as reason:
        assert str(reason)


def test_two_spellings_of_one_text_become_one_value():
    """Digests see NFC; a model that saw more would depend on the order of a file."""
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert type_cell("text", decomposed, Kind.TEXT) == composed
    assert type_cell("category", decomposed, Kind.TEXT) == composed
    assert type_cell("text", composed, Kind.TEXT) == composed
