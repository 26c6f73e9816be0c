"""Tables on disk: what is written is read again, locally and by URL, and damage is told plainly."""

import datetime
import uuid
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hokusai_assets.errors import StorageError
from hokusai_assets.tables import PART, arrow_type, read_table, write_table

TYPES = ("text", "category", "integer", "number", "boolean", "timestamp")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(
    min_value=datetime.datetime(1700, 1, 1),
    max_value=datetime.datetime(2250, 1, 1),
    timezones=st.just(datetime.UTC),
)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "category": TEXT,
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "timestamp": TIMES,
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table with a column of every type, nulls among its cells."""
    count = draw(st.integers(0, 8))
    return pa.table(
        {
            name: pa.array(
                draw(st.lists(st.none() | CELLS[name], min_size=count, max_size=count)),
                arrow_type(name),
            )
            for name in TYPES
        }
    )


def publish(folder: Path) -> str:
    """The folder's files below a new memory:// URL."""
    url = f"memory://{uuid.uuid4().hex}/rows"
    fs, root = fsspec.core.url_to_fs(url)
    fs.makedirs(root, exist_ok=True)
    for path in folder.iterdir():
        fs.pipe_file(f"{root}/{path.name}", path.read_bytes())
    return url


def numbers(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int64()), "square": [v * v for v in values]})


@given(tables())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_table_of_every_column_type_comes_back_equal(tmp_path: Path, table: pa.Table) -> None:
    folder = tmp_path / uuid.uuid4().hex
    write_table(table, folder)
    assert read_table(str(folder)).equals(table)
    url = publish(folder)
    assert read_table(url).equals(table)


@pytest.mark.parametrize(
    ("column_type", "value", "stored"),
    [
        ("text", "a", pa.string()),
        ("category", "a", pa.string()),
        ("integer", 2**63 - 1, pa.int64()),
        ("number", 0.1, pa.float64()),
        ("boolean", False, pa.bool_()),
        (
            "timestamp",
            datetime.datetime(2024, 2, 29, 23, 59, 59, 999_999, datetime.UTC),
            pa.timestamp("us", tz="UTC"),
        ),
    ],
)
def test_each_column_type_holds_its_cells_exactly(
    tmp_path: Path, column_type: str, value: Any, stored: pa.DataType
) -> None:
    assert arrow_type(column_type) == stored
    write_table(pa.table({"c": pa.array([value, None], arrow_type(column_type))}), tmp_path / "t")
    read = read_table(str(tmp_path / "t"))
    assert read.schema.field("c").type == stored
    assert read.column("c").to_pylist() == [value, None]


def test_an_unknown_column_type_has_no_arrow_type() -> None:
    with pytest.raises(KeyError):
        arrow_type("complex")


def test_missing_folders_on_the_way_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    write_table(numbers(1), folder)
    assert [path.name for path in folder.iterdir()] == [PART]


def test_equal_tables_are_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_table(numbers(3, 1, 2), tmp_path / name)
    assert (tmp_path / "one" / PART).read_bytes() == (tmp_path / "two" / PART).read_bytes()


def test_only_the_columns_asked_for_are_read_and_in_that_order(tmp_path: Path) -> None:
    write_table(numbers(2, 3), tmp_path / "t")
    assert read_table(str(tmp_path / "t"), ["square"]).to_pydict() == {"square": [4, 9]}
    both = read_table(str(tmp_path / "t"), ("square", "n"))
    assert both.column_names == ["square", "n"]


def test_several_parts_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    for name, value in (("part-2", 3), ("part-0", 1), ("part-1", 2)):
        write_table(numbers(value), tmp_path / name)
        folder.mkdir(exist_ok=True)
        (tmp_path / name / PART).rename(folder / f"{name}.parquet")
    assert read_table(str(folder)).column("n").to_pylist() == [1, 2, 3]
    assert read_table(publish(folder)).column("n").to_pylist() == [1, 2, 3]


def test_files_beside_the_rows_are_not_read_as_rows(tmp_path: Path) -> None:
    write_table(numbers(1, 2), tmp_path / "t")
    (tmp_path / "t" / "notes.txt").write_text("no rows")
    assert read_table(str(tmp_path / "t")).num_rows == 2


def test_rows_of_several_row_groups_keep_their_order(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array(range(70_001), pa.int64())})
    write_table(table, tmp_path / "t")
    assert read_table(str(tmp_path / "t")).equals(table)


@pytest.mark.parametrize("made", ["no folder", "empty folder", "another file only"])
def test_rows_that_are_gone_are_said_to_be_gone(tmp_path: Path, made: str) -> None:
    folder = tmp_path / "t"
    if made != "no folder":
        folder.mkdir()
    if made == "another file only":
        (folder / "notes.txt").write_text("no rows")
    with pytest.raises(StorageError) as caught:
        read_table(str(folder))
    assert str(caught.value) == (
        f"The stored rows in {folder} are gone: materialize the asset again."
    )


def test_rows_that_are_gone_from_a_url_are_said_to_be_gone() -> None:
    with pytest.raises(StorageError, match=r"memory://nowhere/\w+ are gone"):
        read_table(f"memory://nowhere/{uuid.uuid4().hex}")


@pytest.mark.parametrize("cut", [0, 10, -6])
def test_damaged_rows_are_said_to_be_damaged(tmp_path: Path, cut: int) -> None:
    table = pa.table({"c": ["canaryvalue"] * 50})
    write_table(table, tmp_path / "t")
    part = tmp_path / "t" / PART
    part.write_bytes(part.read_bytes()[:cut])
    with pytest.raises(StorageError, match=r"are damaged .*: materialize the asset again") as told:
        read_table(str(tmp_path / "t"))
    assert "canaryvalue" not in str(told.value)
