"""The `outputs` resource: where results go, where assets are stored, and each run's scratch folder.

Scratch lies inside local storage, so that publishing an asset is a rename on one file system; for
remote storage it is a temporary folder, and publishing is an upload.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
from pydantic import Field

from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.files import check_writable, is_url, join
from hokusai_assets.settings import Settings


class OutputsResource(dg.ConfigurableResource["OutputsResource"]):
    """Where results and stored assets go."""

    output_dir: str = Field("outputs", description="Folder of the result files.")
    storage_url: str = Field(
        "", description="Where assets are stored: a folder or fsspec URL; empty: HOKUSAI_HOME."
    )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Refuse an output folder that cannot be written before anything is computed."""
        with plain_failures():
            check_writable(self.output_dir)

    @property
    def storage(self) -> str:
        """The folder or URL below which every run has its own folder."""
        return self.storage_url or str(Settings.from_environment().home / "storage")

    def run_folder(self, run_id: str, *names: str) -> str:
        """Where what a run stored lies."""
        return join(self.storage, "runs", run_id, *names)

    @contextmanager
    def scratch(self, run_id: str, asset: str) -> Iterator[str]:
        """A new local folder for what an asset writes; removed when the asset fails."""
        if is_url(self.storage):
            root = Path(tempfile.gettempdir(), "hokusai-scratch")
        else:
            root = Path(self.storage, "scratch")
        run = root / run_id
        folder = run / asset
        if folder.exists():  # a step that is retried starts anew
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        try:
            yield str(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            for parent in (run, root):
                with suppress(OSError):  # other steps of the run may be at work in it
                    parent.rmdir()
            raise
