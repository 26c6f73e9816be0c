"""`hokusai profile`: a first task file from data, for the operator who writes one."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hokusai_assets.errors import HokusaiError

HELP = """Make a first task file from a data file, and show what its columns seem to be.

Looks at the first 10,000 rows. No cell is shown, except that the labels of the target stand in the task file.

Examples:

  hokusai profile examples/fine_foods/base.csv --output task.toml

  hokusai profile data.parquet --target churned

Exit codes: 0 written; 2 the command or the file is wrong, there is no target, or the task file is there already.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


def profile(
    file: Annotated[str, typer.Argument(help="CSV, JSON, JSON Lines or Parquet.")],
    output: Annotated[str, typer.Option(help="Where the task file is written.")] = "task.toml",
    target: Annotated[
        str | None, typer.Option(help="Column that the model predicts; default: the likeliest.")
    ] = None,
) -> None:
    """Write a first task file and print the columns."""
    try:
        _run(file, output, target)
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        raise typer.Exit(error.exit_code) from None


def _run(file: str, output: str, target: str | None) -> None:
    import tomllib

    from hokusai_assets.contribution.drafting import draft_task, sample_words
    from hokusai_assets.contribution.fixing import check_free
    from hokusai_assets.contribution.profiling import profile_sample
    from hokusai_assets.contribution.sampling_files import sample_file
    from hokusai_assets.files import write_once
    from hokusai_assets.reporting.profile_summary import print_profile
    from hokusai_assets.task import parse_task

    check_free(output)
    found = profile_sample(sample_file(file), target)
    text = draft_task(found, Path(file).stem)
    parse_task(tomllib.loads(text), output)  # a draft that does not load is never written
    place = Path(output)
    written = write_once(str(place.parent), place.name, text.encode())
    print_profile(
        [
            {
                "name": column.name,
                "type": column.type,
                "role": column.role,
                "empty": column.empty,
                "distinct": column.distinct,
                "lengths": (column.shortest, column.longest),
                "range": None
                if column.minimum is None or column.maximum is None
                else (column.minimum, column.maximum),
                "personal": list(column.detectors) or ([column.by_name] if column.by_name else []),
            }
            for column in found.columns
        ],
        sample_words(found),
        written,
    )
