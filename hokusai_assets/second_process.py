"""A second process for what needs scikit-learn: training, asking models, estimating label noise.

Importing scikit-learn and skops takes as long as cleaning a small contribution and needs nothing
of it. Begun when a run begins, on another core, it is over by the time the first model is trained.
And estimators, the task's own code among them, run where our secrets are not in the environment,
and take only themselves down when they crash. (No prison: they may do what the run may do.)

`call` does the work where it stands if no second process was started, so only whoever starts one
(a run) need know of it. Functions by name, records, arrays and tables go over a pipe as pickles
between these two processes alone; nothing that a stranger sent is ever unpickled.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, Pipe
from typing import Any, ParamSpec, TypeVar

from hokusai_assets.errors import HokusaiError, ModelError
from hokusai_assets.importing import forgo_pandas, without
from hokusai_assets.settings import SECRETS

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# In the order in which a run needs them; each is imported while nothing else is asked for.
IMPORTED_AHEAD = (
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.feature_extraction.text",
    "sklearn.compose",
    "cleanlab.count",
    "hokusai_assets.contribution.label_noise",
    "pandera.pandas",
    "hokusai_assets.contribution.checks_schema",
    "pandera.backends.pandas.register",
    "pandera.backends.pandas.builtin_checks",
    "skops.io",
    "fsspec.core",
    "pyarrow.parquet",
)

# What pandera and skops look for, which is only there where this program is developed.
_OF_TESTS = ("hypothesis", "pytest")

# Python's own thresholds make it look through all objects a dozen times while libraries are
# imported, a tenth of the time that takes (measured); and those live to the end.
COLLECTOR_THRESHOLDS = (50_000, 20, 100)

_KEY_MARK = "PRIVATE KEY"  # of PEM

# Not multiprocessing's spawn: its children run the script that started their parent, and so import
# all of Dagster first.
_CHILD = "import sys; from hokusai_assets.second_process import serve; serve(int(sys.argv[1]))"


class SecondProcess:
    """A child that does one call at a time and ends with its parent."""

    def __init__(self, meanwhile: Sequence[str] = ()) -> None:
        self._lock = threading.Lock()
        self._meanwhile = list(meanwhile)
        self._pipe, theirs = Pipe()
        # A signing key's variable has whatever name the operator chose: known by what it holds.
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in SECRETS and _KEY_MARK not in value
        }
        # The modules that this one finds, and no others: in the current directory, where Python
        # would look first, contributed files may lie.
        environment["PYTHONPATH"] = os.pathsep.join(path or os.curdir for path in sys.path)
        environment["PYTHONSAFEPATH"] = "1"
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-c", _CHILD, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
            )

    def call(self, function: Callable[..., Result], args: Any, kwargs: Any) -> Result:
        """What `function` returns there; raises what it raises, ModelError where it is no more."""
        with self._lock:
            done = False
            try:
                self._pipe.send((function, args, kwargs))
                while self._meanwhile and not self._pipe.poll():
                    _prepare(self._meanwhile.pop(0))
                result, error = self._pipe.recv()
                done = True
            except (EOFError, OSError):
                raise ModelError(
                    "The process that trains and asks models ended, most likely for want of "
                    "memory, or because a model file is damaged in a way that crashes its library: "
                    "give the run more memory, or check the model in the task file."
                ) from None
            finally:
                if not done:  # also when interrupted: its answer must not be taken for the next one
                    self.end()
        if error is not None:
            raise error
        answer: Result = result
        return answer

    def end(self) -> None:
        """Stop the child, whatever it does."""
        self._pipe.close()
        self._child.kill()
        self._child.wait()


_running: SecondProcess | None = None


def start(meanwhile: Sequence[str] = ()) -> None:
    """Start the second process of this one, if it has none; it ends when this one does.

    `meanwhile` names what this process needs later, as "module" or "module:function" (called
    without arguments): it is imported, one after the other, while an answer is waited for.
    """
    global _running
    if _running is None:
        _running = SecondProcess(meanwhile)
        atexit.register(stop)
        forgo_pandas()  # frames are made there


def stop() -> None:
    """End the second process, if there is one; `call` works here from now on."""
    global _running
    if _running is not None:
        _running.end()
        _running = None
        atexit.unregister(stop)


@contextlib.contextmanager
def running(meanwhile: Sequence[str] = ()) -> Iterator[None]:
    """A second process for the time of a block; `meanwhile` as of `start`."""
    start(meanwhile)
    try:
        yield
    finally:
        stop()


def call(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """`function(*args, **kwargs)`, in the second process where there is one."""
    if _running is None:
        return function(*args, **kwargs)
    return _running.call(function, args, kwargs)


def _prepare(name: str) -> None:
    module, _, function = name.partition(":")
    imported = importlib.import_module(module)
    if function:
        getattr(imported, function)()


def serve(descriptor: int) -> None:
    """The child: import ahead, and do what is asked until the parent is gone."""
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends this one
    pipe: Connection[Any, Any] = Connection(descriptor)
    ahead = list(IMPORTED_AHEAD)
    with contextlib.suppress(EOFError, OSError):
        while True:
            while ahead and not pipe.poll():
                with without(*_OF_TESTS):
                    importlib.import_module(ahead.pop(0))
            pipe.send_bytes(_answer(*pipe.recv()))
    os._exit(0)  # nothing is left to tidy up, and taking the libraries apart takes a while


def _answer(function: Callable[..., Any], args: Any, kwargs: Any) -> bytes:
    try:
        return pickle.dumps((function(*args, **kwargs), None))
    except HokusaiError as error:
        return pickle.dumps((None, error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        error.add_note(traceback.format_exc())
        try:
            return pickle.dumps((None, error))
        except (pickle.PicklingError, AttributeError, TypeError):
            return pickle.dumps((None, ModelError(f"{type(error).__name__} was raised.")))
