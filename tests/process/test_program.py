"""A program is waited for, hears signals, and ends with all that it has started."""

from __future__ import annotations

import json
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
    for name in "/no/such/program", "/no/such/\udcff":  # a name may hold any byte
        assert start(name).wait() == 127
        assert capfd.readouterr().err.startswith("/no/such/")


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

    def signals(status: bytes) -> list[int]:
        # 32 and 33 are the C library's own, which ignores them in what it has spawned.
        return [int(line.split()[1], 16) & 0x7FFFFFFF for line in status.splitlines()]

    ours, plain = start(*command).stdout.read(), subprocess.run(command, capture_output=True).stdout
    assert len(signals(ours)) == 2
    assert signals(ours) == signals(plain)


@posix
@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        ("os.killpg(0, 2)", 1),
        ("program.send_signal(2)", 1),
        ("os.killpg(0, 2); program.send_signal(2)", 1),
        ("os.killpg(0, 2); program.send_signal(2); time.sleep(0.2); program.send_signal(2)", 2),
    ],
    ids=["of the terminal", "of labkit", "of both", "of both, and one more"],
)
def test_it_hears_a_signal_once(sent: str, heard: int) -> None:
    begin = "import os, signal; signal.signal(2, lambda *_: os.write(1, b'2\\n'))"
    says = f"{begin}; os.write(1, b'1\\n'); os.read(0, 1)"
    output = in_its_own_session(f"""
program = Program({[*PYTHON, says]!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
program.stdout.readline()
{sent}
print(program.stdout.readline())
time.sleep(0.3)
program.stdin.close()
print(program.stdout.read())
""")

    assert output.count("2") == heard


@posix
def test_it_hears_one_that_comes_while_it_begins() -> None:
    code = "program = Program(['/bin/sleep', '60']); os.killpg(0, 2); print(program.wait())"

    assert in_its_own_session(code) == "-2"


def in_its_own_session(code: str) -> str:
    """Run code, in a process group of its own that hears SIGINT, and return what it prints."""
    begin = (
        "import os, signal, subprocess, time; from labkit.process import Program; signal.signal(2, lambda *_: 0)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", begin + code], capture_output=True, text=True, start_new_session=True, timeout=60
    )
    assert finished.stderr == ""
    return finished.stdout.strip()


@posix
def test_it_has_the_files_that_a_shell_has_opened_for_it_and_nobody_else_keeps_them_open() -> None:
    reads, writes = os.pipe()
    os.set_inheritable(writes, True)
    code = f"import os, time; os.write({writes}, b'it wrote'); os.close({writes}); time.sleep(600)"
    program = Program([*PYTHON, code])
    try:
        os.close(writes)
        with open(reads, "rb") as ours:
            assert ours.read() == b"it wrote"
        assert program.status is None
    finally:
        program.end()


@linux
def test_nothing_stays_open_when_it_can_not_be_started(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        Program(WAITS, cwd=tmp_path / "gone")

    assert os.listdir("/proc/self/fd") == before


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


@linux
@pytest.mark.parametrize("link", ["", "link"])
def test_what_its_reaper_does_for_it_is_not_ended_before(
    link: str, start: Callable[..., Program], tmp_path: Path
) -> None:
    package = Path(__file__).parents[2]
    if link:
        package = tmp_path / link
        package.symlink_to(Path(__file__).parents[2])
    command = json.dumps({"command": ["/bin/sh", "-c", f"sleep 0.5; touch {tmp_path}/removed"]})
    keeps = f"""
import sys, time
sys.path.insert(0, {str(package)!r})
from labkit.process import reaper
reaper.keep("command", {command!r})
print(1, flush=True)
time.sleep(600)
"""
    program = start(sys.executable, "-P", "-c", keeps, env=os.environ | {"PYTHONPATH": ""})
    assert said(program) == 1
    program.end()

    assert (tmp_path / "removed").exists()


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
