"""`hokusai sign`: add one signer's statements to a bundle."""

import sys
from typing import Annotated

import typer

from hokusai_assets.errors import HokusaiError, UsageError

HELP = """Sign an evaluation's bundle: three new files beside those of other signers.

The key is read from a file that only you can read, or from an environment variable that holds its PEM text. Signing again with the same key changes nothing and adds what a crash left out. A dry run is never signed.

Examples:

  hokusai sign outputs/bundle_RUN --key .hokusai/keys/signing_key.pem

  hokusai sign outputs/bundle_RUN --key-env HOKUSAI_SIGNING_KEY

Exit codes: 0 signed, or signed before; 1 a signature that is there was changed; 2 the command, the key or the folder is wrong; 3 refused: a dry run, or files that disagree.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


def sign(
    bundle: Annotated[str, typer.Argument(help="Folder or URL of the bundle.")],
    key: Annotated[
        str | None, typer.Option(help="Private key, a PEM file of mode 0600 or 0400.")
    ] = None,
    key_env: Annotated[
        str | None, typer.Option(help="Name of the environment variable that holds the PEM text.")
    ] = None,
) -> None:
    """Sign and say which files were written."""
    from hokusai_assets.attestation.signing.keys import (
        private_key_from_environment,
        read_private_key,
    )
    from hokusai_assets.attestation.signing.signing import sign_bundle

    try:
        if (key is None) == (key_env is None):
            raise UsageError("Name one key: with --key FILE or with --key-env NAME.")
        if key is not None:
            signing_key = read_private_key(key)
        else:
            signing_key = private_key_from_environment(str(key_env))
        signed = sign_bundle(bundle, signing_key)
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        raise typer.Exit(error.exit_code) from None
    sys.stdout.write(f"Signed by {signed.keyid}\n")
    for path in signed.written:
        sys.stdout.write(f"{path}\n")
    for path in signed.already:
        sys.stdout.write(f"{path} (there already, and the same)\n")
