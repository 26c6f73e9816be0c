"""The `signer` resource: who signs an evaluation's bundle, or, by default, nobody.

The key comes from a file or from an environment variable whose name is configured, never from the
configuration itself, which Dagster stores and shows.
"""

from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field, PrivateAttr

from hokusai_assets.defs.failures import plain_failures
from hokusai_assets.defs.resources.inputs import InputsResource
from hokusai_assets.errors import UsageError

if TYPE_CHECKING:
    from hokusai_assets.attestation.signing.signing import Signer


class SignerResource(dg.ConfigurableResource["SignerResource"]):
    """Who signs. A dry run is signed by nobody, whatever is configured."""

    backend: Literal["none", "key"] = Field(
        "none", description="none: bundles are unsigned, and say so; key: one Ed25519 key signs."
    )
    key_file: str = Field("", description="Private key, a PEM file of mode 0600 or 0400.")
    key_env: str = Field("", description="Or the environment variable that holds the PEM text.")
    inputs: dg.ResourceDependency[InputsResource]

    _signer: "Signer | None" = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Load the key before anything is computed: a wrong one must not cost a training."""
        with plain_failures():
            self._signer = self._resolve()

    def open(self, *, dry_run: bool) -> "Signer":
        """The signer of this run; a dry run's is nobody."""
        from hokusai_assets.attestation.signing.signing import NoSigner

        if dry_run or self._signer is None:
            return NoSigner()
        return self._signer

    def _resolve(self) -> "Signer | None":
        if self.backend == "none":
            if self.key_file or self.key_env:
                raise UsageError(
                    "A signing key is configured but resources.signer.config.backend is none: set "
                    "it to key, or remove the key."
                )
            return None
        if bool(self.key_file) == bool(self.key_env):
            raise UsageError("Configure one of resources.signer.config.key_file and key_env.")
        if self.inputs.run.dry_run:
            return None  # the key is not even read
        from hokusai_assets.attestation.signing.keys import (
            private_key_from_environment,
            read_private_key,
        )
        from hokusai_assets.attestation.signing.signing import KeySigner

        if self.key_file:
            return KeySigner(read_private_key(self.key_file))
        return KeySigner(private_key_from_environment(self.key_env))
