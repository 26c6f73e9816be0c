"""Whatever is sent becomes plain local files, or one sentence; nothing is left behind."""

import gzip
import hashlib
import http.server
import io
import os
import shutil
import socket
import tarfile
import tempfile
import threading
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hokusai_assets.contribution import finding
from hokusai_assets.contribution.decompressing import Received, plain_blocks
from hokusai_assets.contribution.opening import Limits, PlainFile, opened
from hokusai_assets.errors import ContributionError, MissingFileError, UsageError

TEXT = b"key,note\na,x\nb,y\n"
ZSTD = pa.Codec("zstd")


def zstd(content: bytes) -> bytes:
    return ZSTD.compress(content, asbytes=True)


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # the same names of tests in every process


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def all_of(path, limits: Limits | None = None) -> list[tuple[PlainFile, bytes]]:
    with opened(str(path), limits) as files:
        return [(file, file.path.read_bytes()) for file in files]


def names_of(path, limits: Limits | None = None) -> list[str]:
    return [file.name for file, _ in all_of(path, limits)]


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory, monkeypatch):
    """The folder for temporary files; every test leaves it empty."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def send(tmp_path):
    def write(content: bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def memory():
    fs = fsspec.filesystem("memory")
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


def refusal(path, kind=ContributionError, limits: Limits | None = None) -> str:
    with pytest.raises(kind) as caught, opened(str(path), limits):
        pass
    assert type(caught.value) is kind
    return str(caught.value)


# --- One file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [TEXT, b"\xef\xbb\xbf" + TEXT, "é,ł,宇,\U0001f600\n".encode(), b""]
)
def test_plain_utf8_is_handed_on_as_it_is_and_not_copied(send, scratch, content):
    path = send(content)
    with opened(str(path)) as (file,):
        assert list(scratch.rglob("*.*")) == []
        assert file.path == path
    assert (file.name, file.hint, file.encoding, file.compression) == (
        *("data.csv", "data.csv", "utf-8", None),
    )
    assert (file.size_bytes, file.sha256, file.notes) == (len(content), sha256(content), ())
    assert file.modified.endswith("+00:00")


def test_parquet_has_no_encoding_and_is_not_copied(tmp_path):
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with opened(str(path)) as (file,):
        assert (file.path, file.encoding, file.notes) == (path, None, ())
        assert file.sha256 == sha256(path.read_bytes())


@pytest.mark.parametrize(
    ("compression", "content"),
    [
        ("gzip", gzipped(TEXT)),
        ("gzip", gzipped(TEXT[:9]) + gzipped(b"") + gzipped(TEXT[9:])),
        ("zstd", zstd(TEXT)),
        ("zstd", zstd(TEXT[:9]) + zstd(TEXT[9:])),
        ("zstd", b"\x50\x2a\x4d\x18\x02\0\0\0ab" + zstd(TEXT)),
    ],
)
@pytest.mark.parametrize("url", ["", "file://", "memory://"])
def test_compression_is_told_by_content(send, memory, compression, content, url):
    ending = ".gz" if compression == "gzip" else ".zst"
    path = f"{url}{send(content, f'data.csv{ending}')}"
    if url == "memory://":
        memory.pipe_file(path, content)
    [(file, plain)] = all_of(path)
    assert plain == TEXT
    assert (file.compression, file.hint, file.notes) == (compression, "data.csv", ())
    assert (file.name, file.size_bytes) == (f"data.csv{ending}", len(content))
    assert file.sha256 == sha256(content)
    assert not file.path.exists()


@pytest.mark.parametrize("compress", [gzipped, zstd])
def test_content_of_many_blocks_comes_out_whole(send, compress):
    content = b"".join(f"{n},{n * 7919 % 10007}\n".encode() for n in range(400_000))
    path = send(compress(content), "data")
    [(file, plain)] = all_of(path)
    assert plain == content
    assert file.sha256 == sha256(path.read_bytes())


@pytest.mark.parametrize("url", ["file://", "memory://"])
def test_a_url_is_a_file_too(send, memory, url):
    path = f"{url}{send(TEXT)}"
    if url == "memory://":
        memory.pipe_file(path, TEXT)
    [(file, plain)] = all_of(path)
    assert (plain, file.name, file.size_bytes) == (TEXT, "data.csv", len(TEXT))
    assert file.modified.endswith("+00:00")


def test_names_are_masked_everywhere(send, memory):
    path = send(TEXT, "jane.doe@example.com.csv")
    assert names_of(path) == ["[EMAIL]"]
    path.write_bytes(gzipped(TEXT)[:-3])
    assert "jane" not in refusal(path)
    path.unlink()
    assert "jane" not in refusal(path, MissingFileError)
    assert "jane" not in refusal("memory://jane.doe@example.com.csv", MissingFileError)


# --- Compression that is wrong --------------------------------------------------------------------


@pytest.mark.parametrize("compress", [gzipped, zstd])
@pytest.mark.parametrize("url", ["", "memory://"])
def test_a_bomb_is_refused_by_its_ratio_long_before_its_end(
    send, memory, monkeypatch, compress, url
):
    written = []
    unlink = shutil.rmtree
    monkeypatch.setattr(
        "shutil.rmtree",
        lambda folder, *a, **k: (
            written.extend(p.stat().st_size for p in Path(folder).rglob("*")),
            unlink(folder, *a, **k),
        ),
    )
    content = compress(bytes(200 << 20))
    path = f"{url}{send(content, 'data.csv.gz')}"
    if url:
        memory.pipe_file(path, content)
    message = refusal(path)
    assert "200 times" in message
    assert "decompression_ratio" in message
    assert written and max(written) <= 32 << 20


def test_a_ratio_within_the_limit_is_read(send):
    content = gzipped(b"a,b\n" * (5 << 20))
    assert len(all_of(send(content), Limits(decompression_ratio=1100))[0][1]) == 20 << 20
    assert "100 times" in refusal(send(content), limits=Limits(decompression_ratio=100))
    small = gzipped(b"a,b\n" * (3 << 20))  # below the bytes from which the ratio counts
    assert len(all_of(send(small), Limits(decompression_ratio=100))[0][1]) == 12 << 20


@pytest.mark.parametrize("compress", [bytes, gzipped, zstd])
def test_total_bytes_are_counted_decompressed_and_over_all_files(send, tmp_path, compress):
    for name in ("a", "b"):
        send(compress(TEXT), f"in/{name}")
    assert len(all_of(tmp_path / "in", Limits(total_bytes=2 * len(TEXT)))) == 2
    message = refusal(tmp_path / "in", limits=Limits(total_bytes=2 * len(TEXT) - 1))
    assert "total_bytes" in message
    assert "up to b" in message


def test_a_file_above_total_bytes_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "sparse.csv").open("wb") as stream:
        stream.truncate(1 << 40)
    assert "total_bytes" in refusal(tmp_path / "sparse.csv")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzipped(TEXT)[:-1], "ends too early"),
        (gzipped(TEXT)[:15], "ends too early"),
        (gzipped(TEXT) + gzipped(TEXT)[:-4], "ends too early"),
        (gzipped(TEXT) + b"secret", "damaged"),
        (gzipped(TEXT) + b"\0\0", "damaged"),
        (gzipped(TEXT)[:-8] + bytes(8), "damaged"),
        (b"\x1f\x8b" + TEXT, "damaged"),
        (zstd(TEXT)[:-1], "ends too early"),
        (zstd(TEXT) + b"secret", "damaged"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 30, "damaged"),
    ],
)
def test_a_broken_archive_is_refused(send, content, reason):
    message = refusal(send(content))
    assert reason in message
    assert "data.csv" in message
    assert "secret" not in message


@pytest.mark.parametrize("inner", [gzipped, zstd])
@pytest.mark.parametrize("outer", [gzipped, zstd])
def test_compressed_twice_is_refused(send, inner, outer):
    assert "twice" in refusal(send(outer(inner(TEXT))))


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("data.csv"), io.BytesIO())
    return stream.getvalue()


@pytest.mark.parametrize("outer", [bytes, gzipped])
@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"PK\x03\x04rest", "extract it"),
        (b"\xd0\xcf\x11\xe0rest", "save it as CSV"),
        (b"BZh91AY&SY", "bzip2"),
        (b"ARROW1\0\0", "Parquet"),
        (_tar(), "tar archive"),
    ],
)
def test_formats_that_are_not_read_are_refused_with_advice(send, outer, content, advice):
    assert advice in refusal(send(outer(content)))


# --- Encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [bytes, gzipped])
@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\0\0", "utf-32"),
        ("utf-32-be", b"\0\0\xfe\xff", "utf-32"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_other_encodings_arrive_as_utf8(send, scratch, wrap, encoding, mark, found):
    text = "key,note\n" + "a,déjà vu – “été”\n" * 100_000  # more than one block
    content = wrap(mark + text.encode(encoding))
    with opened(str(send(content, "data.csv"))) as (file,):
        assert file.path.read_text("utf-8") == text
        assert len(list(scratch.glob("*/*"))) == 1  # the decompressed copy is gone by now
    assert file.encoding == found
    assert f"read as {found}, as its bytes suggest: save it as UTF-8 to be sure" in file.notes
    assert (file.size_bytes, file.sha256) == (len(content), sha256(content))


@pytest.mark.parametrize("broken", [b"caf\xe9", b"\xff\xfe", b"\xc3", b"\x81\x8d"])
def test_utf8_with_a_broken_line_stays_as_it_is(send, broken):
    lines = [f"{n},naïve café".encode() for n in range(1000)]
    lines[500] = b"500," + broken
    path = send(b"\n".join(lines))
    with opened(str(path)) as (file,):
        assert (file.path, file.encoding) == (path, "utf-8")


@pytest.mark.parametrize("broken", [b"\xff", b"na\xffve", b"\x81", b"na\x81ve", b"plai\xa4n"])
def test_ascii_with_bytes_that_are_no_letters_stays_as_it_is(send, broken):
    path = send(TEXT + b"c," + broken + b"\n")
    with opened(str(path)) as (file,):
        assert (file.path, file.encoding) == (path, "utf-8")


def test_bytes_outside_the_detected_encoding_are_refused_without_being_shown(send):
    message = refusal(send(("año,señor\n" * 50).encode("cp1252") * 9000 + b"\xff\xfe\x81secret"))
    assert "secret" not in message
    assert "utf-8" in message.lower()


def test_broken_utf16_is_refused(send):
    assert "utf-16" in refusal(send(b"\xff\xfea\0\x00\xd8b\0"))


def test_binary_is_refused(send):
    assert "binary" in refusal(send(bytes(range(256)) * 100))
    # Zero bytes far behind a clean start
    assert "binary" in refusal(send(TEXT * 100_000 + bytes(10_000)))


def test_one_zero_byte_in_much_text_is_the_readers_matter(send):
    path = send(TEXT * 1000 + b"\0")
    assert all_of(path)[0][0].encoding == "utf-8"


# --- Names that lie -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "hint", "note"),
    [
        ("d.csv.gz", TEXT, "d.csv", "its name ends in .gz, but it is not compressed"),
        ("d.csv.gz", zstd(TEXT), "d.csv", "its name ends in .gz, but it is zstd-compressed"),
        ("d.csv", gzipped(TEXT), "d.csv", "its name says nothing of it, but it is gzip-"),
        (
            "d.json",
            b"PAR1....",
            "d.json",
            "its name ends in .json, but its content starts like Par",
        ),
        (
            "d.parquet",
            TEXT,
            "d.parquet",
            "its name ends in .parquet, but its content starts like C",
        ),
        ("d.csv", b' {"a": 1}', "d.csv", "its name ends in .csv, but its content starts like JSON"),
        ("d.JSONL", TEXT, "d.JSONL", "its name ends in .jsonl, but its content starts like CSV"),
        ("d.jsonl", "[1]".encode("utf-16"), "d.jsonl", "read as utf-16"),
    ],
)
def test_a_name_that_lies_gets_a_note(send, name, content, hint, note):
    [(file, _)] = all_of(send(content, name))
    assert file.hint == hint
    assert len(file.notes) == 1
    assert file.notes[0].startswith(note)


# --- Folders and patterns -------------------------------------------------------------------------


@pytest.fixture
def tree(send, tmp_path, memory):
    """The same files locally and in memory."""
    files = {
        "b.csv": TEXT,
        "a.jsonl": b'{"key": "a"}\n',
        "sub/c.csv": gzipped(TEXT),
        "sub/deep/a.csv": TEXT,
        ".hidden.csv": TEXT,
        ".git/d.csv": TEXT,
        "_SUCCESS": b"",
        "sub/_metadata": b"PAR1",
    }
    for name, content in files.items():
        send(content, f"in/{name}")
        memory.pipe_file(f"memory://in/{name}", content)
    return {"": str(tmp_path), "file://": f"file://{tmp_path}", "memory://": "memory:/"}


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("in", ["a.jsonl", "b.csv", "sub/c.csv", "sub/deep/a.csv"]),
        ("in/", ["a.jsonl", "b.csv", "sub/c.csv", "sub/deep/a.csv"]),
        ("in/*.csv", ["b.csv"]),
        ("in/*", ["a.jsonl", "b.csv"]),
        ("in/**/*.csv", ["b.csv", "sub/c.csv", "sub/deep/a.csv"]),
        ("in/s*/*.csv", ["sub/c.csv"]),
        ("in/[ab].*", ["a.jsonl", "b.csv"]),
        ("in/.h*", [".hidden.csv"]),
    ],
)
def test_folders_and_patterns_name_their_files_in_order(tree, scheme, pattern, names):
    found = all_of(f"{tree[scheme]}/{pattern}")
    assert [file.name for file, _ in found] == names
    for file, plain in found:
        assert plain == (TEXT if file.name.endswith(".csv") else b'{"key": "a"}\n')


@pytest.mark.parametrize("name", ["da*a.csv", "da[t]a.csv", "what?.csv", "**"])
def test_a_file_whose_name_looks_like_a_pattern_is_that_file(send, name):
    send(b"other\n", "data.csv")
    [(file, plain)] = all_of(send(TEXT, name))
    assert (plain, file.name) == (TEXT, name)


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
@pytest.mark.parametrize("path", ["none", "none/", "in/*.parquet", "none/*.csv", "in/sub/none"])
def test_what_names_no_file_is_missing(tree, scheme, path):
    refusal(f"{tree[scheme]}/{path}", MissingFileError)


def test_an_empty_folder_is_missing(tmp_path, send):
    send(TEXT, "in/.hidden")
    assert "names no file" in refusal(tmp_path / "in", MissingFileError)


@pytest.mark.parametrize("scheme", ["", "memory://"])
def test_too_many_files_are_refused(tree, scheme):
    assert len(names_of(f"{tree[scheme]}/in", Limits(files=4))) == 4
    message = refusal(f"{tree[scheme]}/in", limits=Limits(files=3))
    assert "more than 3 files" in message
    assert "(the limit files)" in message


def test_an_unknown_protocol_is_a_usage_error():
    assert "protocol" in refusal("nosuch://host/data.csv", UsageError)


class _Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        denied = "deny" in self.path or ("late" in self.path and self.command == "GET")
        self.send_response(403 if denied else 200)
        self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(TEXT)

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    pytest.importorskip("aiohttp")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_web_address_is_read_and_its_query_never_shown(site):
    [(file, plain)] = all_of(f"{site}/data.csv?token=secret")
    assert (file.name, file.hint, plain) == ("data.csv", "data.csv", TEXT)
    assert "secret" not in refusal(f"{site}/deny.csv?token=secret", MissingFileError)
    message = refusal(f"{site}/late.csv?token=secret", UsageError)
    assert "(OSError)" in message
    assert "secret" not in message


# --- Links, pipes, permissions --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "link"])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("url", ["", "file://"])
def test_pipes_sockets_and_devices_are_refused_unopened(tmp_path, kind, inside, url):
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "data.csv"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif kind == "link":
        os.mkfifo(folder / ".pipe")
        path.symlink_to(".pipe")
    elif inside:
        pytest.skip("a device cannot be made without privileges")
    else:
        path = Path("/dev/zero")
    assert "no regular file" in refusal(f"{url}{folder if inside else path}", UsageError)


def test_a_pipe_that_takes_a_files_place_is_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "data.csv"
    os.mkfifo(path)
    checked = []
    real = finding.check_regular

    def check(mode, name):
        checked.append(name)
        if len(checked) > 2:  # what was checked by name was still a file
            real(mode, name)

    monkeypatch.setattr(finding, "check_regular", check)
    assert "no regular file" in refusal(path, UsageError)
    assert len(checked) == 3


@pytest.mark.parametrize("pattern", ["", "/*.csv", "/**", "/**/*.csv"])
@pytest.mark.parametrize("target", ["secret@example.com.csv", "."])
def test_a_link_out_of_a_folder_is_refused(send, tmp_path, pattern, target):
    send(TEXT, "outside/secret@example.com.csv")
    send(TEXT, "in/a.csv")
    (tmp_path / "in/b@example.com.csv").symlink_to(tmp_path / "outside" / target)
    message = refusal(f"{tmp_path}/in{pattern}")
    assert "leads out of its folder" in message
    assert "example.com" not in message


def test_a_link_beside_the_pattern_is_no_matter(send, tmp_path):
    send(TEXT, "in/a.csv")
    (tmp_path / "in/link.txt").symlink_to("/etc/passwd")
    assert names_of(f"{tmp_path}/in/*.csv") == ["a.csv"]


def test_a_link_within_a_folder_names_no_second_file(send, tmp_path):
    send(TEXT, "in/sub/a.csv")
    (tmp_path / "in/b.csv").symlink_to("sub/a.csv")
    (tmp_path / "in/loop").symlink_to(".")
    (tmp_path / "in/sub/loop").symlink_to("..")
    assert len(names_of(tmp_path / "in")) == 1
    assert len(names_of(f"{tmp_path}/in/**/*.csv")) == 1


def test_a_link_given_as_the_path_is_followed(send, tmp_path):
    path = send(TEXT, "elsewhere/data.csv")
    (tmp_path / "file.csv").symlink_to(path)
    (tmp_path / "folder").symlink_to(path.parent)
    (tmp_path / "chain").symlink_to("folder")
    assert [f.path for f, _ in all_of(tmp_path / "file.csv")] == [path]
    assert names_of(tmp_path / "file.csv") == ["file.csv"]
    assert names_of(tmp_path / "chain") == ["data.csv"]
    assert names_of(f"{tmp_path}/chain/*") == ["data.csv"]


def test_a_dangling_link_is_missing(tmp_path):
    (tmp_path / "data.csv").symlink_to("none")
    refusal(tmp_path / "data.csv", MissingFileError)
    refusal(tmp_path, MissingFileError)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_usage_error(send):
    path = send(TEXT)
    path.chmod(0)
    assert "permissions" in refusal(path, UsageError)


def test_a_disk_that_fails_is_a_usage_error_also_inside_an_archive(send, monkeypatch):
    def fail(self, size=-1):
        raise PermissionError(13, "secret")

    monkeypatch.setattr("hokusai_assets.contribution.decompressing.Received._fetch", fail)
    message = refusal(send(TEXT), UsageError)
    assert "PermissionError" in message
    assert "secret" not in message


@pytest.mark.parametrize(("compression", "compress"), [("gzip", gzipped), ("zstd", zstd)])
def test_a_failed_disk_is_not_taken_for_a_broken_archive(compression, compress):
    class Disk(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise TimeoutError
            return super().read(1000)

    received = Received(Disk(compress(os.urandom(1 << 20))))
    with pytest.raises(TimeoutError):
        list(plain_blocks(received, compression, 200, "data"))


def test_a_full_disk_says_where(send, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hokusai_assets.contribution.opening._pass", full)
    assert "TMPDIR" in refusal(send(gzipped(TEXT)), UsageError)


# --- Changes meanwhile ----------------------------------------------------------------------------


def _append(path):
    with path.open("ab") as stream:
        stream.write(b"c,z\n")


def _rewrite_in_secret(path):
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"x", b"w"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace(path):
    before = path.stat()
    path.rename(path.with_name("old"))
    path.write_bytes(TEXT)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [_append, _rewrite_in_secret, _replace, Path.unlink])
@pytest.mark.parametrize("wrap", [bytes, gzipped])
def test_a_file_that_changes_while_it_is_used_is_refused(send, change, wrap):
    path = send(wrap(TEXT))
    os.utime(path, ns=(0, 10**18))
    with (
        pytest.raises(ContributionError, match=r"data\.csv was changed while it was read"),
        opened(str(path)),
    ):
        change(path)


def test_an_error_of_the_body_comes_through_as_it_is(send):
    path = send(TEXT)
    with pytest.raises(OSError, match="mine"), opened(str(path)):
        path.unlink()
        raise OSError("mine")
    with pytest.raises(ZeroDivisionError), opened(str(send(gzipped(TEXT)))):
        raise ZeroDivisionError


def test_a_file_that_grows_in_the_scan_is_refused(send, monkeypatch):
    path = send(TEXT)
    real = os.fstat

    def grow(handle):
        status = real(handle)  # and before the first byte is read
        _append(path)
        return status

    monkeypatch.setattr("hokusai_assets.contribution.finding.os.fstat", grow)
    assert "changed while" in refusal(path)


def test_a_download_cut_short_is_refused(memory, monkeypatch):
    memory.pipe_file("memory://data.csv", TEXT)
    real = type(memory).info
    monkeypatch.setattr(
        type(memory), "info", lambda self, path, **k: real(self, path, **k) | {"size": 10**6}
    )
    assert "changed while" in refusal("memory://data.csv")
