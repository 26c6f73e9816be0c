"""Files whose lines end in several ways are read as if they ended alike."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai_assets.contribution import line_ends
from hokusai_assets.contribution.line_ends import copy_with_line_feeds, has_mixed_ends
from hokusai_assets.contribution.reading import read_rows
from hokusai_assets.errors import UsageError

HEADER = b"key,note,weight,label\n"
LONGEST = 1 << 20


@pytest.fixture(params=[1 << 22, 5, 1], ids=lambda size: f"blocks of {size}")
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(line_ends, "BLOCK_BYTES", request.param)


@pytest.fixture
def file(tmp_path):
    def make(content):
        path = tmp_path / "own.csv"
        path.write_bytes(content)
        return path

    return make


def copied(path, delimiter=",", longest=LONGEST):
    target = path.with_name("copy.csv")
    copy_with_line_feeds(path, target, delimiter, longest)
    return target.read_bytes()


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize(
    ("content", "mixed"),
    [
        (b"a,b\n1,2\n", False),
        (b"a,b\r\n1,2\r\n", False),
        (b"a,b\r1,2\r", False),
        (b"a,b\r\n1,2\n", True),
        (b"a,b\n1,2\r\n", True),
        (b"a,b\n1,2\r\n3,4", True),
        (b'a,b\r\n1,"x\ny"\r\n', False),  # as spreadsheets write lines inside of a cell
        (b'a,b\n1,"x\r\ny"\n', False),
        (b'a,b\n1,"x\ry"\n', False),
        (b'a,b\n1,"x\r\ny"\r\n', True),
        (b'a,b\r\n1,"say ""\n"""\r\n', False),
        (b'a,b\r\n1, "x\ny"\r\n', False),  # spaces before a quote, as DuckDB reads it
        (b'a,b\r\n1,5" pipe\r\n2,6" pipe\n', True),  # a quote inside a cell opens nothing
        (b'\xef\xbb\xbf"a\n",b\r\n1,2\r\n', False),
        (b'a,b\r\n1,"x\n', False),  # never closed
    ],
)
def test_records_ends_are_told_from_those_inside_quotes(file, content, mixed):
    assert has_mixed_ends(file(content), ",", LONGEST) is mixed


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\r\n1,2\n3,4\r\n", b"a,b\n1,2\n3,4\n"),
        (b'\xef\xbb\xbfa\r\n"x\r\n""\r""\r\ny"\r\nz', b'a\n"x\r\n""\r""\r\ny"\nz'),
        (b'5" a\r\n6"\r\n', b'5" a\n6"\n'),
        (b"a\r\n\r\n\nb\r\n", b"a\n\n\nb\n"),
        (b"a\rb\r\n", b"a\rb\n"),
        (b'a\r\n"b\r\n', b'a\n"b\r\n'),
        (b"a\r\n\r", b"a\n\r"),
    ],
)
def test_only_ends_of_records_are_changed(file, content, expected):
    assert copied(file(content)) == expected


def test_another_delimiter_opens_cells_too(file):
    path = file(b'a;"x\r\n"\r\nb,"y\r\n')
    assert copied(path, ";") == b'a;"x\r\n"\nb,"y\n'


def test_memory_is_bounded_by_the_longest_record(file, monkeypatch):
    monkeypatch.setattr(line_ends, "BLOCK_BYTES", 16)
    content = b'a\r\n"' + b"x\r\n" * 50 + b'"\r\nb\r\n'
    assert copied(file(content), longest=40) == b"a\n" + content[3:]  # as it is from there on
    assert not has_mixed_ends(file(content + b"\n"), ",", 40)


CELLS = st.text(st.sampled_from('a" ,;\n\r'), max_size=6)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.booleans()), max_size=8), size=st.integers(1, 9))
def test_every_cell_stays_as_it_is(tmp_path_factory, rows, size):
    """Python's own reader finds the same cells, and no end but line feeds is left outside them."""
    text = io.StringIO(newline="")
    for one, other, windows in rows:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n" if windows else "\n")
        writer.writerow([one, other])
    path = tmp_path_factory.mktemp("cells") / "own.csv"
    path.write_bytes(text.getvalue().encode())
    kinds = {windows for _, _, windows in rows}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_ends, "BLOCK_BYTES", size)
        assert has_mixed_ends(path, ",", LONGEST) is (len(kinds) == 2)
        found = copied(path)
    expected = [[one, other] for one, other, _ in rows]
    assert list(csv.reader(io.StringIO(found.decode(), newline=""))) == expected
    assert not re.search(rb"\r", re.sub(rb'"[^"]*"', b"", found))


# --- read ----------------------------------------------------------------------------------------


def test_a_file_of_several_kinds_is_read_with_its_own_numbers(file, make_task):
    bad = b"too,few\r\n"
    path = file(
        HEADER
        + b"a,x,1,good\r\n"
        + b"\r\n\n"
        + b'b,"in\r\n\nside\rhere",2,bad\n'
        + bad
        + b"c,z,3,good\r\n\xff,y,4,bad\n"
        + b"d,w,5,bad"
    )
    raw = read_rows(str(path), make_task())
    assert raw.columns["note"].text.to_pylist() == ["x", "in\r\n\nside\rhere", "z", "w"]
    assert (raw.read, list(raw.numbers)) == (6, [1, 2, 4, 6])
    places = [(n.row, n.line, n.byte_offset, n.size_bytes) for n in raw.rejections.lines]
    # Lines as in the file, blank ones counted; a place in the copy would be none in the file.
    assert places == [(3, 6, None, 7), (5, 8, None, 9)]
    assert raw.source.notes == ("its lines end in several ways, and were read as ending alike",)


def test_cells_are_those_of_a_file_of_one_kind(file, make_task):
    lines = [f"k{i},note {i},{i},good" for i in range(5000)]
    both = HEADER + "".join(x + ("\r\n" if i % 3 else "\n") for i, x in enumerate(lines)).encode()
    mixed = read_rows(str(file(both)), make_task())
    alike = read_rows(str(file(both.replace(b"\r", b""))), make_task())
    assert {n: c.text.to_pylist() for n, c in mixed.columns.items()} == {
        n: c.text.to_pylist() for n, c in alike.columns.items()
    }
    assert (mixed.read, list(mixed.numbers)) == (5000, list(range(1, 5001)))
    assert not alike.source.notes


def test_a_full_disk_is_said(file, make_task, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hokusai_assets.contribution.reading_csv.copy_with_line_feeds", full)
    with pytest.raises(UsageError, match="no room to unpack the file own"):
        read_rows(str(file(HEADER + b"a,x,1,good\r\nb,y,2,bad\n")), make_task())
