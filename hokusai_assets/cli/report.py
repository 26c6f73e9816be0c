"""`hokusai report`: the pages of an evaluation, made again from its two JSON files."""

import sys
from typing import Annotated, Any

import typer

from hokusai_assets.errors import AttestationError, HokusaiError, MissingFileError, UsageError

HELP = """Make the pages of an evaluation again, from the two JSON files in its output folder.

The files are compared with one another first. The same files give the same pages, byte for byte; a page that is there already is left as it is. With --markdown nothing is written: a summary for a pull request comment is printed, which tells what contributors may know; --numbers adds the metrics, for places that contributors do not see.

Examples:

  hokusai report outputs

  hokusai report outputs --run-id 4d9e06cc-b19b-4112-91c7-c137a7ef3db4

  hokusai report outputs --markdown

Exit codes: 0 made, or there already; 1 the files are damaged or disagree; 2 the command is wrong, a file is missing, or another page of that name is there.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


def report(
    output_dir: Annotated[
        str, typer.Argument(help="Folder that an evaluation's result files are in.")
    ],
    run_id: Annotated[
        str | None, typer.Option(help="Which run; default: the newest in the folder.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a Markdown summary; write nothing.")
    ] = False,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="With --markdown: metrics too, for the operator.")
    ] = False,
) -> None:
    """Write the pages, or print the Markdown summary."""
    try:
        _run(output_dir, run_id, markdown=markdown, numbers=numbers)
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        raise typer.Exit(error.exit_code) from None


def _run(output_dir: str, run_id: str | None, *, markdown: bool, numbers: bool) -> None:
    from hokusai_assets.reporting.report.contributor import render_contributor_pages
    from hokusai_assets.reporting.report.markdown import markdown_summary
    from hokusai_assets.reporting.report.page import render_report, report_name

    if numbers and not markdown:
        raise UsageError("--numbers goes with --markdown: the report has all numbers anyway.")
    output, attestation = _documents(output_dir, run_id)
    if markdown:
        sys.stdout.write(markdown_summary(output, attestation, numbers=numbers))
        return
    pages = {report_name(attestation["run_id"]): render_report(output, attestation)}
    pages |= render_contributor_pages(output, attestation)
    for name, text in pages.items():
        sys.stdout.write(_write(output_dir, name, text.encode()) + "\n")


def _documents(folder: str, run_id: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """delta_output and attestation of a run, after they agreed with one another."""
    import hashlib
    import json

    from hokusai_assets.attestation.document import attestation_name, disagreements, read_document
    from hokusai_assets.files import read_file
    from hokusai_assets.reporting.delta_output import delta_output_name

    if run_id is None:
        run_id = _newest(folder)
    name, output_name = attestation_name(run_id), delta_output_name(run_id)
    document = read_document(read_file(folder, name), name)
    content = read_file(folder, output_name)
    found = disagreements(document, {output_name: hashlib.sha256(content).hexdigest()})
    if document.get("run_id") != run_id:
        found.append(f"{name} names another run")
    if output_name not in document.get("files", {}):
        found.append(f"{name} does not name {output_name}")
    if found:
        raise AttestationError(f"No page is made of files that disagree: {'; '.join(found)}.")
    return json.loads(content), document


def _newest(folder: str) -> str:
    """The run whose attestation has the latest time."""
    import json

    from hokusai_assets.files import names_in, read_file

    prefix, suffix = "attestation_", ".json"
    runs = {}
    for name in names_in(folder):
        if name.startswith(prefix) and name.endswith(suffix):
            try:
                written = json.loads(read_file(folder, name)).get("timestamp", "")
            except (ValueError, AttributeError):
                raise AttestationError(
                    f"{name} is not an attestation: it was cut off or changed. Name a run with "
                    "--run-id."
                ) from None
            runs[name.removeprefix(prefix).removesuffix(suffix)] = str(written)
    if not runs:
        raise MissingFileError(f"There is no attestation_*.json in {folder}: check the folder.")
    return max(runs, key=lambda run: (runs[run], run))


def _write(folder: str, name: str, content: bytes) -> str:
    """Write a page, or leave it if it is there already; what is written is never overwritten."""
    from hokusai_assets.files import join, names_in, read_file, write_once

    path = join(folder, name)
    if name not in names_in(folder):
        return write_once(folder, name, content)
    if read_file(folder, name) != content:
        raise UsageError(
            f"{path} is there already and differs, by hand or by another version: it is not "
            "overwritten. Move it away to make it again."
        )
    return f"{path} (there already, and the same)"
