"""
The supervisor: a process between labkit and what labkit starts. Nothing that was started outlives it.

It waits for the end of its worker, and for the end of a pipe whose other end only labkit's process holds: when that
process is gone, for whatever reason, the pipe ends. Then the supervisor ends all that is left, and ends as the
worker did. On Linux it is a "child subreaper" (prctl(2)): descendants stay below it in the tree of processes when
their own parents are gone, also those that have called `setsid`. On macOS it ends the worker's process group and
those descendants whose parents still run. On Windows there is none.

`program.py` runs this file by its path, with the standard library only; `child.py` calls `supervise` after a fork.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

assert sys.platform != "win32"

if TYPE_CHECKING:
    from collections.abc import Callable

    import psutil

__all__ = ["fork", "supervise"]

STEP = 0.01  # seconds between two looks at what is left
SETTLE = 0.5  # seconds for helpers to end by themselves, as those of multiprocessing do, when the worker has ended
POLITE = 2.0  # seconds from SIGTERM to SIGKILL for what a worker has started
PATIENCE = 10.0  # seconds for killed processes to be gone: one that waits for a dead disk is not
REAPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reap.py")
SET_PARENT_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36  # of prctl(2)
# Signals that a terminal, or who ends a whole group, sends to all: they are the worker's, and labkit's, to answer.
SHARED = ("SIGINT", "SIGQUIT", "SIGHUP")


def supervise(worker: int, pipe: int, grace: float = 0.0) -> NoReturn:
    """
    Wait for the end of the child process `worker`, or of `pipe`; end all that is left; end as the worker did.

    Each byte that comes through the pipe is a signal for the worker. SIGTERM asks for the end, as the end of the
    pipe does. With a `grace`, the worker has so many seconds to end after SIGTERM, and what it has started `POLITE`
    seconds more; without, all are killed at once.
    """
    _Supervisor(worker, pipe, grace).run()


class _Supervisor:
    def __init__(self, worker: int, pipe: int, grace: float) -> None:
        self._worker = worker
        self._pipe = pipe
        self._grace = grace
        self._status: int | None = None  # the worker's, once it has been waited for
        self._asked = False
        self._woken, waker = os.pipe()
        for each in (self._woken, waker):
            os.set_blocking(each, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._ask)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def run(self) -> NoReturn:
        waiting = select.poll()
        waiting.register(self._woken, select.POLLIN)
        waiting.register(self._pipe, select.POLLIN)
        while self._children() and self._status is None and not self._asked:
            ready = [number for number, _ in waiting.poll()]
            if self._woken in ready:
                os.read(self._woken, 4096)
            if self._pipe in ready:
                self._hear(os.read(self._pipe, 4096))
        self._end_all()
        _end_as(self._status)

    def _ask(self, *_: object) -> None:
        self._asked = True

    def _hear(self, numbers: bytes) -> None:
        self._asked = self._asked or not numbers
        for number in numbers:
            self._send(number)

    def _send(self, number: int) -> None:
        # Only to a worker that has not been waited for: its number is no other's yet.
        if self._children() and self._status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._worker, number)

    def _children(self) -> bool:
        """Wait for the children that have ended; return True if there are others."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return True
                if pid == self._worker:
                    self._status = status
        except ChildProcessError:
            return False

    def _end_all(self) -> None:
        if self._grace and self._children():
            if self._status is None:
                self._send(signal.SIGTERM)
                _wait(lambda: self._children() and self._status is None, self._grace)
            else:
                _wait(self._children, SETTLE)
            if self._children():
                _signal_all(self._below(), "terminate")
                _wait(self._children, POLITE)
        self._kill_group()
        end = time.monotonic() + PATIENCE
        while self._children() and time.monotonic() < end:
            # All are stopped before the first is killed: none of them can start another one meanwhile. A reaper
            # removes what this labkit's programs leave, if they use labkit themselves, and then ends.
            below = [process for process in self._below() if not _is_reaper(process)]
            _signal_all(below, "suspend")
            _signal_all(below, "kill")
            time.sleep(STEP)
        _signal_all(self._below() if self._children() else [], "kill")

    def _kill_group(self) -> None:
        """Kill the group of a worker that leads one: without a subreaper, orphans show in nothing else."""
        if sys.platform != "linux":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._worker, signal.SIGKILL)

    def _below(self) -> list[psutil.Process]:
        import psutil  # late: most workers leave nothing, and this process should be small and begin at once

        return psutil.Process().children(recursive=True)


def _signal_all(processes: list[psutil.Process], verb: str) -> None:
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            getattr(process, verb)()


def _is_reaper(process: psutil.Process) -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return REAPER in process.cmdline()
    return False


def _wait(while_: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while while_() and time.monotonic() < end:
        time.sleep(STEP)


def _end_as(status: int | None) -> NoReturn:
    """End with the worker's exit status, or by the signal that ended it."""
    if status is not None and os.WIFSIGNALED(status):
        import resource

        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the worker's is enough
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF if status is not None else 255)


def _nothing(*_: object) -> None:
    """Handle a signal: unlike one that is ignored, it is not ignored by what this process starts."""


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def fork() -> int:
    """
    Fork a worker; return its number in the supervisor, 0 in the worker.

    The supervisor adopts orphans and is not ended by the signals of a terminal; it hears none before `supervise`.
    The worker has the signals as they were, and is killed with the supervisor.
    """
    supervisor = os.getpid()
    _prctl(SET_CHILD_SUBREAPER, 1)
    # Of a process that ignores this signal, as some are started, the system doesn't keep how its children ended.
    signal.signal(signal.SIGCHLD, _nothing)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name) for name in (*SHARED, "SIGTERM")])
    worker = os.fork()
    if worker:
        for name in SHARED:
            signal.signal(getattr(signal, name), _nothing)
        return worker
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != supervisor:  # it is gone already
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def main(pipe: int, grace: float, session: bool, libraries: str, command: list[str]) -> NoReturn:
    """Start `command` and supervise it. `libraries` is the folder in which psutil is."""
    sys.path.append(libraries)
    os.set_inheritable(pipe, False)
    worker = fork()
    if not worker:
        _become(command, session)
    # What the worker reads and writes is its own: who waits for the end of it must not wait for this process.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    supervise(worker, pipe, grace)


def _become(command: list[str], session: bool) -> NoReturn:
    if session:
        os.setsid()
    for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ"):  # Python ignores them; other programs expect them
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "session", sys.argv[4], sys.argv[5:])
