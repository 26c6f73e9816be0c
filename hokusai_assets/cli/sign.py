"""`hokusai sign`: add one signer's statements to a bundle."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hokusai_assets.errors import HokusaiError, UsageError

if TYPE_CHECKING:
    from hokusai_assets.attestation.signing.signing import SignedBundle

Key = TypeVar("Key")

HELP = """Sign an evaluation's bundle: three new files beside those of other signers.

The key is read from a file that only you can read, or from an environment variable that holds its PEM text. Signing again with the same key changes nothing and adds what a crash left out. A dry run is never signed.

With --model-key or --model-key-env, the trained models are signed too, or alone, as OpenSSF model-signing signs folders: one new file a model, by a key on the curve P-256.

Examples:

  hokusai sign outputs/bundle_RUN --key .hokusai/keys/signing_key.pem

  hokusai sign outputs/bundle_RUN --key-env HOKUSAI_SIGNING_KEY

  hokusai sign outputs/bundle_RUN --model-key keys/model_key.pem

Exit codes: 0 signed, or signed before; 1 a signature that is there was changed; 2 the command, the key or the folder is wrong; 3 refused: a dry run, files that disagree, or models that are not there.
"""  # noqa: E501 - the terminal's width breaks these lines, not ours


def sign(
    bundle: Annotated[str, typer.Argument(help="Folder or URL of the bundle.")],
    key: Annotated[
        str | None, typer.Option(help="Private key, a PEM file of mode 0600 or 0400.")
    ] = None,
    key_env: Annotated[
        str | None, typer.Option(help="Name of the environment variable that holds the PEM text.")
    ] = None,
    model_key: Annotated[
        str | None,
        typer.Option(help="Private key for the models: P-256, a PEM file of mode 0600 or 0400."),
    ] = None,
    model_key_env: Annotated[
        str | None,
        typer.Option(help="Name of the environment variable that holds that key's PEM text."),
    ] = None,
) -> None:
    """Sign and say which files were written."""
    from hokusai_assets.attestation.signing.keys import (
        private_key_from_environment,
        read_private_key,
    )
    from hokusai_assets.attestation.signing.model_keys import (
        model_key_from_environment,
        read_model_key,
    )
    from hokusai_assets.attestation.signing.signing import sign_bundle, sign_models

    try:
        if None not in (key, key_env) or None not in (model_key, model_key_env):
            raise UsageError("Name one key of a kind: its file or its environment variable.")
        # Both are loaded before either signs: a wrong one must not leave half of what was asked.
        own = _loaded(key, read_private_key, key_env, private_key_from_environment)
        of_models = _loaded(model_key, read_model_key, model_key_env, model_key_from_environment)
        if own is None and of_models is None:
            raise UsageError("Name a key: --key FILE or --key-env NAME, or one for the models.")
        if own is not None:
            _say("Signed by", sign_bundle(bundle, own))
        if of_models is not None:
            _say("Models signed by", sign_models(bundle, of_models))
    except HokusaiError as error:
        sys.stderr.write(f"hokusai: {error}\n")
        raise typer.Exit(error.exit_code) from None


def _loaded(
    path: str | None,
    read: Callable[[str], Key],
    variable: str | None,
    read_variable: Callable[[str], Key],
) -> Key | None:
    """The key in a file or a variable; None where neither is named."""
    if path is not None:
        return read(path)
    return None if variable is None else read_variable(variable)


def _say(what: str, signed: "SignedBundle") -> None:
    sys.stdout.write(f"{what} {signed.keyid}\n")
    for path in signed.written:
        sys.stdout.write(f"{path}\n")
    for path in signed.already:
        sys.stdout.write(f"{path} (there already, and the same)\n")
