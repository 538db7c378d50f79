"""A program is waited for, hears signals, and ends with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from labkit.process import Program

PYTHON = [sys.executable, "-I", "-S", "-c"]
WAITS = [*PYTHON, "import sys; sys.exit(int(sys.stdin.read()))"]
PARENT = f"import subprocess; child = subprocess.Popen({WAITS!r}); print(child.pid, flush=True); child.wait()"
# Its daemon has forked twice, and is in its own session: no parent and no process group tells whose it is.
DAEMON = """
import os, sys, time
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(w, str(os.getpid()).encode())
        os.close(1)
        time.sleep(600)
    os._exit(0)
os.wait()
print(os.read(r, 20).decode(), flush=True)
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an orphan is lost")


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Start programs that are ended after the test."""
    programs: list[Program] = []

    def start(*command: str, **options: object) -> Program:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        programs.append(Program(command, **pipes, **options))  # type: ignore[arg-type]
        return programs[-1]

    yield start
    for program in programs:
        program.end()
        program.stdin.close()
        program.stdout.close()


def said(program: Program) -> int:
    """Return the number that a program prints."""
    return int(program.stdout.readline())


@pytest.mark.learner_path
def test_it_gives_its_status_when_it_has_ended(start: Callable[..., Program]) -> None:
    program = start(*WAITS)
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(0.0)
    assert program.status is None

    later = threading.Timer(0.6, lambda: program.stdin.write(b"3") and program.stdin.close())  # than its first look
    later.start()

    assert (program.wait(), program.status) == (3, 3)


@posix
def test_one_that_a_signal_has_ended_says_which(start: Callable[..., Program]) -> None:
    program = start(*PYTHON, "import os; os.kill(os.getpid(), 9)")

    assert program.wait() == -signal.SIGKILL


@posix
def test_what_can_not_be_executed_says_so_as_a_shell_does(
    start: Callable[..., Program], capfd: pytest.CaptureFixture[str]
) -> None:
    assert start("/no/such/program").wait() == 127
    assert capfd.readouterr().err == "/no/such/program: No such file or directory\n"


@posix
def test_it_hears_the_signals_that_it_is_sent(start: Callable[..., Program]) -> None:
    handles = "import signal, sys; signal.signal(10, lambda *_: sys.exit(7)); print(1, flush=True); input()"
    program = start(*PYTHON, handles)
    assert said(program) == 1
    program.send_signal(signal.SIGUSR1)

    assert program.wait() == 7
    program.send_signal(signal.SIGUSR1)  # to nobody


@linux
def test_it_ignores_and_blocks_what_any_command_would(start: Callable[..., Program]) -> None:
    command = ["/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]

    assert start(*command).stdout.read() == subprocess.run(command, capture_output=True).stdout


@linux
def test_it_has_no_open_file_that_another_command_would_not_have(start: Callable[..., Program]) -> None:
    command = ["/bin/ls", "/proc/self/fd"]

    assert start(*command).stdout.read() == subprocess.run(command, capture_output=True).stdout


@linux
@pytest.mark.parametrize("how", ["exec <&- ", "exec <&- >&- ", "trap '' CHLD; exec "])
def test_it_runs_where_streams_are_closed_and_signals_ignored(how: str, tmp_path: Path) -> None:
    code = f"from labkit.process import Program; Program(['/bin/sh', '-c', 'echo it ran >{tmp_path}/ran']).wait()"
    subprocess.run(["/bin/sh", "-c", f'{how}"$@"', "sh", sys.executable, "-c", code], check=True)

    assert (tmp_path / "ran").read_text() == "it ran\n"


@posix
@pytest.mark.parametrize("session", [False, True])
def test_it_is_in_the_group_of_this_process_or_leads_its_own(session: bool, start: Callable[..., Program]) -> None:
    program = start(*PYTHON, "import os; print(os.getpgid(0)); print(os.getpid())", session=session)

    assert said(program) == (said(program) if session else os.getpgid(0))


def test_a_handler_that_raises_ends_the_wait(start: Callable[..., Program]) -> None:
    class Rung(Exception):
        """The signal has come."""

    def ring(*_: object) -> None:
        raise Rung

    before = signal.signal(signal.SIGINT, ring)
    try:
        program = start(*WAITS)
        threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()  # wakes no wait by itself
        with pytest.raises(Rung):
            program.wait()
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.learner_path
def test_what_it_has_started_ends_with_it(start: Callable[..., Program]) -> None:
    program = start(*PYTHON, PARENT)
    child = psutil.Process(said(program))
    assert child.pid in program.numbers()
    program.end()

    assert program.status is not None
    assert program.numbers() == set()
    child.wait(10)
    program.end()  # twice does no harm


def test_a_direct_one_is_a_child_of_this_process_and_ends_like_the_others(start: Callable[..., Program]) -> None:
    program = start(*PYTHON, PARENT, direct=True, session=True)
    child = psutil.Process(said(program))
    assert child.parent().ppid() == os.getpid()
    program.end()

    assert program.status == -signal.SIGKILL
    child.wait(10)


@linux
@pytest.mark.parametrize("last", ["", "time.sleep(600)"], ids=["by itself", "at end()"])
def test_a_daemon_ends_with_it(last: str, start: Callable[..., Program]) -> None:
    program = start(*PYTHON, DAEMON + last)
    daemon = psutil.Process(said(program))
    if last:
        program.end()

    assert program.wait() == (-signal.SIGKILL if last else 0)
    assert not daemon.is_running()


@posix
def test_with_a_grace_it_may_end_as_it_wants(start: Callable[..., Program]) -> None:
    handles = "import signal, sys; signal.signal(15, lambda *_: sys.exit(5)); print(1, flush=True); input()"
    program = start(*PYTHON, handles, grace=10.0)
    assert said(program) == 1
    program.end()

    assert program.status == 5


@linux
def test_over_its_grace_it_is_killed_and_its_daemon_may_end_as_it_wants(
    start: Callable[..., Program], tmp_path: Path
) -> None:
    ended = tmp_path / "ended"
    polite = f"""        import signal
        signal.signal(15, lambda *_: (open({str(ended)!r}, "w"), os._exit(0)))
        os.write"""
    deaf = "import signal; signal.signal(15, signal.SIG_IGN)"
    program = start(*PYTHON, deaf + DAEMON.replace("        os.write", polite) + "time.sleep(600)", grace=0.1)
    daemon = psutil.Process(said(program))
    program.end()

    assert (program.status, daemon.is_running(), ended.exists()) == (-signal.SIGKILL, False, True)


@linux
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_it_ends_with_its_supervisor(name: str, start: Callable[..., Program]) -> None:
    program = start(*PYTHON, "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    worker = psutil.Process(said(program))
    worker.parent().send_signal(signal.Signals[name])
    program.wait()

    worker.wait(10)


@posix
def test_a_forked_child_does_not_keep_it_alive() -> None:
    script = f"""
import os, signal, time
from labkit.process import Program
program = Program({PYTHON!r} + ["import os, time; print(os.getpid(), flush=True); time.sleep(600)"])
time.sleep(1)
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    signal.pause()
print(child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=30
    )
    program, child = map(int, told.stdout.split())
    try:
        end = time.monotonic() + 10
        while psutil.pid_exists(program):
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        os.kill(child, signal.SIGKILL)
