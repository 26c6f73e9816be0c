"""The environment variables this package reads, in one place, with their defaults.

Read when a run or a command starts, never at import: `Settings.from_environment()`. What an
evaluation depends on is a task's or a run configuration's business, not an environment's; the
exceptions are named here because the operator's platform sets them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hokusai_assets.errors import UsageError

_TRUE = {"1", "true", "yes", "on"}
_SHORTEST_SECRET = 16  # bytes
_FALSE = {"", "0", "false", "no", "off"}

# name -> (default shown in .env.example and README, meaning)
VARIABLES: dict[str, tuple[str, str]] = {
    "HOKUSAI_HOME": (".hokusai", "folder for what runs store: assets, Dagster's history, MLflow"),
    "HOKUSAI_TEST_MODE": ("false", "true makes mock data the default mode of every run"),
    "HOKUSAI_PII_KEY": ("", "secret for keyed hashes of personal data; empty: masked instead"),
    "HOKUSAI_PLAN_NONCE": ("", "secret in hex that training seeds depend on; empty: none"),
    "HOKUSAI_SALT_SECRET": ("", "secret in hex that hides benchmark rows' ids; empty: not hidden"),
    "MLFLOW_TRACKING_URI": ("", "empty: SQLite in HOKUSAI_HOME; dry runs track only when set"),
    "MLFLOW_EXPERIMENT_NAME": ("hokusai-pipeline", "MLflow experiment that runs are logged to"),
    "MLFLOW_ARTIFACT_ROOT": ("", "empty: a folder in HOKUSAI_HOME, or what the server says"),
    "PIPELINE_LOG_LEVEL": ("INFO", "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    "RANDOM_SEED": ("42", "seed of tasks that name none"),
}

SECRETS = frozenset({"HOKUSAI_PII_KEY", "HOKUSAI_PLAN_NONCE", "HOKUSAI_SALT_SECRET"})


@dataclass(frozen=True)
class Settings:
    """The environment as typed values; secrets are kept out of its repr."""

    home: Path
    test_mode: bool
    random_seed: int
    log_level: str
    tracking_uri: str
    experiment_name: str
    artifact_root: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read and check every variable; raise UsageError naming the one that is wrong."""
        env = os.environ if environment is None else environment

        def value(name: str) -> str:
            return env.get(name, "").strip() or VARIABLES[name][0]

        test_mode = value("HOKUSAI_TEST_MODE").lower()
        if test_mode not in _TRUE | _FALSE:
            raise UsageError(
                f"HOKUSAI_TEST_MODE is {test_mode!r}, which is neither true nor false: "
                "set it to true or false, or unset it."
            )
        seed = value("RANDOM_SEED")
        if not (seed.isascii() and seed.isdigit() and int(seed) < 2**32):
            raise UsageError("RANDOM_SEED must be a whole number from 0 to 4294967295.")
        level = value("PIPELINE_LOG_LEVEL").upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
            raise UsageError(
                f"PIPELINE_LOG_LEVEL is {level!r}: use DEBUG, INFO, WARNING, ERROR or CRITICAL."
            )
        return cls(
            home=Path(value("HOKUSAI_HOME")).expanduser().absolute(),
            test_mode=test_mode in _TRUE,
            random_seed=int(seed),
            log_level=level,
            tracking_uri=value("MLFLOW_TRACKING_URI"),
            experiment_name=value("MLFLOW_EXPERIMENT_NAME"),
            artifact_root=value("MLFLOW_ARTIFACT_ROOT"),
        )


def pii_key() -> bytes | None:
    """The operator's key for PII hashes, or None when none is set."""
    return os.environ.get("HOKUSAI_PII_KEY", "").encode() or None


def salt_secret() -> bytes | None:
    """The operator's secret for leaves, or None; raises UsageError where it hides nothing."""
    text = os.environ.get("HOKUSAI_SALT_SECRET", "").strip()
    try:
        secret = bytes.fromhex(text) or None
    except ValueError:
        raise UsageError("HOKUSAI_SALT_SECRET must be hexadecimal, such as 64 digits.") from None
    if secret is not None and len(secret) < _SHORTEST_SECRET:
        raise UsageError(
            f"HOKUSAI_SALT_SECRET is too short: with less than {2 * _SHORTEST_SECRET} hexadecimal "
            "digits it could be guessed. Draw one, such as by `openssl rand -hex 32`."
        )
    return secret


def plan_nonce() -> bytes | None:
    """The operator's nonce, or None; raises UsageError when it is not hexadecimal."""
    text = os.environ.get("HOKUSAI_PLAN_NONCE", "").strip()
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        raise UsageError("HOKUSAI_PLAN_NONCE must be hexadecimal, such as 64 digits.") from None
