"""Errors of this package as Dagster failures: the message first, no retry.

A failure that a rerun cannot change must not be retried, and an operator who is paged at night
should read one sentence before any traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from hokusai_assets.errors import HokusaiError


def failure(error: HokusaiError) -> dg.Failure:
    """The Dagster failure of an error: its message, its class, its exit code."""
    return dg.Failure(
        description=str(error),
        metadata={"error": type(error).__name__, "exit_code": error.exit_code},
        allow_retries=False,
    )


@contextmanager
def plain_failures() -> Iterator[None]:
    """Raise this package's errors as Dagster failures."""
    try:
        yield
    except HokusaiError as error:
        raise failure(error) from error
