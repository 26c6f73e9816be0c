"""The bundle on disk: its names, and how it is written: once, whole or not at all.

`public/` holds core, plan, decision and their manifest; `audit/` what named auditors open: leaves,
models, contributed rows, provenance; `run.json` what may differ between two equal runs. Signatures
and mint requests are added later as files of their own, never by an edit. Reading a bundle is
bundle_reading's, what its files mean core's, decision's and rows'.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hokusai_assets.attestation.canonical import write_canonical
from hokusai_assets.digests import digest_file
from hokusai_assets.errors import AlreadyWrittenError, OutputDirError
from hokusai_assets.files import is_url, join, write_once

CORE = "public/core.json"
PLAN = "public/plan.json"
DECISION = "public/decision.json"
MANIFEST = "public/manifest.json"
SIGNATURES = "public/signatures"
MINT = "public/mint"
LEAVES = "audit/rows/leaves.jsonl.gz"
MODELS = {"baseline": "audit/models/baseline", "candidate": "audit/models/candidate"}
DATA = "audit/data"
PROVENANCE = "audit/provenance"
RUN = "run.json"
BY_CORE = "by-core"
MANIFEST_VERSION = 1

_BLOCK = 1 << 20


def bundle_name(run_id: str) -> str:
    """The name of a run's bundle in the output folder."""
    return f"bundle_{run_id}"


@dataclass(frozen=True)
class Staging:
    """A bundle that is being made in a hidden folder beside its place.

    `folder` is local; whatever of audit/ is put there before `publish` is part of the bundle.
    """

    output_dir: str
    run_id: str
    folder: Path

    def place(self, name: str) -> Path:
        """The local path of a file or folder of the bundle; the folder it is in is made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def publish(
        self,
        *,
        core: Mapping[str, Any],
        plan: Mapping[str, Any],
        decision: Mapping[str, Any],
        run: Mapping[str, Any],
    ) -> str:
        """Write the records and the manifest, put the bundle in its place and return that.

        Raises AlreadyWrittenError where there is one. The listing by core comes last: it names
        whole bundles only.
        """
        for name, body in ((CORE, core), (PLAN, plan), (DECISION, decision), (RUN, run)):
            self.place(name).write_bytes(write_canonical(body, name))
        for name in (DATA, PROVENANCE, *MODELS.values()):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.place(MANIFEST).write_bytes(write_canonical(manifest_of(self.folder), MANIFEST))
        target = join(self.output_dir, bundle_name(self.run_id))
        if is_url(self.output_dir):
            _upload(self.folder, target)
        else:
            _rename(self.folder, Path(target))
        digest = hashlib.sha256(write_canonical(core, CORE)).hexdigest()
        listing = {"run_id": self.run_id, "bundle": bundle_name(self.run_id)}
        write_once(
            join(self.output_dir, BY_CORE, digest),
            f"{self.run_id}.json",
            write_canonical(listing, BY_CORE),
        )
        return target


@contextmanager
def staged(output_dir: str, run_id: str) -> Iterator[Staging]:
    """A folder to make a run's bundle in; what was not published is gone afterwards."""
    parent = None
    if not is_url(output_dir):
        # Beside its place, so that publishing is a rename on one file system.
        Path(output_dir).mkdir(parents=True, exist_ok=True)
        parent = output_dir
    folder = Path(tempfile.mkdtemp(prefix=".bundle-", dir=parent))
    try:
        yield Staging(output_dir, run_id, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def manifest_of(folder: Path) -> dict[str, Any]:
    """SHA-256 of every file below public/ and audit/ but itself, signatures and mint requests."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        inside = name.startswith(("public/", "audit/"))
        added = name == MANIFEST or name.startswith((f"{SIGNATURES}/", f"{MINT}/"))
        if path.is_file() and inside and not added:
            digests[name] = digest_file(path)
    return {"manifest_version": MANIFEST_VERSION, "files": digests}


def _rename(folder: Path, target: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # mkdtemp's 0700 would hide it from readers
    if target.exists():
        raise AlreadyWrittenError(f"{target} was written before and is never overwritten.")
    try:
        os.rename(folder, target)  # noqa: PTH104 - the one call that fails on a folder in use
    except OSError as error:
        if target.exists():
            raise AlreadyWrittenError(
                f"{target} was written before and is never overwritten."
            ) from None
        raise OutputDirError(
            f"The bundle cannot be put at {target} ({type(error).__name__}): check the folder's "
            "permissions and its disk."
        ) from error


def _upload(folder: Path, target: str) -> None:
    """Copy the files to a URL, the manifest last: without one a bundle is none."""
    import fsspec

    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    names.sort(key=lambda name: name == MANIFEST)
    fs, root = fsspec.core.url_to_fs(target)
    try:
        if fs.exists(f"{root}/{MANIFEST}"):
            raise AlreadyWrittenError(f"{target} was written before and is never overwritten.")
        for name in names:
            place = f"{root}/{name}"
            fs.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
            with (folder / name).open("rb") as source, fs.open(place, "wb") as sink:
                shutil.copyfileobj(source, sink, _BLOCK)
    except (OSError, NotImplementedError) as error:
        raise OutputDirError(
            f"The bundle cannot be written to {target} ({type(error).__name__}): check the "
            "address and the permissions."
        ) from error
