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
import math
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
RECENT = 1.0  # seconds
REAPER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "reap.py")
SET_PARENT_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36  # of prctl(2)
# Signals that a terminal, or who ends a whole group, sends to all: they are the worker's, and labkit's, to answer.
SHARED = ("SIGINT", "SIGQUIT", "SIGHUP")


def supervise(worker: int, pipe: int, grace: float = 0.0, session: bool = False) -> NoReturn:
    """
    Wait for the end of the child process `worker`, or of `pipe`; end all that is left; end as the worker did.

    Each byte that comes through the pipe is a signal for the worker; one that a terminal has just sent to all is
    not sent to it again, unless it is in its own `session`. SIGTERM asks for the end, as the end of the pipe does.
    With a `grace`, the worker has so many seconds to end after SIGTERM, and what it has started `POLITE` seconds
    more; without, all are killed at once.
    """
    _Supervisor(worker, pipe, grace, session).run()


class _Supervisor:
    def __init__(self, worker: int, pipe: int, grace: float, session: bool) -> None:
        self._worker = worker
        self._pipe = pipe
        self._grace = grace
        self._status: int | None = None  # the worker's, once it has been waited for
        self._asked = False
        # When this process had the signals that a terminal sends to all, the worker among them.
        self._shared: dict[int, float] = {}
        self._woken, waker = os.pipe()
        for each in (self._woken, waker):
            os.set_blocking(each, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._ask)
        if not session:
            for name in SHARED:
                signal.signal(getattr(signal, name), self._note)
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
            if time.monotonic() - self._shared.pop(number, -math.inf) > RECENT:
                self._send(number)

    def _note(self, number: int, _: object) -> None:
        self._shared[number] = time.monotonic()

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
            # All are stopped before the first is killed: none of them can start another one meanwhile. A reaper,
            # and the commands that it runs, remove what programs leave that use labkit themselves; then they end.
            below = self._below(but_of_reapers=True)
            _signal_all(below, "suspend")
            _signal_all(below, "kill")
            time.sleep(STEP)
        _signal_all(self._below() if self._children() else [], "kill")

    def _kill_group(self) -> None:
        """Kill the group of a worker that leads one: without a subreaper, orphans show in nothing else."""
        if sys.platform != "linux":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._worker, signal.SIGKILL)

    def _below(self, *, but_of_reapers: bool = False) -> list[psutil.Process]:
        import psutil  # late: most workers leave nothing, and this process should be small and begin at once

        below = psutil.Process().children(recursive=True)
        spared: set[psutil.Process] = set()
        for process in filter(_is_reaper, below if but_of_reapers else []):
            with contextlib.suppress(psutil.Error):
                spared |= {process, *process.children(recursive=True)}
        return [process for process in below if process not in spared]


def _signal_all(processes: list[psutil.Process], verb: str) -> None:
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            getattr(process, verb)()


def _is_reaper(process: psutil.Process) -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return any(each.endswith("reap.py") and os.path.realpath(each) == REAPER for each in process.cmdline())
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
    shared = [getattr(signal, name) for name in SHARED]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [*shared, signal.SIGTERM])
    early = signal.sigpending().intersection(shared)  # they came while Python started, and are not inherited
    worker = os.fork()
    if worker:
        for number in shared:
            signal.signal(number, _nothing)
        for number in early:
            os.kill(worker, number)
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
    _prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGCONT)  # one that was stopped would not see that labkit is gone
    worker = fork()
    if not worker:
        _become(command, session)
    _let_go(but=pipe)
    supervise(worker, pipe, grace, session)


def _let_go(but: int) -> None:
    """Close the worker's files here: who waits for the end of one must not wait for this process."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    for descriptor in map(int, os.listdir("/dev/fd")):
        if descriptor > 2 and descriptor != but:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _become(command: list[str], session: bool) -> NoReturn:
    if session:
        os.setsid()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of a Python that is about to be another program
    for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ"):  # Python ignores them; other programs expect them
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, os.fsencode(f"{command[0]}: {error.strerror}\n"))
    os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "session", sys.argv[4], sys.argv[5:])
