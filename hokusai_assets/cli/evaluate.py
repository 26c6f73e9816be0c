"""`hokusai evaluate`: the whole evaluation in this process, with progress and a summary."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hokusai_assets.errors import HokusaiError, IdentityError, MissingFileError, UsageError

# In the order in which they run. Checks are steps too; while one runs, its asset stays shown.
STEPS = (
    "base_dataset",
    "benchmark_dataset",
    "contributed_data",
    "merged_dataset",
    "evaluation_plan",
    "baseline_model",
    "new_model",
    "benchmark_metrics",
    "delta_report",
    "attestation",
)

HELP = """Evaluate contributions: clean, merge, train, score, decide, attest.

Prints what happened and which files were written. The verdict is no exit code: a rejected contribution was evaluated all the same.

Examples:

  hokusai evaluate --task examples/fine_foods/task.toml \\
    --contributed-data examples/fine_foods/contribution.csv \\
    --contributor-id alice --output-dir outputs \\
    --wallet-address 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed

  hokusai evaluate --task examples/fine_foods/task.toml \\
    --output-dir outputs --dry-run

Exit codes: 0 evaluated; 1 failed; 2 the command, task, id, wallet, output folder or a missing file is wrong; 3 the contribution was read and refused; 4 refused by the ledger.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


def evaluate(
    task: Annotated[Path, typer.Option(help="Task file (TOML).")],
    output_dir: Annotated[str, typer.Option(help="Folder that the result files go to.")],
    contributed_data: Annotated[
        list[str] | None,
        typer.Option(
            help="CSV, JSON, JSON Lines or Parquet, also gzip or zstd; a file, folder, pattern or "
            "URL. May be given several times."
        ),
    ] = None,
    contributor_id: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose data it is; once for each --contributed-data, except in a dry run."
        ),
    ] = None,
    wallet_address: Annotated[
        list[str] | None,
        typer.Option(help="Ethereum address (EIP-55), likewise."),
    ] = None,
    baseline_model: Annotated[
        str | None, typer.Option(help="Stored model (.skops); default: trained from base data.")
    ] = None,
    ledger: Annotated[
        str, typer.Option(help="Path (SQLite) or URL of the ledger; default: none, provisional.")
    ] = "",
    paid_store: Annotated[
        str, typer.Option(help="Folder or URL of rows paid for; default: beside an SQLite ledger.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Mock base and benchmark; the result counts nothing.")
    ] = False,
    mock_rows: Annotated[int, typer.Option(help="Rows of a dry run's made-up contribution.")] = 600,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and no progress.")
    ] = False,
) -> None:
    """Run one evaluation in this process and print its summary."""
    from hokusai_assets import second_process
    from hokusai_assets.defs.meanwhile import MEANWHILE

    try:
        with second_process.running(MEANWHILE):  # already while Dagster is imported
            resources = _resources(
                task,
                output_dir,
                contributed_data or [],
                contributor_id or [],
                wallet_address or [],
                baseline_model,
                dry_run,
                mock_rows,
            )
            if ledger or paid_store:
                backend = "sql" if ledger else "none"
                resources["ledger"] = {"backend": backend, "url": ledger, "store": paid_store}
            _run(resources, dry_run=dry_run, as_json=as_json)
    except HokusaiError as error:
        _refuse(str(error), error.exit_code, as_json)


def _resources(
    task: Path,
    output_dir: str,
    paths: list[str],
    ids: list[str],
    wallets: list[str],
    baseline: str | None,
    dry_run: bool,
    mock_rows: int,
) -> dict[str, Any]:
    """The run configuration, after everything that can be checked without reading data."""
    from hokusai_assets.contribution.pii_detectors import mask_text
    from hokusai_assets.defs.resources.inputs import resolve_mode
    from hokusai_assets.files import check_writable, is_missing
    from hokusai_assets.identity import check_contributor_id, check_wallet_address
    from hokusai_assets.settings import Settings
    from hokusai_assets.task import load_task

    settings = Settings.from_environment()
    mode = resolve_mode("mock" if dry_run else "auto", "", settings)
    loaded = load_task(task, settings.random_seed)
    if not paths and mode == "files":
        raise UsageError("Name the contributed file with --contributed-data.")
    if mode == "mock" and not ids and not wallets:
        from hokusai_assets.defs.resources.inputs import EXAMPLE_WALLET

        ids = [f"rehearsal-{index}" for index, _ in enumerate(paths, 1)]
        wallets = [EXAMPLE_WALLET for _ in paths]
    if len(ids) != len(paths) or len(wallets) != len(paths):
        raise IdentityError(
            f"Contributed files: {len(paths)}, contributor ids: {len(ids)}, wallet addresses: "
            f"{len(wallets)}. Give --contributor-id and --wallet-address once for each file."
        )
    for identifier in ids:
        check_contributor_id(identifier)
    for wallet in wallets:
        check_wallet_address(wallet)
    needed = [*paths, *([baseline] if baseline else [])]
    if mode == "files":
        needed += [loaded.base, loaded.benchmark]
    if "" in paths:
        raise UsageError("A path given with --contributed-data is empty.")
    for path in needed:
        if is_missing(path):
            raise MissingFileError(f"There is no file {mask_text(path)}: check the path.")
    check_writable(output_dir)
    return {
        "inputs": {
            "mode": mode,
            "task": str(task),
            "contributions": [
                {"path": path, "contributor_id": identifier, "wallet_address": wallet}
                for path, identifier, wallet in zip(paths, ids, wallets, strict=True)
            ],
            "baseline": baseline or "",
            "mock_rows": mock_rows,
        },
        "outputs": {"output_dir": output_dir},
    }


def _run(resources: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from hokusai_assets.defs.running import evaluate as run_job
    from hokusai_assets.reporting.summary import summary_lines

    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=as_json or not console.is_terminal,
    ) as display:
        bar = display.add_task("starting", total=len(STEPS))

        def show(step: str, state: str) -> None:
            if step in STEPS and state == "started":
                number = STEPS.index(step) + 1
                display.update(bar, description=f"{number}/{len(STEPS)} {step}")

        outcome = run_job(resources, dry_run=dry_run, progress=show)
    if outcome.evaluation is None:
        _refuse(outcome.message, outcome.exit_code, as_json)
    made = outcome.evaluation
    if as_json:
        _print(
            json.dumps(
                {
                    "run_id": outcome.run_id,
                    "dry_run": made.attestation.decision.dry_run,
                    "verdict": made.attestation.decision.verdict,
                    "provisional": made.attestation.decision.provisional,
                    "reasons": list(made.attestation.decision.reasons),
                    "delta_one_score": made.report.delta_one.value,
                    "core_digest": made.attestation.core_digest,
                    "attestation": made.attestation.attestation_path,
                    "delta_output": made.attestation.delta_output_path,
                    "report": made.attestation.report_path,
                    "contributor_pages": list(made.attestation.contributor_page_paths),
                    "tracking": made.attestation.tracking,
                }
            )
        )
        return
    _print(
        "\n".join(
            summary_lines(
                made.attestation, made.report, made.contributed, made.benchmark, made.merged
            )
        )
    )


def _refuse(message: str, exit_code: int, as_json: bool) -> NoReturn:
    if as_json:
        _print(json.dumps({"error": message, "exit_code": exit_code}))
    else:
        sys.stderr.write(f"hokusai: {message}\n")
    raise typer.Exit(exit_code)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
