"""Canonical JSON: one text a value, errors that name the field, no traceback on any bytes."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hokusai_assets.attestation.canonical import (
    LARGEST_INTEGER,
    MAX_DEPTH,
    composed,
    read_canonical,
    read_record,
    write_canonical,
)
from hokusai_assets.digests import canonical_json
from hokusai_assets.errors import AttestationError

# RFC 8785, sections 3.2.2 (strings and literals) and 3.2.3 (order of keys, by UTF-16).
RFC_STRING = '{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"}'
RFC_STRING_OUT = '{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
RFC_KEYS = (
    '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh",'
    '"1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control",'
    '"\\u00f6":"Latin Small Letter O With Diaeresis"}'
)
RFC_KEYS_OUT = (
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control",'
    '"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",'
    '"\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RFC_STRING, RFC_STRING_OUT),
        (RFC_KEYS, RFC_KEYS_OUT),
        ('{"literals": [null, true, false]}', '{"literals":[null,true,false]}'),
        # RFC 8785, appendix B, of its integers
        ("[9007199254740991, -9007199254740991, 0]", "[9007199254740991,-9007199254740991,0]"),
    ],
)
def test_vectors_of_the_rfc(text: str, expected: str) -> None:
    assert canonical_json(json.loads(text)).decode() == expected


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(composed)
KEYS = st.text(st.characters(max_codepoint=126), max_size=6)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_comes_back(value: Any) -> None:
    body = {"value": value}
    assert read_record(write_canonical(body, "a.json"), "a.json") == body


def _node_modules() -> Path | None:
    """The folder of npm packages that the environment names, or the project's own."""
    for place in (os.environ.get("HOKUSAI_TEST_NODE_MODULES", ""), "node_modules"):
        if place and Path(place, "canonicalize").is_dir():
            return Path(place)
    return None


def test_an_independent_canonicaliser_agrees(tmp_path: Path) -> None:
    modules = _node_modules()
    if shutil.which("node") is None or modules is None:
        pytest.skip("node or the npm package canonicalize is not here")
    values: list[Any] = [json.loads(RFC_STRING), json.loads(RFC_KEYS)]
    values += [{"z": [1, {"b": None, "a": "\u2028 é \U0001f600 \x7f"}], "": -0, "A": 2**53 - 1}]
    values += [{chr(code): chr(code) for code in range(1, 0x180)}]
    module = modules.absolute() / "canonicalize/lib/canonicalize.js"
    script = tmp_path / "canonical.cjs"
    script.write_text(
        f"""
        import({json.dumps(str(module))}).then(m => {{
          const canonicalize = m.default ?? m;
          const values = JSON.parse(require("fs").readFileSync(0, "utf8"));
          process.stdout.write(JSON.stringify(values.map(v => canonicalize(v))));
        }});
        """
    )
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(values).encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert [text.encode() for text in json.loads(done.stdout)] == list(map(canonical_json, values))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a":{"b":[1,0.5]}}', r"f\.json: a\.b\[1\] is no integer"),
        (b'{"a":1e3}', "a is no integer"),
        (b'{"a":NaN}', "a is no number of JSON"),
        (b'{"a":-Infinity}', "a is no number of JSON"),
        (b'{"a":9007199254740992}', r"a is an integer beyond 2\^53"),
        (b'{"a":-9007199254740992}', r"a is an integer beyond 2\^53"),
        (b'{"a":' + b"9" * 10_000 + b"}", r"a is an integer beyond 2\^53"),
        (b'{"a":{"b":1,"b":1}}', "a holds the key 'b' twice"),
        (b'{"b":1,"b":1}', "the whole holds the key 'b' twice"),
        ('{"a":"e\u0301"}'.encode(), r"a is not in Unicode's composed form \(NFC\)"),
        ('{"a":{"\u00e9":1}}'.encode(), r"a holds the key '\\xe9', which is not ASCII"),
        (b'{"a":"\\ud800"}', "a holds half of a character"),
        (b'{"a":{"x y":1.0}}', r"a\['x y'\] is no integer"),
        (b'{"a":1} ', "not canonical JSON .* from byte 7"),
        (b'{"a":1}{}', "is not JSON"),
        (b'{"a":1}\n', "not canonical"),
        (b'{"a": 1}', "not canonical .* from byte 5"),
        (b'{"b":1,"a":1}', "not canonical"),
        (b'{"a":-0}', "not canonical"),
        (b'{"a":"\\u0041"}', "not canonical"),
        (b'{"a":"\\/"}', "not canonical"),
        (b'\xef\xbb\xbf{"a":1}', "is not JSON"),
        (b'{"a":"\xff"}', r"not UTF-8 \(byte 6\)"),
        (b'{"a":1', "is not JSON"),
        (b"", "is not JSON"),
        (b"[" * 100_000, f"nested deeper than {MAX_DEPTH}"),
        (b'{"a":' * 100_000, f"nested deeper than {MAX_DEPTH}"),
        (b"[1]", "not a JSON object"),
    ],
)
def test_what_is_refused_and_what_is_said(content: bytes, said: str) -> None:
    with pytest.raises(AttestationError, match=said):
        read_record(content, "f.json")


def test_brackets_in_text_are_no_nesting_and_the_limit_itself_is_fine() -> None:
    assert read_canonical(b'["' + b"[" * 1000 + b'\\"{"]', "f") == ["[" * 1000 + '"{']
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert canonical_json(read_canonical(deep, "f")) == deep


@pytest.mark.parametrize(
    "content",
    [
        b'"' + b'\\"' * 100_000,  # a string without end, of quotes that each could begin one
        b"{" + b"".join(b'"k%d":1,' % n for n in range(100_000)) + b'"k99999":1}',
    ],
    ids=["quotes", "keys"],
)
def test_what_is_refused_takes_no_square_of_its_length(content: bytes) -> None:
    """A minute each, and of files of 16 MB days, when each character was compared with all."""
    with pytest.raises(AttestationError, match=r"not JSON|holds the key 'k99999' twice"):
        read_canonical(content, "x.json")


def test_a_file_past_the_limit_is_not_parsed() -> None:
    with pytest.raises(AttestationError, match="has 9 bytes; at most 8"):
        read_canonical(b"[1,2,3,4]", "f", max_bytes=8)


@given(st.binary(max_size=60) | TEXT.map(str.encode))
@example(b'"\\')
@example(b'{"a":1e999}')
@example(b"[" * 40 + b"]" * 40)
@example(b'{"\\ud800":1}')
def test_no_bytes_make_a_traceback(content: bytes) -> None:
    try:
        value = read_canonical(content, "f")
    except AttestationError as error:
        assert str(error).startswith("f")
        return
    assert canonical_json(value) == content


@given(VALUES, st.data())
def test_a_changed_byte_is_another_value_or_refused(value: Any, data: st.DataObject) -> None:
    content = bytearray(canonical_json({"value": value}))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        read = read_canonical(bytes(content), "f")
    except AttestationError:
        return
    assert read != {"value": value} or isinstance(read, dict)
    assert canonical_json(read) == bytes(content) != canonical_json({"value": value})


def test_what_could_not_be_read_is_not_written() -> None:
    for body, said in (
        ({"a": {"b": 0.5}}, r"a\.b is no integer"),
        ({"a": "e\u0301"}, "a is not in"),
        ({"a": [{"é": 1}]}, r"a\[0\] holds the key"),
        ({"a": 2**53}, "a is an integer beyond"),
    ):
        with pytest.raises(AttestationError, match=said):
            write_canonical(body, "core.json")


def test_names_that_a_task_chose_are_composed() -> None:
    assert composed({"e\u0301": ("u\u0308", 1)}) == [["é", ["ü", 1]]]
    assert composed({"b": {"z": None}, "a": True}) == {"b": {"z": None}, "a": True}
    # The Kelvin sign composes to K: neither may swallow the other.
    assert composed({"\u212a": 1, "K": 2}) == [["K", 1], ["K", 2]]
