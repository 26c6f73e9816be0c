"""The store of rows paid for: treated rows by lineage and content root, as Parquet, written once.

It lies beside the ledger, which says which roots count; a folder here that no entry names counts
for nothing. Of a row its content and keys are kept, never its id. Which rows of a contribution
match is said in paid_keys.py and near_rows.py, of a new benchmark in paid_in_benchmark.py.

    <store>/<first 32 digits of the SHA-256 of the lineage>/<content root>/part-N.parquet, rows.json
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hokusai_assets.contribution.leakage import all_benchmark_rows, feature_keys
from hokusai_assets.contribution.sorted_roots import SortedRoot
from hokusai_assets.errors import LedgerError, StorageError
from hokusai_assets.files import is_url, join
from hokusai_assets.records import BenchmarkDataset, ColumnSchema, ContributedDataset, PaidDataset
from hokusai_assets.table_digests import digest_rows
from hokusai_assets.tables import FEATURE_KEY, ROW_DIGEST, SOURCE, read_parts, write_table
from hokusai_assets.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = "rows.json"
_VERSION = 1


def lineage_folder(lineage: str) -> str:
    """The name of a lineage's folder in a store: a lineage itself need be no file name."""
    return hashlib.sha256(lineage.encode()).hexdigest()[:32]


class PaidStore:
    """The rows of one lineage under a folder or fsspec URL."""

    def __init__(self, url: str, task: Task, pii_key_id: str | None) -> None:
        self._url = url
        self._task = task
        # Rows whose personal data were hashed under another key equal none of this one's.
        self._key_id = pii_key_id if _hashes(task) else None
        self._folder = join(url, lineage_folder(task.lineage))

    def keep_contributions(self, contributed: ContributedDataset) -> None:
        """Store the clean rows of each contribution under its content root as cleaned."""
        for contribution in contributed.contributions:
            root = contribution.content_root_cleaned
            self._keep(root, _rows_from(contributed.folder, root, self._content))

    def keep_benchmark(self, benchmark: BenchmarkDataset) -> None:
        """Store the whole benchmark under its root as received, for when it is retired."""
        rows = all_benchmark_rows(benchmark, self._task).select([*self._content, FEATURE_KEY])
        self._keep(benchmark.content_root_received, [rows])

    def open(self, roots: Sequence[str]) -> tuple[PaidDataset, ...]:
        """The datasets of some roots.

        Raises StorageError where one is missing or damaged, LedgerError where its rows cannot be
        compared with the task's: fewer rows known would mean rows paid for twice.
        """
        return tuple(self._open(root) for root in roots)

    def damage(self, root: str) -> str | None:
        """What is wrong with a root's stored rows, or None: digests and keys made anew from cells.

        For auditors; a run trusts the store, which is the operator's.
        """
        (dataset,) = self.open([root])
        names = [c.name for c in dataset.columns]
        task_keys = {c.name: c.type for c in self._task.features}
        same_keys = {c.name: c.type for c in dataset.features} == task_keys
        with tempfile.TemporaryDirectory(prefix="hokusai-") as scratch:
            digests = SortedRoot(Path(scratch, "digests"))
            for table in read_parts(dataset.folder):
                digests.add(digest_rows({name: table.column(name) for name in names}))
                keys = table.column(FEATURE_KEY).to_pylist()
                if same_keys and feature_keys(table, self._task).to_pylist() != keys:
                    return "its feature keys are not those of its cells"
            found = digests.root()
        return None if found == root else f"its rows have the content root {found}"

    @property
    def _content(self) -> list[str]:
        return [c.name for c in self._task.content_columns]

    def _open(self, root: str) -> PaidDataset:
        folder = join(self._folder, root)
        told = _read_rows_file(folder)
        if told is None:
            raise StorageError(
                f"The rows with content root {root} were paid for, or opened, in lineage "
                f"{self._task.lineage}, and are not in {self._url}: restore the store of paid rows."
            )
        try:
            version, root_there = told["version"], told["content_root"]
            stored = {c["name"]: c["type"] for c in told["columns"]}
            features = tuple(ColumnSchema.model_validate(c) for c in told["features"])
            key_id, count = told["pii_key_id"], int(told["row_count"])
            policy = {**told["pii_policy"], "columns": dict(told["pii_policy"]["columns"])}
        except (KeyError, TypeError, ValueError):
            raise StorageError(f"{folder}/{ROWS} is damaged: restore it from a backup.") from None
        if version != _VERSION or root_there != root:
            raise StorageError(
                f"{folder}/{ROWS} is of other rows or another version of this program than it "
                "should be: restore it from a backup, or update hokusai-assets."
            )
        other = [c.name for c in self._task.content_columns if stored.get(c.name) != c.type]
        if other:
            raise LedgerError(
                f"Rows paid for in lineage {self._task.lineage} have no column {other[0]!r} of the "
                "task's type, so they cannot be recognised: name columns as the lineage's earlier "
                "tasks do."
            )
        ours = _policy(self._task)
        # Of the columns that this task looks at: paid rows may have more.
        policy["columns"] = {n: policy["columns"].get(n) for n in ours["columns"]}
        if policy != ours:
            raise LedgerError(
                f"Rows paid for in lineage {self._task.lineage} had their personal data treated "
                "otherwise than this task does, so they cannot be recognised: state [privacy] and "
                "the columns' pii as the lineage's earlier tasks do."
            )
        if key_id != self._key_id:
            raise LedgerError(
                f"Rows paid for in lineage {self._task.lineage} were treated under another key for "
                "personal data than HOKUSAI_PII_KEY, so they cannot be recognised: use the key "
                f"with id {key_id}."
                if key_id is not None
                else f"Rows paid for in lineage {self._task.lineage} were treated without a key "
                "for personal data, so they cannot be recognised: unset HOKUSAI_PII_KEY."
            )
        return PaidDataset(
            folder=folder,
            content_root=root,
            row_count=count,
            columns=tuple(ColumnSchema(name=n, type=t) for n, t in stored.items()),
            features=features,
        )

    def _keep(self, root: str, tables: Iterable[pa.Table]) -> None:
        """Write rows under their root, whole or not at all; what is there is the same rows."""
        target = join(self._folder, root)
        if _read_rows_file(target) is not None:
            return
        if not is_url(self._folder):
            Path(self._folder).mkdir(parents=True, exist_ok=True)
        near = None if is_url(self._folder) else self._folder
        with tempfile.TemporaryDirectory(prefix=".paid-", dir=near) as scratch:
            made = Path(scratch, "rows")
            made.mkdir(mode=0o755)
            digests = SortedRoot(Path(scratch, "digests"))
            for part, table in enumerate(self._keyed(tables)):
                write_table(table, made, part)
                digests.add(table.column(ROW_DIGEST))
            found = digests.root()
            if found != root:
                raise StorageError(
                    f"Rows to be kept as paid have the content root {found} and should have "
                    f"{root}: what this run stored was changed. Evaluate again."
                )
            told = {
                "version": _VERSION,
                "content_root": root,
                "lineage": self._task.lineage,
                "row_count": digests.count,
                "columns": [{"name": c.name, "type": c.type} for c in self._task.content_columns],
                "features": [{"name": c.name, "type": c.type} for c in self._task.features],
                "pii_key_id": self._key_id,
                "pii_policy": _policy(self._task),
            }
            (made / ROWS).write_text(json.dumps(told, indent=1), encoding="utf-8")
            _publish(made, target)

    def _keyed(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Content and keys; digests are made of the cells, whatever a column says."""
        for table in tables:
            content = table.select(self._content)
            keyed = content.append_column(
                ROW_DIGEST, digest_rows({n: content.column(n) for n in self._content})
            )
            yield keyed.append_column(FEATURE_KEY, table.column(FEATURE_KEY))


def _rows_from(folder: str, source: str, content: list[str]) -> Iterator[pa.Table]:
    """A contribution's rows among those of several."""
    import pyarrow.compute as pc

    for table in read_parts(folder, [*content, FEATURE_KEY, SOURCE]):
        own = table.filter(pc.equal(table.column(SOURCE), source))
        if own.num_rows:
            yield own


def _policy(task: Task) -> dict[str, Any]:
    """How personal data are treated: rows that were treated otherwise are other rows."""
    return {
        "action": task.privacy.action,
        "detectors": dict(task.privacy.detectors),
        "columns": {column.name: column.pii for column in task.content_columns},
    }


def _hashes(task: Task) -> bool:
    """Whether any personal data are hashed, so that rows depend on the key."""
    wanted = {task.privacy.action, *task.privacy.detectors.values()}
    return "hash" in wanted | {c.pii for c in task.columns}


def _read_rows_file(folder: str) -> dict[str, Any] | None:
    """What a folder's rows.json says; None where there is none."""
    import fsspec

    fs, path = fsspec.core.url_to_fs(join(folder, ROWS))
    try:
        told = json.loads(fs.cat_file(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(
            f"The store of paid rows cannot be read ({type(error).__name__}): check {folder} and "
            "its permissions."
        ) from error
    except ValueError:
        raise StorageError(f"{folder}/{ROWS} is damaged: restore it from a backup.") from None
    return told if isinstance(told, dict) else {}


def _publish(made: Path, target: str) -> None:
    """Move a finished folder into place; rows.json comes last where that is no single step."""
    import fsspec

    try:
        if not is_url(target):
            try:
                made.rename(target)
            except OSError:
                if _read_rows_file(target) is not None:
                    return  # another run wrote the same rows meanwhile
                raise
            return
        fs, root = fsspec.core.url_to_fs(target)
        fs.makedirs(root, exist_ok=True)
        for file in sorted(made.iterdir(), key=lambda f: f.name == ROWS):
            fs.pipe_file(f"{root}/{file.name}", file.read_bytes())
    except OSError as error:
        raise StorageError(
            f"Rows cannot be kept as paid in {target} ({type(error).__name__}): check the store "
            "and its permissions."
        ) from error
