"""The `inputs` resource: which task, contributions and baseline a run evaluates, or mock data.

Everything is resolved when a run starts, never at import. In mock mode the same files are made up
that the task would name, and everything downstream reads them as it would read real ones.
"""

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import dagster as dg
from pydantic import Field, PrivateAttr

from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.digests import digest_stream
from hokusai_assets.errors import MissingFileError, UsageError
from hokusai_assets.files import is_missing
from hokusai_assets.identity import check_contributor_id, check_wallet_address
from hokusai_assets.records import ContributionSource, Mode
from hokusai_assets.settings import Settings, pii_key, plan_nonce, salt_secret
from hokusai_assets.task import Task, load_task

DRY_RUN_JOB = "dry_run"
CHECKS_JOB = "checks"

# Published on purpose: mock data hold no secrets, and equal dry runs must be equal everywhere.
MOCK_PII_KEY = b"hokusai_assets dry run: a published key, never use it for real data"
# The first test vector of EIP-55: an address that is nobody's income here.
EXAMPLE_WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
_EXAMPLE = Path(__file__).parents[3] / "examples" / "fine_foods"


class ContributionConfig(dg.Config):
    """One contributed file and whose it is."""

    path: str = Field(
        description="CSV, JSON, JSON Lines or Parquet, also gzip or zstd; a file, folder or "
        "pattern, local or an fsspec URL."
    )
    contributor_id: str = Field(description="Letters, digits, '-', '_' and dots; at most 64.")
    wallet_address: str = Field(description="Ethereum address, EIP-55 or all lower case.")


@dataclass(frozen=True)
class RunInputs:
    """What one run evaluates, with every default resolved and every id checked."""

    mode: Mode
    task: Task
    base: str
    benchmark: str
    contributions: tuple[ContributionSource, ...]
    baseline: str | None
    pii_key: bytes | None
    nonce: bytes | None
    salt_secret: bytes | None = None

    @property
    def dry_run(self) -> bool:
        """Whether base and benchmark are made up."""
        return self.mode == "mock"

    @cached_property
    def task_digest(self) -> str:
        """The task's digest, which every stored asset is compared with."""
        return self.task.digest

    @cached_property
    def pii_key_id(self) -> str | None:
        """What names the key for personal data without telling it, or None without a key."""
        from hokusai_assets.contribution.pii import key_id

        return None if self.pii_key is None else key_id(self.pii_key)

    def baseline_sha256(self) -> str | None:
        """The SHA-256 of the stored baseline's file, or None where it will be trained."""
        if self.baseline is None:
            return None
        import fsspec

        try:
            with fsspec.open(self.baseline, "rb") as stream:
                return digest_stream(stream)
        except (FileNotFoundError, IsADirectoryError):
            raise MissingFileError(
                f"There is no baseline model {self.baseline}: check the path, or name none to "
                "train the baseline from the base data."
            ) from None


class InputsResource(dg.ConfigurableResource["InputsResource"]):
    """What is evaluated. With no configuration at all, the example that ships with the project."""

    mode: Literal["auto", "files", "mock"] = Field(
        "auto", description="auto: mock when HOKUSAI_TEST_MODE is true, else files."
    )
    task: str = Field("", description="Path of the task file; empty: the example's.")
    contributions: list[ContributionConfig] = Field(
        default_factory=list, description="In the order in which duplicates are decided."
    )
    baseline: str = Field("", description="A stored model (.skops); empty: trained from base.")
    mock_rows: int = Field(600, description="Size of the made-up contribution, from 300.")

    _run: RunInputs | None = PrivateAttr(default=None)
    _folder: tempfile.TemporaryDirectory[str] | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Resolve and check the configuration; in mock mode, make the files."""
        with plain_failures():
            self._set_up(context)

    def _set_up(self, context: dg.InitResourceContext) -> None:
        settings = Settings.from_environment()
        job = context.run.job_name if context.run else ""
        self._run = self._resolve(resolve_mode(self.mode, job, settings), settings)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Remove made-up files."""
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def run(self) -> RunInputs:
        """The resolved inputs of this run."""
        if self._run is None:
            raise UsageError("The inputs resource is used outside a run.")
        return self._run

    def _resolve(self, mode: Mode, settings: Settings) -> RunInputs:
        if not self.task and not _EXAMPLE.is_dir():
            raise UsageError(
                "No task is configured and the example is not installed: set "
                "resources.inputs.config.task to the path of a task file."
            )
        loaded = load_task(self.task or _EXAMPLE / "task.toml", settings.random_seed)
        sources = tuple(self._sources())
        baseline = self.baseline or None
        if mode == "mock":
            from hokusai_assets.mock_data import write_mock_files

            self._folder = tempfile.TemporaryDirectory(prefix="hokusai-mock-")
            mock = write_mock_files(loaded.task, self.mock_rows, self._folder.name)
            made_up = ContributionSource(
                path=mock.contribution,
                contributor_id="mock-contributor",
                wallet_address=EXAMPLE_WALLET,
            )
            return RunInputs(
                mode=mode,
                task=loaded.task,
                base=mock.base,
                benchmark=mock.benchmark,
                contributions=sources or (made_up,),
                baseline=baseline,
                pii_key=MOCK_PII_KEY,
                nonce=None,
            )
        if not sources:
            if self.task:
                raise UsageError(
                    "No contribution is configured: list at least one under "
                    "resources.inputs.config.contributions, with path, contributor_id and "
                    "wallet_address."
                )
            sources = (
                ContributionSource(
                    path=str(_EXAMPLE / "contribution.csv"),
                    contributor_id="example-contributor",
                    wallet_address=EXAMPLE_WALLET,
                ),
            )
        return RunInputs(
            mode=mode,
            task=loaded.task,
            base=loaded.base,
            benchmark=loaded.benchmark,
            contributions=sources,
            baseline=baseline,
            pii_key=pii_key(),
            nonce=plan_nonce(),
            salt_secret=salt_secret(),
        )

    def _sources(self) -> list[ContributionSource]:
        sources = []
        for given in self.contributions:
            if is_missing(given.path):
                raise MissingFileError(
                    f"There is no contributed file {given.path}: check the path."
                )
            sources.append(
                ContributionSource(
                    path=given.path,
                    contributor_id=check_contributor_id(given.contributor_id),
                    wallet_address=check_wallet_address(given.wallet_address),
                )
            )
        ids = [source.contributor_id for source in sources]
        if len(set(ids)) != len(ids):
            raise UsageError(
                "A contributor id stands twice in the configuration: put a contributor's rows "
                "into one file, or give each file its own id."
            )
        return sources


def resolve_mode(configured: str, job: str, settings: Settings) -> Mode:
    """The mode of a run: what is configured, or what job and environment imply.

    The job `dry_run` can never be made to run on real data, and HOKUSAI_TEST_MODE contradicts
    `files`: a rehearsal must not turn into a performance by a forgotten variable, nor the reverse.
    """
    if configured == "files":
        if settings.test_mode:
            raise UsageError("mode is files but HOKUSAI_TEST_MODE is true: unset one of them.")
        if job == DRY_RUN_JOB:
            raise UsageError("mode is files but the job is dry_run: use evaluate_contribution.")
        return "files"
    if configured == "mock" or job == DRY_RUN_JOB or settings.test_mode:
        return "mock"
    return "files"
