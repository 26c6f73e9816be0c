"""Run-scoped, write-once storage of what assets return.

`<storage>/runs/<run id>/<asset>/` holds an asset's files and `record.json`: the record, the task
and mode it belongs to, and which materialization of which asset it was made from. A folder appears
whole or not at all (a rename locally; the record last on remote storage) and is never replaced.

A step reads this run's own materialization of an input, else the newest one; and it refuses inputs
that do not belong together: another task, another mode, or two of them made from different
materializations of a third.
"""

import hashlib
import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

import hokusai_assets.records as record_types
from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import CHECKS_JOB, InputsResource
from hokusai_assets.defs.resources.outputs import OutputsResource
from hokusai_assets.defs.resources.tracking import TrackingResource
from hokusai_assets.errors import (
    AlreadyWrittenError,
    MixedRunsError,
    NotStoredError,
    StorageError,
)
from hokusai_assets.files import is_url, join
from hokusai_assets.records import Record, StoredRecord

RECORD = "record.json"
FOLDER_METADATA = "stored_in"
LAST_ASSET = "attestation"

# asset -> (run id, identity): the materializations that something was made from
Sources = dict[str, tuple[str, str]]


class HokusaiIOManager(dg.ConfigurableIOManager):
    """Stores records and their folders by run."""

    run_id: str = Field(
        "", description="Read this run's assets; empty: this run's own, else the newest."
    )
    inputs: dg.ResourceDependency[InputsResource]
    outputs: dg.ResourceDependency[OutputsResource]
    # Not used here: every step needs storage, so this is what lets tracking see every failure.
    tracking: dg.ResourceDependency[TrackingResource]

    _loaded: dict[str, dict[str, dict[str, Any]]] = PrivateAttr(default_factory=dict)

    def handle_output(self, context: dg.OutputContext, obj: Record | None) -> None:
        """Publish an asset's folder and record under this run's id."""
        if obj is None:  # an asset check's step
            return
        asset = context.asset_key.path[-1]
        run_id = str(context.run_id)
        sources: Sources = {}
        for envelope in self._loaded.get(_step_key(context), {}).values():
            sources.update({k: (v[0], v[1]) for k, v in envelope["sources"].items()})
        sources[asset] = (run_id, identity(obj))
        envelope = {
            "asset": asset,
            "run_id": run_id,
            "task_digest": self.inputs.run.task_digest,
            "mode": self.inputs.run.mode,
            "dry_run": self.inputs.run.dry_run,
            "pii_key_id": self.inputs.run.pii_key_id,
            "sources": sources,
            "type": type(obj).__name__,
            "record": _without_folder(obj),
        }
        with plain_failures():
            target = self.outputs.run_folder(run_id, asset)
            publish(obj, json.dumps(envelope, indent=1).encode(), target)
        context.add_output_metadata({FOLDER_METADATA: dg.MetadataValue.path(target)})

    def load_input(self, context: dg.InputContext) -> Record:
        """The record of an upstream asset, its folder included."""
        asset = context.asset_key.path[-1]
        with plain_failures():
            envelope, folder = self._find(context, asset)
            step = context.step_context.step.key
            loaded = self._loaded.setdefault(step, {})
            loaded[asset] = envelope
            self._refuse_mixture(loaded, context.step_context)
            return _record(envelope, folder)

    def _find(self, context: dg.InputContext, asset: str) -> tuple[dict[str, Any], str]:
        step = context.step_context
        own = self.outputs.run_folder(step.run_id, asset)
        envelope = read_envelope(own)
        if envelope is not None:
            return envelope, own
        if self.run_id:
            return self._of_run(self.run_id, asset)
        wanted = LAST_ASSET if step.job_name == CHECKS_JOB else asset
        event = context.step_context.instance.get_latest_materialization_event(
            dg.AssetKey([wanted])
        )
        materialization = event.asset_materialization if event else None
        stored = materialization.metadata.get(FOLDER_METADATA) if materialization else None
        if event is None or stored is None:
            raise NotStoredError(
                f"The asset {wanted} has not been materialized here: run evaluate_contribution or "
                "dry_run first, with the same DAGSTER_HOME, or name a stored run by "
                "resources.io_manager.config.run_id."
            )
        if wanted != asset:
            return self._of_run(event.run_id, asset)
        folder = str(stored.value)
        envelope = read_envelope(folder)
        if envelope is None:
            raise NotStoredError(
                f"The newest materialization of {asset} should lie in {folder} and does not: "
                "materialize it again."
            )
        return envelope, folder

    def _of_run(self, run_id: str, asset: str) -> tuple[dict[str, Any], str]:
        """What run `run_id` made or used as `asset`."""
        last = read_envelope(self.outputs.run_folder(run_id, LAST_ASSET))
        source = run_id if last is None else last["sources"].get(asset, [run_id])[0]
        folder = self.outputs.run_folder(source, asset)
        envelope = read_envelope(folder)
        if envelope is None:
            raise NotStoredError(
                f"Run {run_id} has stored no {asset} in {self.outputs.storage}: check the run id."
            )
        return envelope, folder

    def _refuse_mixture(self, loaded: dict[str, dict[str, Any]], step: Any) -> None:
        run, job = self.inputs.run, step.job_name
        made_from: dict[str, tuple[str, str, str]] = {}
        problems = []
        for asset, envelope in loaded.items():
            if envelope["task_digest"] != run.task_digest:
                problems.append(
                    f"{asset} of run {envelope['run_id']} was made for another task than that of "
                    f"run {step.run_id}"
                )
            # Checks alone look at what is there, whatever made it; everything else must match.
            if envelope["mode"] != run.mode and job != CHECKS_JOB:
                problems.append(
                    f"{asset} of run {envelope['run_id']} was made in mode {envelope['mode']}, "
                    f"run {step.run_id} is in mode {run.mode}"
                )
            # Rows hashed under one key never equal those under another: all leaks would be missed.
            if envelope["pii_key_id"] != run.pii_key_id and job != CHECKS_JOB:
                problems.append(
                    f"{asset} of run {envelope['run_id']} was treated under another key for "
                    f"personal data than that of run {step.run_id}"
                )
            for source, (run_id, digest) in envelope["sources"].items():
                before = made_from.setdefault(source, (run_id, digest, asset))
                if before[1] != digest:
                    problems.append(
                        f"{before[2]} was made from {source} of run {before[0]}, but {asset} from "
                        f"{source} of run {run_id}"
                    )
        modes = {(e["mode"], e["run_id"]) for e in loaded.values()}
        if len({mode for mode, _ in modes}) > 1:
            problems.append(
                "inputs mix real and mock runs: "
                + ", ".join(f"{run_id} ({mode})" for mode, run_id in sorted(modes))
            )
        if problems:
            raise MixedRunsError(
                "Inputs of different evaluations are never mixed: "
                + "; ".join(problems)
                + ". Materialize the whole graph, or all assets downstream of the one that changed."
            )


def publish(record: Record, envelope: bytes, target: str) -> None:
    """Move the record's folder, if any, to `target` with `envelope` in it; never over another."""
    local = Path(record.folder) if isinstance(record, StoredRecord) else None
    if is_url(target):
        _upload(local, envelope, target)
        return
    place = Path(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    if local is None:
        local = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
        local.chmod(0o755)
    (local / RECORD).write_bytes(envelope)
    try:
        local.rename(place)
    except OSError as error:
        if place.exists():
            raise AlreadyWrittenError(
                f"{target} was written before and is never overwritten."
            ) from None
        raise StorageError(f"{target} cannot be stored: {error.strerror}.") from error
    for parent in (local.parent, local.parent.parent):
        with suppress(OSError):  # not empty: other steps of the run are at work in it
            parent.rmdir()


def _upload(local: Path | None, envelope: bytes, target: str) -> None:
    import fsspec

    fs, root = fsspec.core.url_to_fs(target)
    if fs.exists(f"{root}/{RECORD}"):
        raise AlreadyWrittenError(f"{target} was written before and is never overwritten.")
    try:
        fs.makedirs(root, exist_ok=True)  # object stores have no folders; others need them
        if local is not None:
            for file in sorted(path for path in local.rglob("*") if path.is_file()):
                fs.pipe_file(f"{root}/{file.relative_to(local).as_posix()}", file.read_bytes())
        fs.pipe_file(f"{root}/{RECORD}", envelope)  # last: its presence says the rest is there
    except OSError as error:
        raise StorageError(
            f"{target} cannot be stored ({type(error).__name__}): check the storage and its "
            "permissions."
        ) from error
    finally:
        if local is not None:
            _discard(local)


def read_envelope(folder: str) -> dict[str, Any] | None:
    """What `record.json` in a local or remote folder says, or None where there is none."""
    import fsspec

    fs, root = fsspec.core.url_to_fs(join(folder, RECORD))
    try:
        content = fs.cat_file(root)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        envelope: dict[str, Any] = json.loads(content)
    except ValueError as error:
        raise StorageError(f"{folder}/{RECORD} is damaged: materialize the asset again.") from error
    return envelope


def identity(record: Record) -> str:
    """The SHA-256 of a record without its folder: equal materializations may stand in."""
    body = json.dumps(_without_folder(record), sort_keys=True).encode()
    return hashlib.sha256(body).hexdigest()


def _without_folder(record: Record) -> dict[str, Any]:
    return record.model_dump(mode="json", exclude={"folder"})


def _record(envelope: dict[str, Any], folder: str) -> Record:
    kind = getattr(record_types, envelope["type"])
    body = dict(envelope["record"])
    if issubclass(kind, StoredRecord):
        body["folder"] = folder
    record: Record = kind.model_validate(body)
    return record


def _step_key(context: dg.OutputContext) -> str:
    return str(context.step_key)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder)
    for parent in (folder.parent, folder.parent.parent):
        with suppress(OSError):
            parent.rmdir()
