"""Files of every format become the same raw rows; every bad file gets one sentence."""

import gzip
import json
import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hokusai_assets.contribution import reading_csv, reading_json, reading_parquet
from hokusai_assets.contribution.reading import open_reader, read_rows
from hokusai_assets.contribution.rows import RawRows
from hokusai_assets.errors import ContributionError, MissingFileError, UsageError

HEADER = b"key,note,weight,label\n"
FORMATS = ("csv", "json", "jsonl", "parquet")


def cells(raw: RawRows) -> dict[str, list[str | None]]:
    return {name: column.text.to_pylist() for name, column in raw.columns.items()}


def reasons(raw: RawRows) -> dict[str, tuple[int, tuple[int, ...]]]:
    return {r.reason: (r.count, r.first_rows) for r in raw.rejections.reasons()}


@pytest.fixture
def read(tmp_path, make_task):
    def run(content: bytes, name: str = "data.csv", task=None) -> RawRows:
        path = tmp_path / name
        path.write_bytes(content)
        return read_rows(str(path), task or make_task())

    return run


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("named", [True, False])
def test_every_format_gives_the_same_cells_whatever_its_name(
    tmp_path, make_task, write, suffix, named
):
    rows = [
        {"key": "a", "note": 'two\nlines, "quoted"', "weight": 0.1, "label": "good", "extra": "x"},
        {"key": "b", "note": None, "weight": 1e20, "label": "bad", "extra": "y"},
        {"key": "c", "note": "", "weight": -2.5, "label": "bad", "extra": "z"},
    ]
    path = write(tmp_path / f"data.{suffix}", rows)
    if not named:
        path = path.rename(tmp_path / "download")
    raw = read_rows(str(path), make_task())
    assert raw.source.format == suffix
    assert raw.dropped_columns == ("extra",)
    assert (raw.read, list(raw.numbers)) == (3, [1, 2, 3])
    found = cells(raw)
    assert found["key"] == ["a", "b", "c"]
    assert found["note"] == ['two\nlines, "quoted"', None, None]
    assert [float(w) for w in found["weight"]] == [0.1, 1e20, -2.5]


def test_source_file_is_described_without_its_folder(read):
    raw = read(HEADER + b"a,x,1,good\n", "some file.csv")
    assert raw.source.name == "some file.csv"
    assert raw.source.size_bytes == len(HEADER) + 11
    assert raw.source.encoding == "utf-8"
    assert raw.source.modified.endswith("+00:00")


def test_a_url_is_read_like_a_file(make_task):
    with fsspec.open("memory://folder/data.csv", "wb") as stream:
        stream.write(HEADER + b"a,x,1,good\n")
    raw = read_rows("memory://folder/data.csv", make_task())
    assert (raw.read, raw.source.name) == (1, "data.csv")


# --- CSV ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_shows_the_tasks_columns(read, delimiter):
    content = HEADER + b'a,"x;y|z\t1",1,good\n'
    raw = read(content.replace(b",", delimiter.encode()))
    assert cells(raw)["key"] == ["a"]
    assert cells(raw)["label"] == ["good"]


def test_malformed_lines_are_rejected_one_by_one_with_their_row_numbers(read):
    raw = read(
        HEADER
        + b"a,x,1,good\n"  # 1
        + b"b,x\n"  # 2 short
        + b'c,"two\nlines",1,good\n'  # 3
        + b"d,x,1,good,extra\n"  # 4 long
        + b"e,\xff,1,good\n"  # 5 not UTF-8
        + b'f,"x"y,1,good\n'  # 6 quotes
        + b"g,\xff,1,good,extra\n"  # 7 two faults, one row
        + b"h,x,1,bad\n"  # 8
        + b"i,x\n"  # 9
    )
    assert cells(raw)["key"] == ["a", "c", "h"]
    assert list(raw.numbers) == [1, 3, 8]
    assert raw.read == 9
    assert len(raw.rejections.rows) == 6
    assert reasons(raw) == {
        "too few cells": (2, (2, 9)),
        "too many cells": (1, (4,)),
        "not UTF-8": (2, (5, 7)),
        "broken quoting": (1, (6,)),
    }


def test_blank_lines_are_no_rows_and_do_not_shift_numbers(read):
    raw = read(HEADER + b'a,x,1,good\n\n\nb,x\n\nc,"in\n\nside",1,bad\nd,x\n\n\n')
    assert (raw.read, list(raw.numbers)) == (4, [1, 3])
    assert reasons(raw) == {"too few cells": (2, (2, 4))}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_any_one_kind_of_line_end_and_a_byte_order_mark(read, end, last):
    text = f"key,note,weight,label{end}a,x,1,good{end}b,y,2,bad{end if last else ''}"
    raw = read(b"\xef\xbb\xbf" + text.encode())
    assert cells(raw) == {
        "key": ["a", "b"],
        "note": ["x", "y"],
        "weight": ["1", "2"],
        "label": ["good", "bad"],
    }


def test_a_header_may_be_quoted_and_composed_otherwise(read, make_task):
    task = make_task(
        [
            {"name": "caf\u00e9 name", "type": "text"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    raw = read('"cafe\u0301 name",",",label\nx,y,good\n'.encode(), task=task)
    assert cells(raw) == {"caf\u00e9 name": ["x"], "label": ["good"]}
    assert raw.dropped_columns == (",",)


def test_a_pattern_in_the_name_is_no_pattern(read, tmp_path):
    (tmp_path / "data1.csv").write_bytes(HEADER + b"other,x,1,good\n")
    assert cells(read(HEADER + b"a,x,1,good\n", "data[1]*.csv"))["key"] == ["a"]


def test_an_open_quote_swallows_the_rest_and_is_counted(read):
    raw = read(HEADER + b'a,x,1,good\nb,"open,1,good\nc,x,1,good\n')
    assert cells(raw)["key"] == ["a"]
    assert reasons(raw) == {"broken quoting": (1, (2,))}


# --- JSON and JSON Lines --------------------------------------------------------------------------


def test_json_lines_reject_what_is_no_object(read):
    good = '{"key": "a\u2028b", "note": "x", "weight": 1, "label": "good"}'
    lines = [good, "[1]", '{"key": 1', '{"key": 1, "key": 2}', "", "7", good]
    content = "\n".join(lines).encode() + b'\n{"key": "\xff"}\n'
    raw = read(content, "data.jsonl")
    assert (raw.read, list(raw.numbers)) == (7, [1, 6])
    assert cells(raw)["key"] == ["a\u2028b"] * 2
    assert reasons(raw) == {
        "not a JSON object": (2, (2, 5)),
        "not valid JSON": (1, (3,)),
        "a key twice": (1, (4,)),
        "not UTF-8": (1, (7,)),
    }


def test_an_array_rejects_elements_and_keeps_numbers_as_written(read):
    row = '{"key": "a", "note": "x", "weight": 1e999, "label": 12345678901234567890123}'
    raw = read(f'[{row}, 3, null, {{"key": "b", "key": "c"}}]'.encode(), "x")
    assert cells(raw)["weight"] == ["1e999"]
    assert cells(raw)["label"] == ["12345678901234567890123"]
    assert reasons(raw) == {"not a JSON object": (2, (2, 3)), "a key twice": (1, (4,))}


def test_deep_nesting_is_one_malformed_row(read):
    row = b'{"key": "a", "note": "x", "weight": 1, "label": "good"}\n'
    raw = read(row + b'{"key": ' + b"[" * 100_000 + b"\n" + row, "x.jsonl")
    assert (raw.read, list(raw.numbers)) == (3, [1, 3])


def test_one_object_on_one_line_is_json_lines_by_its_name_only(read):
    row = json.dumps({"key": "a", "note": "x", "weight": 1, "label": "good"}).encode()
    assert read(row, "one.jsonl").read == 1
    with pytest.raises(ContributionError, match="one JSON object"):
        read(row, "one.json")


# --- Parquet --------------------------------------------------------------------------------------


def test_parquet_types_become_text_that_says_the_same(tmp_path, make_task):
    import datetime
    import decimal

    moment = datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC)
    columns = {
        "whole": pa.array([2**63 - 1], pa.int64()),
        "unsigned": pa.array([2**64 - 1], pa.uint64()),
        "single": pa.array([0.5], pa.float32()),
        "dictionary": pa.array(["x"]).dictionary_encode(),
        "large": pa.array(["y"], pa.large_string()),
        "decimal": pa.array([decimal.Decimal("1.50")]),
        "day": pa.array([datetime.date(2024, 5, 1)]),
        "naive": pa.array([moment.replace(tzinfo=None)], pa.timestamp("ns")),
        "zoned": pa.array([moment], pa.timestamp("ms", "Asia/Tokyo")),
        "flag": pa.array([True]),
        "nothing": pa.nulls(1),
    }
    table = pa.table({**columns, "label": pa.array(["good"])})
    path = tmp_path / "data.parquet"
    pq.write_table(table, path)
    task = make_task(
        [
            *({"name": name, "type": "text", "nullable": True} for name in columns),
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    found = {name: column[0] for name, column in cells(read_rows(str(path), task)).items()}
    assert found["whole"] == "9223372036854775807"
    assert found["unsigned"] == "18446744073709551615"
    assert (found["single"], found["decimal"], found["flag"]) == ("0.5", "1.50", "true")
    assert (found["dictionary"], found["large"], found["nothing"]) == ("x", "y", None)
    assert found["day"] == "2024-05-01"
    assert found["naive"].startswith("2024-05-01 12:30:00")
    assert found["zoned"].startswith("2024-05-01 12:30:00") and found["zoned"].endswith("Z")


# --- refused --------------------------------------------------------------------------------------

ROW = b"a,x,1,good\n"
SECRET = "alice@example.com"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.csv", b"", "is empty"),
        ("data.csv", b"\xef\xbb\xbf \n\n", "is empty"),
        ("data.csv", HEADER, "holds no data rows"),
        ("data.csv", HEADER.strip(), "holds no data rows"),
        ("data.json", b"[]", "holds no data rows"),
        ("data.csv", HEADER.replace(b",", b":") + ROW, "lacks the required 3 columns"),
        ("data.csv", b"key,note,label\na,x,good\n", "lacks the required 1 column 'weight'"),
        ("data.csv", b"key,note,weight,label,note\na,x,1,good,y\n", r"more than once \('note'\)"),
        ("data.csv", b"key,note,weight,label,s,s\na,x,1,good,1,2\n", "1 column name more than"),
        ("data.csv", HEADER[:-1] + b",\xff\n" + ROW, "is not UTF-8"),
        ("data.csv", HEADER[:4] + b"\0" * 40 + HEADER[4:] + ROW, "is binary, not text"),
        ("data.csv", HEADER + b"a,x,1,good\rb,y,2,bad\n", "line ends are mixed"),
        ("data.csv", HEADER + b"a,x,1,good\r\nb,y\rz,2,bad\n", "line ends are mixed"),
        ("data.csv", HEADER + b'a,"x"y,1,good\r\nb,y,2,bad\n', "line ends are mixed"),
        ("data.csv", HEADER + b'a,x,1,good\r\nb,"y,2,bad\n', "line ends are mixed"),
        ("data.csv", b"key," + b"x" * (1 << 21), "first line of more than 1 MiB"),
        ("data.csv.gz", gzip.compress(HEADER + ROW, mtime=0)[:-9], "ends too early"),
        ("data.xlsx", b"PK\x03\x04rest", "spreadsheet"),
        ("data.json", b'{"key": ["a"], "label": ["good"]}', "is one JSON object"),
        ("data.jsonl", b'{\n"key": "a"\n}', "is one JSON object"),
        ("data.json", b'[{"key": "a"}, {"key": ', "not a valid JSON array"),
        ("data.json", b"[1, 2]", "no JSON object at all"),
        ("data.json", b'[{"key": "a", "key": "b"}]', "a key twice in each of its objects"),
        ("data.json", b'[{"key": "a", "label": "good"}]', "lacks the required column 'weight'"),
        ("data.parquet", b"PAR1 and then nothing", "damaged or truncated Parquet"),
    ],
)
def test_bad_files_are_refused_in_a_sentence(read, make_task, name, content, message):
    task = make_task(
        [
            {"name": "key", "type": "text", "role": "id"},
            {"name": "note", "type": "text", "required": False, "nullable": True},
            {"name": "weight", "type": "number"},
            {"name": "label", "type": "category", "role": "target"},
        ]
    )
    with pytest.raises(ContributionError, match=message) as caught:
        read(content, name, task)
    assert name in str(caught.value) and caught.value.exit_code == 3
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("compressed", [False, True])
def test_other_encodings_and_compressed_files_are_read(read, encoding, compressed):
    lines = "key,note,weight,label\n" + "".join(
        f"k{i},caf\u00e9 du jour,{i},good\n" for i in range(9)
    )
    content = lines.encode(encoding)
    raw = read(gzip.compress(content) if compressed else content, "data.csv")
    assert cells(raw)["note"] == ["caf\u00e9 du jour"] * 9
    assert raw.source.compression == ("gzip" if compressed else None)
    expected = {"utf-8-sig": "utf-8", "cp1252": "cp1252"}.get(encoding, "utf-16")
    assert raw.source.encoding is not None and raw.source.encoding.startswith(expected)


@pytest.mark.parametrize("ending", FORMATS)
def test_how_much_of_a_file_was_read_is_known_meanwhile(
    tmp_path, make_task, write, rows, monkeypatch, ending
):
    """About, in CSV: a file's first rows tell how long its others are."""
    monkeypatch.setattr(reading_json, "ROWS_AT_ONCE", 1000)
    monkeypatch.setattr(reading_parquet, "ROWS_AT_ONCE", 1000)
    monkeypatch.setattr(reading_csv, "ROWS_AT_ONCE", 1000)
    write(tmp_path / f"own.{ending}", rows(10_000))
    with open_reader(str(tmp_path / f"own.{ending}"), make_task()) as reader:
        assert reader.share is None
        shares = [reader.share for _ in reader.parts()]
    assert len(shares) >= 5
    assert shares == sorted(shares)
    for place, share in enumerate(shares, 1):
        assert share == pytest.approx(place / len(shares), abs=0.12)
    assert shares[-1] == pytest.approx(1, abs=0.05)


def test_of_several_files_the_share_is_that_of_all(tmp_path, make_task, write, rows):
    for name in "abcd":
        (tmp_path / "data").mkdir(exist_ok=True)
        write(tmp_path / "data" / f"{name}.parquet", rows(50, name))
    with open_reader(str(tmp_path / "data"), make_task()) as reader:
        shares = [reader.share for _ in reader.parts()]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1], abs=0.01)


def test_a_folder_is_its_files_in_order_of_their_names(tmp_path, make_task, write, rows):
    (tmp_path / "data").mkdir()
    for name, prefix in (("b.jsonl", "b"), ("a.csv", "a"), ("c.parquet", "c")):
        write(tmp_path / "data" / name, rows(3, prefix))
    with (tmp_path / "data" / "a.csv").open("a", newline="") as stream:
        stream.write("too,few\r\n")
    raw = read_rows(str(tmp_path / "data"), make_task())
    assert cells(raw)["key"] == [f"{p}{i}" for p in "abc" for i in range(3)]
    assert (raw.read, list(raw.numbers)) == (10, [1, 2, 3, 5, 6, 7, 8, 9, 10])
    assert (raw.source.format, raw.source.files, raw.source.name) == ("mixed", 3, "data")
    (line,) = raw.rejections.lines
    assert (line.row, line.file, line.line, line.reason) == (4, "a.csv", 5, "too few cells")
    content = (tmp_path / "data" / "a.csv").read_bytes()
    assert content[line.byte_offset :].startswith(b"too,few")
    assert line.size_bytes == len("too,few")
    some = read_rows(str(tmp_path / "data" / "[bc]*"), make_task())
    assert cells(some)["key"] == [f"{p}{i}" for p in "bc" for i in range(3)]


def test_a_truncated_parquet_file_is_refused(tmp_path, make_task, write, rows):
    path = write(tmp_path / "data.parquet", rows(50))
    whole = path.read_bytes()
    for length in (len(whole) // 3, len(whole) - 5):
        path.write_bytes(whole[:length])
        with pytest.raises(ContributionError, match="damaged or truncated"):
            read_rows(str(path), make_task())


def test_a_nested_parquet_column_is_refused_by_name(tmp_path, make_task, write):
    row = {"key": "a", "note": ["x"], "weight": 1.0, "label": "good"}
    path = write(tmp_path / "data.parquet", [row])
    with pytest.raises(ContributionError, match="column 'note' as list"):
        read_rows(str(path), make_task())


def test_a_missing_file_a_folder_and_an_unknown_protocol_are_usage_errors(tmp_path, make_task):
    with pytest.raises(MissingFileError, match="There is no file"):
        read_rows(str(tmp_path / "nothing.csv"), make_task())
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="no file"):
        read_rows(str(tmp_path / "empty"), make_task())
    os.mkfifo(tmp_path / "pipe")  # whose other end nobody ever opens
    with pytest.raises(UsageError, match="no regular file"):
        read_rows(str(tmp_path / "pipe"), make_task())
    with pytest.raises(MissingFileError, match="There is no file"):
        read_rows("memory://nothing-here.csv", make_task())
    with pytest.raises(UsageError, match="protocol is unknown"):
        read_rows("no-such-protocol://x/y.csv", make_task())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (f"{SECRET}.csv", b""),
        ("data.csv", f"{SECRET},x,1,good\n{SECRET},x,1,good\n".encode()),
        ("data.csv", f"key,note,weight,label,{SECRET},{SECRET}\n".encode() + ROW),
        ("data.csv", HEADER + f"{SECRET},x,1,good\r{SECRET},x\n".encode()),
        ("data.json", f'[{{"{SECRET}": "{SECRET}", }}]'.encode()),
        ("data.json", f'[{{"{SECRET}": "{SECRET}"}}]'.encode()),
        ("data.json", f'{{"{SECRET}": "{SECRET}"}}'.encode()),
    ],
)
def test_no_refusal_repeats_what_stands_in_the_file(read, name, content):
    with pytest.raises(ContributionError) as caught:
        read(content, name)
    assert "alice" not in str(caught.value)


def test_names_of_files_and_extra_columns_are_masked(read):
    raw = read(f"key,note,weight,label,{SECRET}\na,x,1,good,y\n".encode(), f"{SECRET}.csv")
    assert raw.dropped_columns == ("[EMAIL]",)
    assert "alice" not in raw.source.name


def test_rejected_lines_leave_nothing_of_their_text(read):
    raw = read(HEADER + f"{SECRET}\n{SECRET},{SECRET},1,good,{SECRET}\n".encode() + ROW)
    assert "alice" not in repr(raw)


def test_no_file_is_left_behind(read, tmp_path, monkeypatch):
    import tempfile

    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    read(HEADER + ROW)
    with pytest.raises(ContributionError):
        read(HEADER)
    assert list(folder.iterdir()) == []
    assert Path(folder).exists()


@pytest.mark.parametrize("tail", ["\n \n", "\n\t\n", "\n\n  \n", "bad\n\n \n", "\n\n", " \n"])
def test_blank_and_spaced_lines_at_the_end_keep_numbers_right(tail, tmp_path, make_task):
    path = tmp_path / "c.csv"
    lines = [f"k{i},n{i},1,good" for i in range(50)]
    path.write_text("\n".join([HEADER.decode().strip(), *lines]) + "\n" + tail)
    raw = read_rows(str(path), make_task())
    assert list(raw.numbers) == list(range(1, 51))
    assert len(raw.columns["key"].text) == 50
    assert raw.read == 50 + len(raw.rejections.rows)
    assert all(row > 50 for row in raw.rejections.rows)


def test_a_key_that_is_no_unicode_rejects_its_row(tmp_path, make_task):
    row = '{"key": "a", "note": "n", "weight": 1, "label": "good"}'
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join([row] * 3 + [row[:-1] + ', "x\\ud800": 1}']))
    raw = read_rows(str(path), make_task())
    (reason,) = raw.rejections.reasons()
    assert (reason.reason, reason.first_rows) == ("a key that is not valid Unicode", (4,))
    assert raw.dropped_columns == ()


def test_names_of_nested_fields_are_not_repeated(tmp_path, make_task):
    cell = pa.array([{"canary@secret.example": 1}])
    table = pa.table({"key": ["a"], "note": cell, "weight": [1.0], "label": ["good"]})
    pq.write_table(table, tmp_path / "c.parquet")
    with pytest.raises(ContributionError, match="column 'note' as struct, which") as refused:
        read_rows(str(tmp_path / "c.parquet"), make_task())
    assert "canary" not in str(refused.value)


def test_the_real_ending_decides_though_the_name_is_masked(tmp_path, make_task):
    path = tmp_path / "jane@mail.jsonl"
    path.write_text('{"key": "a", "note": "n", "weight": 1, "label": "good"}')
    raw = read_rows(str(path), make_task())
    assert raw.read == 1
    assert "jane" not in raw.source.name
