"""One function over many items, in order, on all cores where that pays.

Processes rather than threads, because hashing short rows holds Python's lock. Forked, but not from
this process, since a fork copies locks that threads of DuckDB and Arrow may hold: from one that has
imported what cleaning needs and done nothing yet (multiprocessing's fork server), once for all
workers. They do not run the program that started this process, as multiprocessing would have it:
of `dagster` that is a second of imports that no worker needs, and of a script without a guard the
whole script. So functions that workers are to do must stand in modules. What is no size worth a
process is done where it stands, so that small runs start nothing.
"""

from __future__ import annotations

import collections
import concurrent.futures
import importlib
import itertools
import multiprocessing
import os
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import (
    BaseContext,
    ForkServerContext,
    ForkServerProcess,
    SpawnContext,
    SpawnProcess,
)
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hokusai_assets.errors import StorageError

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 8
_ITEMS_A_RELEASE = 4
# By name, because it imports this module.
_NEEDED = "hokusai_assets.contribution.worker_imports"
_NOT_STARTED = (
    "The processes that clean data could not be started ({}): look at what the system says of "
    "processes and memory, and run this again."
)
_KILLED = (
    "A process that cleaned data was killed, most likely for want of memory: give the run more, or "
    "evaluate the file in parts."
)


class Workers:
    """Does work here, or hands it to processes that live as long as this is open."""

    def __init__(self, executor: ProcessPoolExecutor | None, count: int) -> None:
        self._executor = executor
        self._count = count

    @property
    def elsewhere(self) -> bool:
        """Whether work is done in other processes."""
        return self._executor is not None

    def in_order(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """The results in the order of the items; few of them wait in memory at a time."""
        if self._executor is None:
            yield from map(function, items)
            return
        waiting: collections.deque[Future[Result]] = collections.deque()
        try:
            for item in items:
                waiting.append(self._submit(_work, function, item))
                if len(waiting) > self._count + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except concurrent.futures.BrokenExecutor:
            raise StorageError(_KILLED) from None
        finally:
            for future in waiting:
                future.cancel()

    def _submit(self, function: Callable[..., Result], *args: Any) -> Future[Result]:
        assert self._executor is not None
        try:
            return self._executor.submit(function, *args)
        except (EOFError, OSError) as error:  # of the process that it starts
            raise StorageError(_NOT_STARTED.format(type(error).__name__)) from None

    def later(self, function: Callable[[], Result]) -> Callable[[], Result]:
        """Begin something whose result is asked for later; here it is done when it is asked for."""
        if self._executor is None:
            return function
        future = self._submit(function)

        def result() -> Result:
            try:
                return future.result()
            except concurrent.futures.BrokenExecutor:
                raise StorageError(_KILLED) from None

        return result


@contextmanager
def workers(*, parallel: bool) -> Iterator[Workers]:
    """Workers for the time of a block: this process alone, or one more a core."""
    count = min(len(os.sched_getaffinity(0)), MOST_WORKERS)
    if not parallel or count < 2 or multiprocessing.current_process().daemon:
        yield Workers(None, 1)
        return
    context = _context()
    with (
        _plain_memory(),
        ProcessPoolExecutor(
            count, mp_context=context, initializer=_begin, initargs=(__file__,)
        ) as executor,
    ):
        yield Workers(executor, count)


def _context() -> BaseContext:
    forkserver.set_forkserver_preload([_NEEDED])
    try:
        with _own_path():
            resource_tracker.ensure_running()  # multiprocessing's own, which it would start itself
            forkserver.ensure_running()  # it imports meanwhile, while the file is opened
    except OSError:
        # Its socket lies in the folder for temporary files, whose name may be too long for one.
        return _Spawn()
    # Or which somebody tidied up since.
    address = getattr(forkserver, "_forkserver")._forkserver_address  # noqa: B009 - not in its stub
    return _ForkServer() if Path(address).exists() else _Spawn()


@contextmanager
def _own_path() -> Iterator[None]:
    """A process that starts meanwhile finds the modules that this one finds, and no others.

    It would look into the current directory first, where contributed files may lie.
    """
    ours = os.pathsep.join(path or os.curdir for path in sys.path)
    with _environment_is_changed:
        before = {name: os.environ.get(name) for name in ("PYTHONPATH", "PYTHONSAFEPATH")}
        os.environ |= {"PYTHONPATH": ours, "PYTHONSAFEPATH": "1"}
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


class _WithoutMain:
    """A process that does not run this one's program first.

    Which program that is, a process is told when it starts, from the module __main__ of this one:
    meanwhile an empty one stands there.
    """

    def start(self) -> None:
        with _main_is_hidden:
            main = sys.modules["__main__"]
            sys.modules["__main__"] = types.ModuleType("__main__")
            try:
                super().start()  # type: ignore[misc] # of a process, which this is mixed into
            finally:
                sys.modules["__main__"] = main


class _ForkedProcess(_WithoutMain, ForkServerProcess):
    pass


class _ForkServer(ForkServerContext):
    Process: ClassVar[Any] = _ForkedProcess


class _SpawnedProcess(_WithoutMain, SpawnProcess):
    def start(self) -> None:
        with _own_path():
            super().start()


class _Spawn(SpawnContext):
    Process: ClassVar[Any] = _SpawnedProcess


_main_is_hidden = threading.Lock()
_environment_is_changed = threading.Lock()
_done = itertools.count(1)  # of this worker's items


def _work(function: Callable[[Item], Result], item: Item) -> Result:
    """One item in a worker, whose memory goes back to the system now and then.

    Not after each: the next one takes as much again, and new pages are a tenth of its time.
    """
    import pyarrow as pa

    result = function(item)
    if next(_done) % _ITEMS_A_RELEASE == 0:
        pa.default_memory_pool().release_unused()
    return result


def _begin(parents_file: str) -> None:
    """Make a worker ready, before its first item comes."""
    if __file__ != parents_file:
        raise RuntimeError(f"A worker took this program from {__file__}, not {parents_file}.")
    importlib.import_module(_NEEDED)  # done already, unless it was spawned
    _use_plain_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody else tells a worker that its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _use_plain_memory() -> None:
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())


@contextmanager
def _plain_memory() -> Iterator[None]:
    """Let Arrow allocate from the system meanwhile: its own pools keep what they once had."""
    import pyarrow as pa

    before = pa.default_memory_pool()
    _use_plain_memory()
    try:
        yield
    finally:
        pa.set_memory_pool(before)
