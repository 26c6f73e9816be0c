"""A bundle read back, as a stranger's: every file known, canonical where it is JSON, and undamaged.

What this checks is bytes: that they are the manifest's, and the records' own form. Whether the
records follow from one another, from rows or from signatures is a verifier's next question.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hokusai_assets.attestation.bundle import (
    CORE,
    DECISION,
    LEAVES,
    MANIFEST,
    MANIFEST_VERSION,
    PLAN,
    RUN,
)
from hokusai_assets.attestation.canonical import MAX_BYTES, read_record
from hokusai_assets.attestation.decision import body_disagreements
from hokusai_assets.digests import digest_stream
from hokusai_assets.errors import AttestationError, UsageError
from hokusai_assets.files import is_url

MAX_FILES = 10_000

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# Added after the manifest was made, each checked by whoever reads it.
_ADDED = re.compile(
    r"public/signatures/[0-9a-f]{64}\.(?:dsse|sigstore|test-result\.dsse)\.json"
    r"|public/signatures/[0-9a-f]{64}\.(?:baseline|candidate)\.model\.sigstore\.json"
    r"|public/mint/[0-9a-f]{64}\.json",
    re.ASCII,
)


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are those of its manifest.

    `digests` are the SHA-256 of core, plan, decision and manifest; `added` names signatures and
    mint requests; without `has_audit` nothing below audit/ is there.
    """

    place: str
    core: dict[str, Any]
    plan: dict[str, Any]
    decision: dict[str, Any]
    manifest: dict[str, Any]
    digests: dict[str, str]
    added: tuple[str, ...]
    has_audit: bool

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file of the bundle, such as LEAVES, for reading."""
        fs, root = _file_system(self.place)
        with fs.open(f"{root}/{name}", "rb") as stream:
            yield stream

    def records(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Core, plan and decision, each with its file's name."""
        return ((CORE, self.core), (PLAN, self.plan), (DECISION, self.decision))

    @property
    def has_leaves(self) -> bool:
        """Whether the rows are opened."""
        return self.has_audit and LEAVES in self.manifest["files"]


def read_bundle(place: str) -> Bundle:
    """The bundle at a local path or fsspec URL; raises AttestationError with the first fault."""
    names = _names(place)
    if MANIFEST not in names:
        raise AttestationError(f"{place} is no whole bundle: {MANIFEST} is missing.")
    manifest, manifest_digest = _record(place, MANIFEST)
    files = manifest.get("files")
    if set(manifest) != {"manifest_version", "files"} or not isinstance(files, dict):
        raise AttestationError(f"{MANIFEST} must hold manifest_version and files, and no more.")
    if manifest["manifest_version"] != MANIFEST_VERSION:
        raise AttestationError(f"{MANIFEST} is of another version than {MANIFEST_VERSION}.")
    for name, digest in files.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise AttestationError(f"{MANIFEST}: files[{name!a}] is no SHA-256 in hex.")
    has_audit = any(name.startswith("audit/") for name in names)
    _check_names(names, files, has_audit)
    digests = {MANIFEST: manifest_digest}
    records = {}
    for name in (CORE, PLAN, DECISION):
        records[name], digests[name] = _record(place, name)
    fs, root = _file_system(place)
    for name, said in files.items():
        if name not in names:
            continue  # of audit/, which is not here
        found = digests.get(name)
        if found is None:
            with fs.open(f"{root}/{name}", "rb") as stream:
                found = digest_stream(stream)
        if found != said:
            raise AttestationError(f"{name} has SHA-256 {found}, {MANIFEST} says {said}.")
    return Bundle(
        place=place,
        core=records[CORE],
        plan=records[PLAN],
        decision=records[DECISION],
        manifest=manifest,
        digests=digests,
        added=tuple(sorted(name for name in names if _ADDED.fullmatch(name))),
        has_audit=has_audit,
    )


def record_disagreements(bundle: Bundle) -> list[str]:
    """What in core, plan and decision does not name one another, one line each."""
    found = []
    core, plan, decision = bundle.core, bundle.plan, bundle.decision
    try:
        if core["plan_digest"] != bundle.digests[PLAN]:
            found.append(f"{CORE}: plan_digest is not that of {PLAN}")
        if type(core["dry_run"]) is not bool or core["dry_run"] is not plan["dry_run"]:
            found.append(f"{CORE}: dry_run is not the plan's")
        if set(decision) != {"body", "ledger"}:
            found.append(f"{DECISION} must hold body and ledger, and no more")
        found += [
            f"{DECISION}: body.{field} does not follow from core and plan"
            for field in body_disagreements(decision["body"], core, plan)
        ]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        found.append(f"core, plan or decision are not of their form ({type(error).__name__})")
    return found


def _check_names(names: set[str], files: dict[str, Any], has_audit: bool) -> None:
    expected = {name for name in files if has_audit or not name.startswith("audit/")}
    known = {MANIFEST, RUN}
    if missing := sorted({*expected, CORE, PLAN, DECISION} - names):
        raise AttestationError(f"{json.dumps(missing[0])} is missing; {MANIFEST} names it.")
    unknown = sorted(n for n in names - expected - known if not _ADDED.fullmatch(n))
    if unknown:
        raise AttestationError(
            f"{json.dumps(unknown[0])} is no file of a bundle: {MANIFEST} does not name it."
        )
    for name in (CORE, PLAN, DECISION):
        if name not in files:
            raise AttestationError(f"{MANIFEST} does not name {name}.")
    if {MANIFEST, RUN} & set(files):
        raise AttestationError(f"{MANIFEST} names a file that it cannot cover.")


def _record(place: str, name: str) -> tuple[dict[str, Any], str]:
    fs, root = _file_system(place)
    with fs.open(f"{root}/{name}", "rb") as stream:
        content: bytes = stream.read(MAX_BYTES + 1)
    return read_record(content, name), hashlib.sha256(content).hexdigest()


def _names(place: str) -> set[str]:
    """The files of a bundle, by their path inside it."""
    fs, root = _file_system(place)
    if not fs.isdir(root):
        raise AttestationError(f"There is no bundle at {place}: check the path.")
    refuse_links(place)
    names = {path[len(root) :].lstrip("/") for path in fs.find(root)}
    if len(names) > MAX_FILES:
        raise AttestationError(f"{place} holds more than {MAX_FILES:,} files; it is no bundle.")
    return names


def refuse_links(place: str) -> None:
    """Refuse what a stranger's archive can put into a folder beside files.

    A link reads another file of the verifier's machine, /dev/zero among them, and a named pipe
    waits for a writer who never comes. Raises AttestationError with its name.
    """
    fs, root = _file_system(place)
    if not getattr(fs, "local_file", False):
        return
    for folder, folders, files in os.walk(root):
        for path in (Path(folder, name) for name in (*folders, *files)):
            mode = path.lstat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                name = json.dumps(path.relative_to(root).as_posix())
                raise AttestationError(f"{name} is a link or a device: a bundle holds files only.")


class _LocalFiles:
    """What is used here of fsspec's file systems, for local folders.

    Importing fsspec takes as long as checking a thousand rows.
    """

    local_file = True
    open = staticmethod(open)
    isdir = staticmethod(os.path.isdir)

    @staticmethod
    def find(root: str) -> list[str]:
        """The paths of all files below `root`."""
        return [f"{folder}/{name}" for folder, _, files in os.walk(root) for name in files]


def _file_system(place: str) -> tuple[Any, str]:
    if not is_url(place):
        return _LocalFiles, str(Path(place).absolute())
    import fsspec

    try:
        fs, root = fsspec.core.url_to_fs(place)
    except (ImportError, ValueError):
        raise UsageError(
            f"{place} cannot be read: its protocol is unknown, or the package for it is missing."
        ) from None
    return fs, str(root).rstrip("/")
