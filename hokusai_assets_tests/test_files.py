"""Files are written whole, once, and never over another."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hokusai_assets.errors import AlreadyWrittenError, OutputDirError
from hokusai_assets.files import check_writable, join, write_once


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = write_once(str(tmp_path / "new"), "a.json", b"first")
    with pytest.raises(AlreadyWrittenError, match="never overwritten"):
        write_once(str(tmp_path / "new"), "a.json", b"second")
    assert Path(path).read_bytes() == b"first"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.json"]


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    def attempt(number: int) -> bool:
        try:
            write_once(str(tmp_path), "a", str(number).encode() * 1000)
        except AlreadyWrittenError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        wins = list(pool.map(attempt, range(8)))
    assert sum(wins) == 1
    assert (tmp_path / "a").read_bytes() == str(wins.index(True)).encode() * 1000


def test_urls_are_written_once_too() -> None:
    write_once("memory://once", "a", b"first")
    with pytest.raises(AlreadyWrittenError):
        write_once("memory://once", "a", b"second")


def test_joining() -> None:
    assert join("s3://bucket/x/", "a", "b") == "s3://bucket/x/a/b"
    assert join("x", "a", "b") == str(Path("x/a/b"))


def test_a_folder_below_a_file_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(OutputDirError, match="is not a folder"):
            check_writable(str(tmp_path / place))
    check_writable(str(tmp_path / "not" / "yet" / "there"))
    assert [p.name for p in tmp_path.iterdir() if p.name != "home"] == ["file"]


def test_a_url_that_cannot_be_written_is_refused_like_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputDirError, match="is not a folder"):
        check_writable((tmp_path / "file" / "below").as_uri())
    with pytest.raises(OutputDirError, match="protocol is unknown"):
        check_writable("nosuch://bucket/x")
    for nothing in ("", "  "):
        with pytest.raises(OutputDirError, match="has no name"):
            check_writable(nothing)
    check_writable("memory://not/yet/there")
    with pytest.raises(OutputDirError, match=r"written to http://127\.0\.0\.1:9/x \("):
        write_once("http://127.0.0.1:9/x", "a", b"first")  # nobody listens there
