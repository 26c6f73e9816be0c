"""What a file's first bytes show, beside what its name says.

Only what needs no more than that: formats that nobody here reads are refused with advice, and a
name that says otherwise than the content gets a note, for the content is what counts.
"""

from __future__ import annotations

from pathlib import Path

from hokusai_assets.contribution.decompressing import Compression
from hokusai_assets.errors import ContributionError

_UTF8_MARK = b"\xef\xbb\xbf"
_REFUSED_STARTS = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet: extract it, or save it as CSV",
    b"PK\x05\x06": "an empty ZIP archive: send the file itself",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save it as CSV",
    b"BZh": "bzip2-compressed: decompress it, or use gzip or zstd",
    b"\xfd7zXZ\0": "xz-compressed: decompress it, or use gzip or zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: extract it",
    b"\x04\x22\x4d\x18": "lz4-compressed: decompress it, or use gzip or zstd",
    b"ARROW1": "an Arrow file: save it as Parquet",
    b"Obj\x01": "an Avro file: save it as Parquet",
    b"SQLite format 3\0": "a database: save the table as CSV or Parquet",
    b"%PDF-": "a PDF: save the table as CSV",
}
_COMPRESSION_ENDINGS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_FORMAT_ENDINGS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "CSV"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "JSON"),
    **dict.fromkeys((".parquet", ".pq"), "Parquet"),
}


def refuse_by_start(head: bytes, name: str) -> None:
    """Raise ContributionError if the first bytes are those of a format that is not read."""
    advice = next((a for magic, a in _REFUSED_STARTS.items() if head.startswith(magic)), None)
    if head[257:262] == b"ustar":
        advice = "a tar archive: extract it, and send the files or their folder"
    if advice:
        raise ContributionError(f"The file {name} is {advice}.")


def name_and_notes(
    part: str, compression: Compression | None, encoding: str | None, head: bytes
) -> tuple[str, tuple[str, ...]]:
    """The name without the ending of a compression, and what the name says but content does not."""
    notes = []
    hint, dot, last = part.rpartition(".")
    ending = (dot + last).lower()
    said = _COMPRESSION_ENDINGS.get(ending)
    if said is None:
        hint = part
    if said != compression:
        promised = f"its name ends in {ending}" if said else "its name says nothing of it"
        notes.append(
            f"{promised}, but it is {f'{compression}-' if compression else 'not '}compressed"
        )
    ending = Path(hint).suffix.lower()
    named = _FORMAT_ENDINGS.get(ending)
    start = head.removeprefix(_UTF8_MARK).lstrip()
    shown = "Parquet" if encoding is None else "JSON" if start[:1] in (b"[", b"{") else "CSV"
    if start and named not in (None, shown):
        notes.append(f"its name ends in {ending}, but its content starts like {shown}")
    if encoding not in (None, "utf-8"):
        notes.append(f"read as {encoding}, as its bytes suggest: save it as UTF-8 to be sure")
    return hint, tuple(notes)
