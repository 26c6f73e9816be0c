"""Strict reading: one writing of each object, and no content that could kill the process."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai_assets.attestation.signing.strict_json import (
    MAX_DEPTH,
    parse_json,
    strict_object,
)
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError

INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_written_canonically_is_read(value: dict[str, object]) -> None:
    assert strict_object(canonical_json(value), "x") == value


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_one_error(content: bytes) -> None:
    try:
        assert canonical_json(strict_object(content, "x")) == content
    except AttestationError as error:
        assert "x is not" in str(error)


@given(st.dictionaries(st.text(), VALUES), st.data())
def test_any_changed_byte_is_refused_or_another_object(
    value: dict[str, object], data: st.DataObject
) -> None:
    content = bytearray(canonical_json(value))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        read = strict_object(bytes(content), "x")
    except AttestationError:
        return
    assert canonical_json(read) == bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":9007199254740993}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        b'{"\\u0061":1}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        '{"a":1}'.encode("utf-16"),
        b"[]",
        b"null",
        b"",
    ],
)
def test_other_writings_are_refused(content: bytes) -> None:
    with pytest.raises(AttestationError):
        strict_object(content, "x")


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_depth_is_bounded_whatever_the_recursion_limit_is() -> None:
    """With a raised limit the library's parser ends the process at some 30,000 levels."""
    assert strict_object(nested(MAX_DEPTH), "x")
    with pytest.raises(AttestationError, match="64 levels"):
        strict_object(nested(MAX_DEPTH + 1), "x")
    old = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        for content in (
            nested(200_000),
            b"[" * 200_000,
            b'{"a":"' + b"[" * 200_000,
            ("[" * 200_000).encode("utf-16"),
            # in UTF-16 these are no quotes, so that a reader of bytes would skip the brackets
            ("\u2222" + "[" * 200_000 + "\u2222").encode("utf-16-le"),
        ):
            with pytest.raises(AttestationError):
                strict_object(content, "x")
    finally:
        sys.setrecursionlimit(old)


def test_brackets_in_texts_do_not_count() -> None:
    text = "[{" * 500 + '\\"' + "[" * 500
    assert parse_json(json.dumps({"a": text, "b": [text]}).encode()) == {"a": text, "b": [text]}


def test_a_file_of_megabytes_is_not_parsed() -> None:
    with pytest.raises(AttestationError, match="are read"):
        strict_object(b"{" + b" " * (5 << 20), "x")
