"""Workers: processes of their own that start without the program that started this one."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hokusai_assets.contribution.workers import workers
from hokusai_assets_tests.conftest import ROOT

# As `dagster job execute` is: a program, and one that nobody guarded against being run again.
PROGRAM = """
import os, pathlib, sys
with pathlib.Path(sys.argv[1]).open("a") as seen:
    seen.write(f"{os.getpid()}\\n")
from hokusai_assets.contribution.workers import workers
with workers(parallel=True) as hands:
    assert list(hands.in_order(abs, range(-3, 3))) == [3, 2, 1, 0, 1, 2]
    assert hands.later(os.getpid)() != os.getpid()
import __main__
assert __main__.seen is seen
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="on one core no worker is started"
)


def runs_without_a_word(folder: Path, *words: str) -> None:
    """Python with some words, in a folder, succeeds and says nothing of what went wrong."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("how", ["script", "module"])
def test_a_workers_parents_program_is_not_run_again(tmp_path, how):
    (tmp_path / "program.py").write_text(PROGRAM)
    words = [str(tmp_path / "program.py")] if how == "script" else ["-m", "program"]
    runs_without_a_word(tmp_path, *words, str(tmp_path / "seen"))
    assert len((tmp_path / "seen").read_text().splitlines()) == 1


def no_socket() -> None:
    raise OSError("AF_UNIX path too long")


def test_without_a_fork_server_workers_are_spawned(monkeypatch):
    monkeypatch.setattr("multiprocessing.forkserver.ensure_running", no_socket)
    with workers(parallel=True) as hands:
        assert hands.elsewhere
        assert list(hands.in_order(abs, [-1, -2])) == [1, 2]


WITHOUT_A_SOCKET = """
import os
from multiprocessing import forkserver
from hokusai_assets.contribution.workers import workers
for _ in range(2):
    with workers(parallel=True) as hands:
        assert list(hands.in_order(abs, [-1, -2])) == [1, 2]
    if os.path.exists(forkserver._forkserver._forkserver_address):
        os.unlink(forkserver._forkserver._forkserver_address)  # as whoever tidies /tmp does
"""


def test_workers_start_though_the_fork_servers_socket_is_gone(tmp_path):
    runs_without_a_word(tmp_path, "-c", WITHOUT_A_SOCKET)


def test_main_is_itself_again_whichever_thread_started_a_worker():
    before = sys.modules["__main__"]
    results = []

    def work():
        with workers(parallel=True) as hands:
            results.append(list(hands.in_order(abs, [-1, -2])))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[1, 2], [1, 2]]
    assert sys.modules["__main__"] is before


# What a worker says of itself once Arrow was given a Python value.
LOADED = "__import__('pyarrow').scalar(0.5) and 'pandas' in __import__('sys').modules"


def test_workers_do_not_load_pandas():
    with workers(parallel=True) as hands:
        assert list(hands.in_order(eval, [LOADED] * 4)) == [False] * 4
    # As Arrow does where nobody stops it.
    plain = [sys.executable, "-c", f"print({LOADED})"]
    assert subprocess.check_output(plain, text=True) == "True\n"


CLEANING = "__import__('hokusai_assets.contribution.cleaning').__file__"
FROM_A_FOLDER = """
import sys
sys.path.remove(sys.path[0])  # as a program that is installed starts, and not the folder's own
from multiprocessing import forkserver
from hokusai_assets.contribution.workers import workers
def no_socket():
    raise OSError("AF_UNIX path too long")
if sys.argv[2] == "False":
    forkserver.ensure_running = no_socket
with workers(parallel=True) as hands:
    assert list(hands.in_order(eval, [sys.argv[1]] * 2)) == [eval(sys.argv[1])] * 2
"""


@pytest.mark.parametrize("server", [True, False])
def test_workers_take_no_module_from_the_current_directory(tmp_path, server):
    """Where somebody's contributed files may lie, or another version of this program."""
    for name in ("phonenumbers", "stdnum", "hokusai_assets", "multiprocessing", "pickle"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run by a worker')\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "program.py").write_text(FROM_A_FOLDER)
    program = str(tmp_path / "elsewhere" / "program.py")
    runs_without_a_word(tmp_path, program, CLEANING, str(server))


def test_the_environment_is_what_it_was(monkeypatch):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setenv("PYTHONPATH", "kept")
    with workers(parallel=True) as hands:
        assert list(hands.in_order(abs, [-1])) == [1]
    assert os.environ["PYTHONPATH"] == "kept"
    assert "PYTHONSAFEPATH" not in os.environ


KILLED = """
import os, signal
from hokusai_assets.contribution.workers import workers
with workers(parallel=True) as hands:
    print(*set(hands.in_order(eval, ["__import__('os').getpid()"] * 9)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_a_parent_that_is_killed():
    ran = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    # Its pipes are closed, by all who held them, or this would not have returned.
    for process in map(int, ran.stdout.split()):
        assert gone(process)


def gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"
