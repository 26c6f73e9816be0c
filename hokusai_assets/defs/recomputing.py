"""An evaluation computed again from data, for whoever verifies its bundle.

The same graph on a folder of the verifier's, with nothing written that stays: no ledger is asked
or appended to, nothing is tracked, results and stored assets go to a temporary folder. Who
contributed, and in which order, the core says.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from hokusai_assets import second_process
from hokusai_assets.attestation.bundle_reading import Bundle, read_bundle
from hokusai_assets.attestation.ledger.facts import root_over
from hokusai_assets.attestation.provenance.paid_rows import ALREADY_PAID, read_paid_digests
from hokusai_assets.attestation.rows.references import salt_key_id
from hokusai_assets.attestation.verifying.outcome import Step
from hokusai_assets.attestation.verifying.recomputed import compare
from hokusai_assets.attestation.verifying.verify import opened_rows
from hokusai_assets.contribution.paid_rows import PaidStore, lineage_folder
from hokusai_assets.contribution.pii import key_id
from hokusai_assets.defs.build import build_definitions
from hokusai_assets.defs.jobs import EVALUATE_JOB
from hokusai_assets.defs.resources.inputs import RunInputs
from hokusai_assets.defs.resources.ledger import LedgerResource
from hokusai_assets.defs.running import Progress, run_job
from hokusai_assets.errors import MissingFileError, StorageError, UsageError
from hokusai_assets.records import PaidDataset
from hokusai_assets.settings import Settings, pii_key, plan_nonce, salt_secret
from hokusai_assets.task import load_task

TASK = "task.toml"
CONTRIBUTIONS = "contributions"
BASELINE = "baseline.skops"
PAID = "paid"


class GivenRows(LedgerResource):
    """In place of a ledger: the rows that were paid for before, from a copy of their store."""

    paid: str = Field("", description="Copy of the store of rows paid for.")
    paid_roots: list[str] = Field(default_factory=list, description="The roots of these rows.")
    root: str = Field("", description="The root over the rows paid for; empty: none was known.")
    digests: list[str] = Field(default_factory=list, description="Rows that are given as paid.")

    def known_rows(
        self, run: RunInputs, benchmark_root: str
    ) -> tuple[str | None, tuple[PaidDataset, ...]]:
        """The root over the given rows, and the rows."""
        if not self.paid_roots:
            return self.root or None, ()
        store = PaidStore(self.paid, run.task, run.pii_key_id)
        # The copy is a stranger's: junk under the right roots would remove whatever rows he likes.
        for root in self.paid_roots:
            if problem := store.damage(root):
                raise StorageError(
                    f"The copy of the rows paid for is not what it says, at {root}: {problem}. "
                    "Copy the store as it was then."
                )
        return self.root, store.open(self.paid_roots)

    def given_digests(self) -> frozenset[bytes]:
        """The digests that the bundle lists, where the rows themselves are not there."""
        return frozenset(bytes.fromhex(digest) for digest in self.digests)


def recompute(bundle: Bundle, data: str, progress: Progress) -> Step:
    """Clean and train again from the folder `data`, and compare with the bundle.

    Raises UsageError where the folder or the environment is not what the core needs, with the
    remedy, and what an evaluation of these data raises.
    """
    folder = Path(data)
    core = bundle.core
    if core["dry_run"]:
        raise UsageError("A dry run is not computed again: its data are made up. Run another.")
    _check_secrets(core)
    inputs = _inputs(folder, core)
    with tempfile.TemporaryDirectory(prefix="hokusai-recompute-") as scratch:
        resources = {
            "inputs": {"config": inputs},
            "outputs": {"config": {"output_dir": f"{scratch}/out", "storage_url": f"{scratch}/s"}},
            "tracking": {"config": {"backend": "none"}},
        }
        given = _given_rows(folder, bundle)
        definitions = build_definitions({"ledger": given})
        with second_process.running(), dg.DagsterInstance.ephemeral() as instance:
            outcome = run_job(
                definitions.resolve_job_def(EVALUATE_JOB),
                {"resources": resources, **_QUIET},
                instance,
                progress,
            )
        if outcome.evaluation is None:
            return Step("recompute", "differs", f"It cannot be computed again: {outcome.message}")
        again = read_bundle(outcome.evaluation.attestation.bundle_path)
        step = compare(
            core,
            again.core,
            opened_rows(bundle) if bundle.has_leaves else None,
            opened_rows(again),
        )
        return _noted(step, given)


_QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _inputs(folder: Path, core: Mapping[str, Any]) -> dict[str, Any]:
    task = folder / TASK
    loaded = load_task(task, Settings.from_environment().random_seed)
    if loaded.task.digest != core["task_digest"]:
        raise UsageError(
            f"{task} is not the task that was evaluated: its digest is {loaded.task.digest}, the "
            f"core's is {core['task_digest']}. Take the task file of that run (and its "
            "RANDOM_SEED, where it names no seed)."
        )
    paths = _contributions(folder / CONTRIBUTIONS)
    people: Sequence[Mapping[str, Any]] = core["contributors"]
    if len(paths) != len(people):
        raise UsageError(
            f"{folder / CONTRIBUTIONS} holds {len(paths)} contributions and the core names "
            f"{len(people)}: one file or folder each, whose names sort in the core's order."
        )
    stored = core["baseline"]["file_sha256"] is not None
    baseline = folder / BASELINE
    if stored and not baseline.exists():
        raise MissingFileError(f"There is no {baseline}: the baseline was a stored model.")
    return {
        "mode": "files",
        "task": str(task),
        "contributions": [
            {
                "path": str(path),
                "contributor_id": who["contributor_id"],
                "wallet_address": who["wallet_address"],
            }
            for path, who in zip(paths, people, strict=True)
        ],
        "baseline": str(baseline) if stored else "",
    }


def _contributions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise MissingFileError(
            f"There is no folder {folder}: put one file or folder a contribution there."
        )
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _given_rows(folder: Path, bundle: Bundle) -> GivenRows:
    """The rows paid for before, or, without a copy of their store, the bundle's list of digests."""
    said = bundle.core["paid_root"]
    nothing: dict[str, Any] = {
        "backend": "none",
        "url": "",
        "store": "",
        "paid": "",
        "paid_roots": [],
    }
    if said is None:
        return GivenRows(**nothing, root="", digests=[])
    store = folder / PAID
    if not store.exists():
        return GivenRows(**nothing, root=said, digests=_listed(bundle))
    rows = store / lineage_folder(bundle.core["lineage"])
    here = rows.iterdir() if rows.is_dir() else ()
    roots = sorted(path.name for path in here if not path.name.startswith("."))  # a crash's are
    if root_over(roots) != said:
        raise UsageError(
            f"{store} does not hold the rows paid for before: {len(roots)} roots, which are not "
            f"those of the core's paid_root {said}. Copy the store of rows paid for as it was "
            "then, or leave the folder out: the bundle's own list is then taken as given."
        )
    given = nothing | {"paid": str(store), "paid_roots": roots}
    return GivenRows(**given, root=said, digests=[])


def _listed(bundle: Bundle) -> list[str]:
    if not sum(counts["already_paid"] for counts in bundle.core["counts"]):
        return []
    if ALREADY_PAID not in bundle.manifest["files"] or not bundle.has_audit:
        raise UsageError(
            f"There is no folder {PAID}, and the bundle does not open {ALREADY_PAID}: one of them "
            "must say which rows were paid for before."
        )
    with bundle.open(ALREADY_PAID) as stream:
        return [digest.hex() for digest in read_paid_digests(stream, bundle.core)]


def _noted(step: Step, given: GivenRows) -> Step:
    """What was not looked at but taken from the bundle, said beside the verdict."""
    if not given.digests:
        return step
    note = f" Taken as given: {len(given.digests):,} rows that were paid for before."
    return replace(step, sentence=step.sentence + note)


def _check_secrets(core: Mapping[str, Any]) -> None:
    """Name every secret that the evaluation depended on and that is not the one here."""
    key, nonce = pii_key(), plan_nonce()
    found = {
        "HOKUSAI_PII_KEY": (core["key_ids"]["pii"], None if key is None else key_id(key)),
        "HOKUSAI_SALT_SECRET": (core["key_ids"]["salt"], salt_key_id(salt_secret())),
        "HOKUSAI_PLAN_NONCE": (core["nonce_sha256"], _sha256(nonce)),
    }
    wrong = [
        f"{name} {'must not be set' if said is None else f'must be the one with id {said}'}"
        for name, (said, here) in found.items()
        if said != here
    ]
    if wrong:
        raise UsageError(
            "The evaluation depended on secrets that are others here: " + "; ".join(wrong) + "."
        )


def _sha256(secret: bytes | None) -> str | None:
    return None if secret is None else hashlib.sha256(secret).hexdigest()
