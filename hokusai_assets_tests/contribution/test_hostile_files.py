"""What a stranger may send to make cleaning fall over: a sentence each, and nothing left."""

import gzip
import json
import os
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hokusai_assets.contribution import reading_json, reading_parquet
from hokusai_assets.contribution.cleaning import clean_contributions
from hokusai_assets.contribution.json_values import Malformed, parse
from hokusai_assets.contribution.reading import open_reader
from hokusai_assets.contribution.rows import PART_BYTES
from hokusai_assets.errors import ContributionError, HokusaiError
from hokusai_assets_tests.contribution.conftest import build_task

CANARY = "canary@example.com"
HEADER = "key,note,weight,label"


@pytest.fixture
def clean(tmp_path, source, monkeypatch):
    """Clean one file whose temporary files are all made in a folder of the test's own."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    made = 0

    def run(path: Path, **sections):
        nonlocal made
        made += 1
        out = tmp_path / f"result{made}" / "rows"
        out.parent.mkdir()
        try:
            found = clean_contributions(
                [source(path)], build_task(**sections), None, None, key=None, folder=str(out)
            )
        except HokusaiError as error:
            assert CANARY not in str(error) and len(str(error)) < 1500
            assert not list(out.parent.iterdir()), "a refused file leaves nothing"
            raise
        finally:
            # multiprocessing's own folder, of a socket, goes with the process.
            left = [path for path in scratch.iterdir() if not path.name.startswith("pymp-")]
            assert not left, "temporary files are left"
        return found.contributions[0]

    return run


def lines(count, **changes):
    made = [f"k{i},note {i} of many,{i},good" for i in range(count)]
    for place, line in changes.items():
        made[int(place[1:])] = line
    return "\n".join([HEADER, *made]) + "\n"


def test_a_line_longer_than_accepted_is_one_rejected_row(clean, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(lines(300, r5=f"k,{CANARY} {'x' * (17 << 20)},1,good"))
    found = clean(path)
    assert (found.counts.read, found.counts.rejected) == (300, 1)
    (reason,) = found.manifest.rejections
    assert (reason.reason, reason.first_rows) == ("a line of more than 16 MiB", (6,))


@pytest.mark.slow
def test_a_file_of_one_endless_line_is_refused(clean, tmp_path):
    path = tmp_path / "c.csv"
    with path.open("wb") as stream:
        stream.write(HEADER.encode() + b"\n")
        for _ in range(200):
            stream.write(CANARY.encode() + b"x" * (1 << 20))
    with pytest.raises(ContributionError):
        clean(path)


def test_a_cell_longer_than_accepted_is_rejected(clean, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(lines(300, r5=f"k,{CANARY} {'x' * (1 << 20)},1,good"))
    (reason,) = clean(path).manifest.rejections
    assert reason.reason == "a cell of more than 1,048,576 bytes"


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_hundred_thousand_columns_are_refused(clean, tmp_path, suffix):
    path = tmp_path / f"c.{suffix}"
    names = [*HEADER.split(","), *(f"c{i}" for i in range(100_000))]
    if suffix == "csv":
        path.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    elif suffix == "jsonl":
        path.write_text(json.dumps(dict.fromkeys(names, 1)) + "\n")
    else:
        pq.write_table(pa.table({name: [1] for name in names[:20_000]}), path)
    with pytest.raises(ContributionError, match=r"more than the accepted 10,000.*max_columns"):
        clean(path)


def test_objects_that_each_bring_new_keys_are_refused(clean, tmp_path):
    path = tmp_path / "c.jsonl"
    row = {"key": "k", "note": CANARY, "weight": 1, "label": "good"}
    with path.open("w") as stream:
        for index in range(300):
            stream.write(json.dumps({**row, **{f"x{index}-{i}": 1 for i in range(100)}}) + "\n")
    with pytest.raises(ContributionError, match="max_columns"):
        clean(path)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deeply_nested_json_is_rejected(clean, tmp_path, opening):
    path = tmp_path / "c.jsonl"
    rows = [
        json.dumps({"key": f"k{i}", "note": f"n {i}", "weight": i, "label": "good"})
        for i in range(300)
    ]
    rows[3] = f'{{"key": "{CANARY}", "note": {opening * 100_000}'
    path.write_text("\n".join(rows))
    (reason,) = clean(path).manifest.rejections
    assert reason.first_rows == (4,)
    path = tmp_path / "c.json"
    path.write_text("[" + opening * 100_000)
    with pytest.raises(ContributionError, match=r"nested too deeply|breaks off"):
        clean(path)


def test_json_nested_past_the_limit_is_rejected_row_by_row(clean, tmp_path):
    def row(index, cell):
        return f'{{"key": "k{index}", "note": "n {index}", "weight": 1, "label": "good", {cell}}}'

    rows = [row(i, '"more": "[[[[[[[[[[[[[[[[[[[[[["') for i in range(300)]
    rows[3] = row(3, '"more": ' + "[" * 10 + "]" * 10)
    rows[5] = row(5, '"more": ' + '{"a":' * 9 + "1" + "}" * 9)
    task = {"reading": {"max_depth": 10}}
    for name, text in (("c.jsonl", "\n".join(rows)), ("c.json", f"[{', '.join(rows)}]")):
        path = tmp_path / name
        path.write_text(text)
        (reason,) = clean(path, **task).manifest.rejections
        assert "max_depth" in reason.reason
        assert reason.first_rows == (4,)


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 3_000_000, '{"a": "' + "[" * 6_000_000, "[" * 6_000_000]
)
def test_a_long_line_is_looked_through_once(text):
    # Anything but one pass takes minutes here.
    assert isinstance(parse(text.encode(), 64), Malformed)


def test_objects_of_long_cells_make_short_parts(tmp_path, make_task, monkeypatch):
    monkeypatch.setattr(reading_json, "PART_BYTES", 1000)
    rows = [{"key": f"k{i}", "note": "n" * 300, "weight": 1, "label": "good"} for i in range(40)]
    path = tmp_path / "c.json"
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        path.write_text(text)
        with open_reader(str(path), make_task()) as reader:
            sizes = [len(part.numbers) for part in reader.parts()]
        assert max(sizes) == 3
        assert sum(sizes) == 40


REPEATED = {"compression": "zstd", "use_dictionary": True}
FRONT_CODED = {
    "compression": "none",
    "use_dictionary": False,
    "column_encoding": {"note": "DELTA_BYTE_ARRAY"},
}


@pytest.mark.parametrize("how", [REPEATED, FRONT_CODED], ids=["dictionary", "prefix"])
def test_a_parquet_file_of_one_long_cell_is_read_in_short_parts(tmp_path, make_task, how):
    path = tmp_path / "c.parquet"
    notes = ["n" * (1 << 16)] * 3000
    columns = {"key": ["k"] * 3000, "note": notes, "weight": [1.0] * 3000, "label": ["good"] * 3000}
    pq.write_table(pa.table(columns), path, **how)
    assert path.stat().st_size < 200_000
    before = pa.total_allocated_bytes()
    most = rows = 0
    with open_reader(str(path), make_task()) as reader:
        for part in reader.parts():
            assert part.columns["note"].text.nbytes < 2 * PART_BYTES
            rows += len(part.numbers)
            most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 3000
    assert most < 8 * PART_BYTES  # of 6 times as much in all


def test_a_parquet_file_of_long_cells_is_read_few_rows_at_once(tmp_path, make_task, monkeypatch):
    monkeypatch.setattr(reading_parquet, "PART_BYTES", 1 << 20)
    path = tmp_path / "c.parquet"
    notes = [f"{i:08}" * 4096 for i in range(1000)]
    columns = {"key": ["k"] * 1000, "note": notes, "weight": [1.0] * 1000, "label": ["good"] * 1000}
    pq.write_table(pa.table(columns), path, use_dictionary=False, write_batch_size=16)
    before, most = pa.total_allocated_bytes(), 0
    with open_reader(str(path), make_task()) as reader:
        for part in reader.parts():
            assert part.columns["note"].text[0].as_py() == notes[part.numbers[0] - 1]
            most = max(most, pa.total_allocated_bytes() - before)
    assert most < 16 << 20  # of 31 MiB in all


def test_a_parquet_file_of_more_text_than_is_accepted_is_refused(clean, tmp_path):
    path = tmp_path / "c.parquet"
    columns = {"key": ["k"] * 300, "note": [CANARY * 100] * 300, "weight": [1.0] * 300}
    pq.write_table(pa.table({**columns, "label": ["good"] * 300}), path)
    with pytest.raises(ContributionError, match="max_bytes"):
        clean(path, reading={"max_bytes": 300 * 100})


def test_a_parquet_page_that_swells_is_refused(clean, tmp_path, monkeypatch):
    monkeypatch.setattr(reading_parquet, "_CHUNK_BYTES", 1 << 20)
    path = tmp_path / "c.parquet"
    columns = {
        "key": ["k"] * 3000,
        "note": ["n" * 1000] * 3000,
        "weight": [1.0] * 3000,
        "label": ["good"] * 3000,
    }
    pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=False)
    with pytest.raises(ContributionError, match="max_decompression_ratio"):
        clean(path)


def test_a_parquet_footer_that_lies_is_refused(clean, tmp_path):
    path = tmp_path / "c.parquet"
    columns = {
        "key": [f"k{i}" for i in range(1000)],
        "note": [CANARY] * 1000,
        "weight": [1.0] * 1000,
        "label": ["good"] * 1000,
    }
    pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    size = struct.unpack("<I", whole[-8:-4])[0]
    for broken in (
        whole[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1",
        whole[:-8] + struct.pack("<I", size // 2) + b"PAR1",
        b"PAR1" + b"\xff" * (len(whole) - size - 12) + whole[-size - 8 :],
    ):
        path.write_bytes(broken)
        with pytest.raises(ContributionError, match="damaged"):
            clean(path)


def test_a_bomb_is_refused_by_its_ratio(clean, tmp_path):
    path = tmp_path / "c.csv.gz"
    path.write_bytes(gzip.compress(HEADER.encode() + b"\n" + b"k,x,1,good\n" * (4 << 20)))
    with pytest.raises(ContributionError, match="decompression_ratio"):
        clean(path)


@pytest.mark.parametrize("cell", ["1e999", "-inf", "0x10", "1,5", "１２ apples", "--1", "1e99999"])
def test_numbers_that_are_none_are_rejected(clean, tmp_path, cell):
    path = tmp_path / "c.csv"
    path.write_text(lines(300, r7=f'k,x,"{cell}",good'))
    (reason,) = clean(path).manifest.rejections
    assert (reason.column, reason.first_rows) == ("weight", (8,))


@pytest.mark.parametrize("cell", ["NaN", "nan", "-NaN", ""])
def test_no_number_is_null_and_rejected_where_it_may_not_be(clean, tmp_path, cell):
    path = tmp_path / "c.csv"
    path.write_text(lines(300, r7=f"k,x,{cell},good"))
    (reason,) = clean(path).manifest.rejections
    assert (reason.column, reason.reason) == ("weight", "empty")


def test_a_day_is_written_in_one_way(clean, tmp_path):
    """2024-02-03 is accepted; 03/02/2024 could be two days and 3 Feb 2024 is prose."""
    columns = [
        {"name": "day", "type": "timestamp"},
        {"name": "label", "type": "category", "role": "target"},
    ]
    path = tmp_path / "c.csv"
    days = [f"2024-02-{1 + i % 28:02}T{i // 28:02}:00" for i in range(300)]
    days[4], days[5] = "03/02/2024", "3 Feb 2024"
    path.write_text("day,label\n" + "".join(f"{day},good\n" for day in days))
    (reason,) = clean(path, columns=columns).manifest.rejections
    assert (reason.reason, reason.first_rows) == ("not an ISO 8601 time", (5, 6))


def test_a_header_with_a_formula_is_an_unknown_column(clean, tmp_path):
    path = tmp_path / "c.csv"
    formula = '=HYPERLINK("http://x/?q="&A1)'.replace('"', '""')
    path.write_text(lines(5).replace(HEADER, f'{HEADER},"{formula}"').replace("good", "good,1"))
    assert clean(path).counts.kept == 5


def test_lone_surrogates_are_rejected_rows(clean, tmp_path):
    path = tmp_path / "c.jsonl"
    rows = [
        json.dumps({"key": f"k{i}", "note": f"n {i}", "weight": i, "label": "good"})
        for i in range(300)
    ]
    rows[9] = r'{"key": "k", "note": "\ud800", "weight": 1, "label": "good"}'
    path.write_text("\n".join(rows))
    (reason,) = clean(path).manifest.rejections
    assert (reason.reason, reason.first_rows) == ("not valid Unicode", (10,))


def test_a_nul_in_a_cell_does_not_end_it(clean, tmp_path):
    path = tmp_path / "c.csv"
    path.write_bytes(lines(300).encode().replace(b"note 7 of", b"note\x007 of"))
    assert clean(path).counts.kept >= 299


def test_a_file_that_is_changed_while_it_is_read_is_refused(clean, tmp_path, monkeypatch):
    from hokusai_assets.contribution import receiving

    path = tmp_path / "c.csv"
    path.write_text(lines(50))
    real = receiving.map_part

    def grow(*args, **kwargs):
        with path.open("a") as stream:
            stream.write("late,row,1,good\n")
        return real(*args, **kwargs)

    monkeypatch.setattr(receiving, "map_part", grow)
    with pytest.raises(ContributionError, match="was changed while it was read"):
        clean(path)


def test_a_pipe_and_a_link_out_of_a_folder_are_refused(clean, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text(lines(5))
    (tmp_path / "secret.csv").write_text(lines(5))
    (folder / "b.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(HokusaiError, match=r"out of|outside"):
        clean(folder)
    (folder / "b.csv").unlink()
    os.mkfifo(folder / "c.csv")
    with pytest.raises(HokusaiError, match="no regular file"):
        clean(folder)


def test_a_files_name_reaches_no_terminal_as_an_escape(clean, tmp_path):
    path = tmp_path / "x\n\x1b[2J.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ContributionError, match=r"The file x\?\?\[2J\.csv lacks"):
        clean(path)


def test_a_parquet_column_whose_name_is_no_text_is_refused(clean, tmp_path):
    path = tmp_path / "c.parquet"
    pq.write_table(pa.table({"PLACEHOLD": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"PLACEHOLD", b"\xff\xfealice\xfe\xff"))
    with pytest.raises(ContributionError, match="damaged"):
        clean(path)


def test_folders_without_end_are_refused(clean, tmp_path):
    folder = tmp_path / "deep"
    folder.joinpath(*["d"] * 150).mkdir(parents=True)
    with pytest.raises(HokusaiError, match="levels deep"):
        clean(folder)
