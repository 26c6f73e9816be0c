"""The command `hokusai`: one file a subcommand, each of which imports its needs when it runs."""

import sys

import typer

from hokusai_assets.cli import (
    evaluate,
    keys,
    ledger,
    mint_request,
    power,
    profile,
    report,
    sign,
    track,
    validate,
    verify,
)
from hokusai_assets.errors import HokusaiError

HELP = """Measure how much contributed data improve a model, and attest to it.

Examples:

  hokusai evaluate --task task.toml --output-dir outputs --dry-run

  hokusai validate contribution.csv --task task.toml

  hokusai profile data.csv --output task.toml

  hokusai power --task task.toml

  hokusai report outputs

  hokusai verify outputs/bundle_RUN

  hokusai keys new

  hokusai sign outputs/bundle_RUN --key .hokusai/keys/signing_key.pem

  hokusai track

  hokusai ledger check --ledger ledger.sqlite
"""

app = typer.Typer(
    name="hokusai",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("evaluate", help=evaluate.HELP)(evaluate.evaluate)
app.command("validate", help=validate.HELP)(validate.validate)
app.command("profile", help=profile.HELP)(profile.profile)
app.command("power", help=power.HELP)(power.power)
app.command("report", help=report.HELP)(report.report)
app.command("track", help=track.HELP)(track.track)
app.command("sign", help=sign.HELP)(sign.sign)
app.command("verify", help=verify.HELP)(verify.verify)
app.command("mint-request", help=mint_request.HELP)(mint_request.mint_request)
app.add_typer(keys.app, name="keys", help=keys.HELP)
app.add_typer(ledger.app, name="ledger", help=ledger.HELP)


@app.callback(help=HELP)
def _root() -> None:
    """A group of commands, also while there are few."""


def main() -> None:
    """Run the command line; errors raised on purpose become one sentence and an exit code."""
    try:
        app()
    except HokusaiError as error:
        print(f"hokusai: {error}", file=sys.stderr)  # noqa: T201 - the last word to a terminal
        sys.exit(error.exit_code)
