"""`hokusai keys`: make a pair of signing keys, and show what names a public one."""

import sys
from typing import Annotated, NoReturn

import typer

from hokusai_assets.errors import HokusaiError

HELP = """Make signing keys, and show the id of a public one.

Examples:

  hokusai keys new

  hokusai keys new --output-dir /secure/keys

  hokusai keys show signing_key.pub.pem

Exit codes: 0 made or shown; 1 a key is there already; 2 the command, a file or its mode is wrong.
"""

NEW_HELP = """Make an Ed25519 key pair: a private file with mode 0600, and a public one.

Nothing is overwritten. Keep the private file where only the signer can read it; give the public one, or its id, to those who verify.

Examples:

  hokusai keys new

  hokusai keys new --output-dir /secure/keys

Exit codes: 0 made; 1 a key is there already; 2 the folder cannot be written.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours

SHOW_HELP = """Show a public key's id, the SHA-256 of its DER form: signature files are named by it.

Examples:

  hokusai keys show signing_key.pub.pem

Exit codes: 0 shown; 2 the file is missing or is no public key.
"""

app = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


@app.command("new", help=NEW_HELP)
def new(
    output_dir: Annotated[
        str, typer.Option(help="Folder that the files go to; default: keys in HOKUSAI_HOME.")
    ] = "",
) -> None:
    """Make a pair."""
    from hokusai_assets.attestation.signing.keys import new_key_pair
    from hokusai_assets.settings import Settings

    try:
        folder = output_dir or str(Settings.from_environment().home / "keys")
        pair = new_key_pair(folder)
    except HokusaiError as error:
        _refuse(error)
    sys.stdout.write(
        f"Key id      {pair.keyid}\n"
        f"Public key  {pair.public_path}\n"
        f"Private key {pair.private_path} (mode 0600: keep it, and show it to nobody)\n"
    )


@app.command("show", help=SHOW_HELP)
def show(
    public_key: Annotated[str, typer.Argument(metavar="PUB", help="Public key, a PEM file.")],
) -> None:
    """Show a public key's id and PEM."""
    from hokusai_assets.attestation.signing.keys import read_public_key

    try:
        key = read_public_key(public_key)
    except HokusaiError as error:
        _refuse(error)
    sys.stdout.write(f"Key id {key.keyid}\n{key.pem}")


def _refuse(error: HokusaiError) -> NoReturn:
    sys.stderr.write(f"hokusai: {error}\n")
    raise typer.Exit(error.exit_code) from None
