"""Libraries that others look for and can do without: what is not there costs no time to import."""

from __future__ import annotations

import contextlib
import importlib.abc
import sys
import threading
from collections.abc import Iterator


class _Refuse(importlib.abc.MetaPathFinder):
    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Refuse some, as if they were not installed; leave all else to the finders after this."""
        if name in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is not looked for here.", name=name)


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Modules that are not imported yet are not found by this thread for the time of a block."""
    finder = _Refuse(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def forgo_pandas() -> None:
    """Let Arrow ask for pandas now and find none, in a process that makes no frames.

    With the first Python value that it is given it asks whether that is one of pandas' own, and
    imports pandas to know: 0.4 s, and some more to take it apart when the process ends. It asks
    once, and again where a table is to become a frame, which works as ever. Until then it does not
    know a pandas Series by a look at it: not for a process to which somebody may hand one.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    with without("pandas"):
        pa.array([0])
