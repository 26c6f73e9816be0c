"""`hokusai validate`: what cleaning finds in a file, before anything is evaluated and offline."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hokusai_assets.errors import HokusaiError, MissingFileError

REFUSED = 3

HELP = """Validate a file before it is contributed: does it fit, is personal data in it, what would be used?

It is cleaned as an evaluation cleans it, on this machine. Base data and benchmark are compared with if the files that the task names are here. No cell of the file is shown.

Examples:

  hokusai validate examples/fine_foods/contribution.csv \\
    --task examples/fine_foods/task.toml

  hokusai validate data.csv --task task.toml --fix cleaned.csv \\
    --report validation.html

Exit codes: 0 valid; 1 base or benchmark cannot be used; 2 the command, task or a missing file is wrong, or a file to be written is there already; 3 the file was read and is not valid.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


def validate(
    file: Annotated[
        str,
        typer.Argument(
            help="CSV, JSON, JSON Lines or Parquet, also gzip or zstd; file, folder, pattern, URL."
        ),
    ],
    task: Annotated[Path, typer.Option(help="Task file (TOML).")],
    fix: Annotated[
        str | None,
        typer.Option(
            help="Write the cleaned rows here (.csv, .jsonl, .json or .parquet), and what was "
            "changed beside it."
        ),
    ] = None,
    report: Annotated[str | None, typer.Option(help="Write an HTML page here.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and no progress.")
    ] = False,
) -> None:
    """Validate one file; exit with 3 if it is not valid."""
    try:
        valid = _run(str(file), task, fix, report, as_json)
    except HokusaiError as error:
        if as_json:
            _print(json.dumps({"error": str(error), "exit_code": error.exit_code}))
        else:
            sys.stderr.write(f"hokusai: {error}\n")
        raise typer.Exit(error.exit_code) from None
    if not valid:
        raise typer.Exit(REFUSED)


def _run(file: str, task: Path, fix: str | None, report: str | None, as_json: bool) -> bool:
    import tempfile
    from contextlib import nullcontext

    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from hokusai_assets import second_process
    from hokusai_assets.contribution.fixing import check_fixed_name, check_free, write_fixed
    from hokusai_assets.contribution.pii_detectors import mask_text
    from hokusai_assets.contribution.validating import validate as validate_file
    from hokusai_assets.files import is_missing, write_once
    from hokusai_assets.settings import Settings, pii_key
    from hokusai_assets.task import load_task

    settings = Settings.from_environment()
    loaded = load_task(task, settings.random_seed)
    if is_missing(file):
        raise MissingFileError(f"There is no file {mask_text(file)}: check the path.")
    if fix is not None:
        check_fixed_name(fix)
    check_free(report)
    key = pii_key()
    written: list[str] = []
    console = Console(stderr=True, quiet=as_json)  # says nothing of itself where nobody looks
    with (
        # Imports what estimates label noise while the file is read; of numbers there is none.
        second_process.running() if loaded.task.kind == "classification" else nullcontext(),
        tempfile.TemporaryDirectory(prefix="hokusai-") as folder,
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[rows]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=as_json or not console.is_terminal,
        ) as display,
    ):
        shown = display.add_task("starting", total=None, rows="")

        def say(phase: str) -> None:
            display.tasks[0].total = None  # the bar shows that it moves
            display.update(shown, description=phase, rows="")

        def count(rows: int, share: float | None) -> None:
            # Once all is read the bar only moves again: how long matching takes is not known.
            known = share is not None and share < 1
            display.tasks[0].total = 1.0 if known else None
            told = f"{rows:,} rows, {share:.0%}" if known else f"{rows:,} rows"
            display.update(shown, rows=told, completed=share if known else 0)

        found = validate_file(
            file,
            loaded.task,
            key=key,
            base_path=_present(loaded.base),
            benchmark_path=_present(loaded.benchmark),
            folder=folder,
            progress=say,
            count=count,
        )
        if fix is not None and found.refusal is None:
            say("writing the cleaned file")
            written += write_fixed(fix, found, loaded.task, key=key, folder=folder)
    told = found.model_dump(mode="json")
    if report is not None:
        from hokusai_assets.reporting.validation_page import render_page

        page = Path(report)
        written.append(write_once(str(page.parent), page.name, render_page(told).encode()))
    if as_json:
        _print(json.dumps({**told, "written": written}))
    else:
        from hokusai_assets.reporting.validation_summary import print_validation

        print_validation(told, written)
    return found.valid


def _present(path: str) -> str | None:
    """The path if its file is on this machine; a contributor has the task and often no more."""
    from hokusai_assets.files import is_url

    return path if not is_url(path) and Path(path).is_file() else None


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
