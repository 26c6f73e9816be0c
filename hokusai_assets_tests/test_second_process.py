"""The second process: the same answers and errors as here, no secrets of ours, no leftovers."""

import gc
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob

from hokusai_assets import second_process
from hokusai_assets.defs.build import build_definitions
from hokusai_assets.defs.executor import in_process_or_multiprocess_executor
from hokusai_assets.defs.meanwhile import MEANWHILE, begin_early
from hokusai_assets.errors import ModelError, TaskError
from hokusai_assets.settings import SECRETS, VARIABLES
from hokusai_assets_tests.conftest import ROOT

pytestmark = pytest.mark.second_process

NO_RETRIES: dict[str, Any] = {"retries": {"enabled": {}}}


@pytest.fixture(autouse=True)
def _none_is_left() -> Iterator[None]:
    yield
    second_process.stop()


def whoami() -> int:
    return os.getpid()


def environment() -> dict[str, str]:
    return dict(os.environ)


def refuse(field: str) -> None:
    raise TaskError(f"{field} is wrong.")


def divide(numerator: int, *, by: int) -> float:
    return numerator / by


class Unpicklable(Exception):
    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


def fail_with_a_lock() -> None:
    raise Unpicklable


def return_a_lock() -> object:
    return threading.Lock()


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


prepared: list[str] = []


def prepare() -> None:
    prepared.append("here")


def prepare_slowly() -> None:
    time.sleep(0.1)
    prepared.append("slowly")


def sleep(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


def test_without_one_the_work_is_done_here() -> None:
    assert second_process.call(whoami) == os.getpid()


def test_with_one_it_is_done_there_until_it_is_stopped() -> None:
    with second_process.running():
        first = second_process.call(whoami)
        assert first != os.getpid()
        second_process.start()  # there is one already
        assert second_process.call(whoami) == first
    assert second_process.call(whoami) == os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_arguments_results_and_errors_are_those_of_the_function() -> None:
    with second_process.running():
        assert second_process.call(divide, 3, by=4) == 0.75
        with pytest.raises(TaskError, match=r"^estimator is wrong\.$"):
            second_process.call(refuse, "estimator")
        with pytest.raises(ZeroDivisionError) as raised:
            second_process.call(divide, 1, by=0)
        assert "in divide" in raised.value.__notes__[0]  # where it happened there
        assert second_process.call(divide, 1, by=2) == 0.5  # and it goes on


def test_what_cannot_be_sent_back_is_an_error_and_not_the_end() -> None:
    with second_process.running():
        with pytest.raises(ModelError, match="Unpicklable"):
            second_process.call(fail_with_a_lock)
        with pytest.raises(TypeError, match="pickle"):
            second_process.call(return_a_lock)
        assert second_process.call(divide, 1, by=2) == 0.5


def test_a_crash_there_is_a_sentence_here() -> None:
    with second_process.running():
        with pytest.raises(ModelError, match="give the run more memory, or check the model"):
            second_process.call(crash)
        with pytest.raises(ModelError, match="ended"):
            second_process.call(whoami)  # it is not quietly done here instead


def test_what_is_needed_later_is_prepared_while_an_answer_is_waited_for() -> None:
    prepared.clear()
    here = f"{__name__}:prepare"
    with second_process.running([here, here]):
        assert prepared == []  # not before there is something to wait for
        assert second_process.call(sleep, 0.5) == "slept"
        assert prepared == ["here", "here"]
        assert second_process.call(sleep, 0.1) == "slept"
        assert len(prepared) == 2  # once each


def test_an_answer_that_is_there_is_not_kept_waiting() -> None:
    prepared.clear()
    with second_process.running([f"{__name__}:prepare_slowly"] * 30):
        assert second_process.call(sleep, 0.5) == "slept"
        assert 0 < len(prepared) < 30


def test_all_that_an_evaluation_prepares_can_be_prepared() -> None:
    assert len(set(MEANWHILE)) == len(MEANWHILE)
    for name in MEANWHILE:
        module, _, function = name.partition(":")
        found = importlib.import_module(module)
        assert not function or callable(getattr(found, function))


@pytest.mark.parametrize(
    ("command", "begins"),
    [
        ("dagster job execute -m hokusai_assets.definitions -j dry_run", True),
        ("dagster/__main__.py api execute_run {}", True),
        ("dagster job launch -j dry_run", False),
        ("dagster dev", False),
        ("dagster api grpc --python-file x", False),
        ("dagster definitions validate", False),
        ("pytest", False),
    ],
)
def test_it_begins_early_where_a_job_is_run(
    command: str, begins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(second_process, "start", begun.append)
    begin_early(command.split())
    assert begun == [MEANWHILE] * begins


def test_the_process_of_one_step_begins_none(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    monkeypatch.setattr(second_process, "start", begun.append)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    begin_early("dagster job execute".split())
    assert begun == []


@pytest.mark.parametrize(
    ("job", "execution", "is_left"),
    [
        ("dry_run", {"in_process": NO_RETRIES}, True),
        ("dry_run", {"multiprocess": NO_RETRIES}, False),
        ("checks", {"in_process": NO_RETRIES}, False),
    ],
)
def test_a_run_that_needs_none_ends_it(job: str, execution: dict[str, Any], is_left: bool) -> None:
    executor = in_process_or_multiprocess_executor
    create = executor.executor_creation_fn
    assert create is not None
    second_process.start()
    with dg.DagsterInstance.ephemeral() as instance:
        defined = InMemoryJob(build_definitions().resolve_job_def(job))
        create(dg.InitExecutorContext(defined, executor, execution, instance))
    gc.unfreeze()  # other tests' objects too
    assert (second_process.call(whoami) != os.getpid()) is is_left


def test_an_interrupted_call_never_answers_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with second_process.running():
        assert second_process.call(divide, 1, by=2) == 0.5
        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            with pytest.raises(KeyboardInterrupt):
                second_process.call(sleep, 30)
        finally:
            signal.signal(signal.SIGALRM, before)
        with pytest.raises(ModelError):
            second_process.call(divide, 1, by=2)


def test_it_knows_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(VARIABLES) >= SECRETS
    for name in SECRETS:
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("RANDOM_SEED", "7")
    # Whatever its name: resources.signer.config.key_env is the operator's choice.
    monkeypatch.setenv("OUR_SIGNER", "-----BEGIN PRIVATE KEY-----\\ncanary\\n")
    with second_process.running():
        found = second_process.call(environment)
    assert found["RANDOM_SEED"] == "7"
    assert not (SECRETS | {"OUR_SIGNER"}) & set(found)


def test_every_variable_that_is_called_a_secret_is_kept_from_it() -> None:
    secret = {name for name, (_, meaning) in VARIABLES.items() if "secret" in meaning}
    assert secret <= SECRETS


def test_it_finds_what_this_process_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(tmp_path, "only_here.py").write_text("def answer():\n    return 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here

    with second_process.running():
        assert second_process.call(only_here.answer) == 42


def test_it_takes_no_module_from_the_current_directory(tmp_path: Path) -> None:
    """Where somebody's contributed files may lie, or another version of this program."""
    for name in ("sklearn", "scipy", "hokusai_assets"):
        Path(tmp_path, f"{name}.py").write_text("raise SystemExit('run by the second process')\n")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    Path(folder, "program.py").write_text(
        "import os, sys\n"
        "sys.path.remove(sys.path[0])  # as a program that is installed starts\n"
        "from hokusai_assets import second_process\n"
        "with second_process.running():\n"
        "    print(second_process.call(os.getcwd))\n"
    )
    ran = subprocess.run(
        [sys.executable, str(folder / "program.py")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{tmp_path}\n", "")


def test_it_ends_with_a_parent_that_is_killed() -> None:
    script = (
        "import os, signal\n"
        "from hokusai_assets import second_process\n"
        "second_process.start()\n"
        "print(second_process.call(os.getpid), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.returncode == -signal.SIGKILL
    child = int(ran.stdout)
    deadline = time.monotonic() + 60  # guards against a hang; measures nothing
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break  # ended; nobody reaps it here
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child}").exists()


def test_it_is_the_one_that_loads_pandas() -> None:
    script = (
        "import sys\n"
        "from hokusai_assets import second_process\n"
        "second_process.start()\n"
        "import pyarrow as pa\n"
        "pa.array(['x'])\n"
        "print('pandas' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_what_it_imports_ahead_is_without_libraries_for_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "import sys\ndef loaded(*names):\n    return [n in sys.modules for n in names]\n"
    Path(tmp_path, "only_there.py").write_text(asked)
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_there

    last = second_process.IMPORTED_AHEAD[-1]
    with second_process.running():
        while not second_process.call(only_there.loaded, last)[0]:
            time.sleep(0.1)  # while nothing is asked for, it imports
        found = second_process.call(only_there.loaded, "pandas", "pandera", "hypothesis", "pytest")
    assert found == [True, True, False, False]
