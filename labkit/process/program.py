"""A program in its own process, which never outlives this one."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import IO, Any

from labkit.process import reap, reaper
from labkit.process.signals import signals_held

if sys.platform == "win32":
    SHARED: tuple[str, ...] = ()
else:
    from labkit.process.supervisor import SHARED

__all__ = ["Program", "Supervised", "kill_tree"]

STEP = 0.5  # seconds
LIMIT = 15.0  # seconds for a supervisor to end all that is below it, besides the grace
_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_supervised: weakref.WeakSet[Supervised] = weakref.WeakSet()


class Supervised:
    """
    A command line, `command`, by which others run a program under a supervisor; it has to inherit `descriptors`.

    The supervisor and all that is below it end when the program does, at `end()`, and when this process is gone.
    With `session` the program runs in its own session and process group. With a `grace`, it is sent SIGTERM and has
    so many seconds to end before it is killed. On Windows nothing is supervised, and the command is as it was.
    """

    def __init__(self, command: Sequence[str], *, grace: float = 0.0, session: bool = False) -> None:
        self.command = list(command)
        self.descriptors: list[int] = []
        self._pipe: int | None = None
        if sys.platform != "win32":
            import psutil

            theirs, self._pipe = _pipe()
            self.descriptors = [theirs]
            options = [str(theirs), str(grace), "session" if session else "", str(Path(psutil.__file__).parents[1])]
            self.command[:0] = [sys.executable, "-I", "-S", str(_SUPERVISOR), *options]
            _supervised.add(self)

    def __repr__(self) -> str:
        return f"<Supervised {self.command!r}>"

    def started(self) -> None:
        """Close what the supervisor has inherited, now that it has started, or could not be."""
        while self.descriptors:
            os.close(self.descriptors.pop())

    def send_signal(self, number: int) -> None:
        """Send the program a signal; nothing is sent to one that has ended."""
        if self._pipe is not None:
            with suppress(BrokenPipeError):
                os.write(self._pipe, bytes([number]))

    def end(self) -> None:
        """Close the pipe: the supervisor, which may take a moment, ends all that is below it."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)


def _pipe() -> tuple[int, int]:
    """Make a pipe that is none of stdin, stdout and stderr, which this process may have closed."""
    if sys.platform == "win32":
        raise NotImplementedError
    import fcntl

    reads, writes = os.pipe()
    try:
        return fcntl.fcntl(reads, fcntl.F_DUPFD_CLOEXEC, 3), fcntl.fcntl(writes, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(reads)
        os.close(writes)


class Program:
    """
    Run `command` under a supervisor: neither it nor what it has started outlives this object's `end()`, or Python.

    With `session` it runs in its own session and process group, and Ctrl-C in the terminal doesn't reach it;
    without, it is part of this process's group, as any command in a terminal. With a `grace`, `end()` sends it
    SIGTERM and waits for so many seconds before it is killed. A command that can't be executed ends with status
    127, as in a shell; on Windows it raises `OSError`.

    A `direct` program has no supervisor, and is a child of this process: for servers, which leave no daemons. It is
    killed at `end()`, and by the reaper when this process is gone. So is every program on Windows.

    On Linux all its descendants are ended, however they and this process end; on macOS, those in its process group
    and those whose parents still run; of a direct one, and on Windows, the latter only, and nothing is sent before.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        grace: float = 0.0,
        session: bool = False,
        direct: bool = False,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | IO[Any] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> None:
        self._grace = grace
        direct = direct or sys.platform == "win32"
        self._supervised = None if direct else Supervised(command, grace=grace, session=session)
        for descriptor in self._supervised.descriptors if self._supervised else ():
            os.set_inheritable(descriptor, True)
        try:
            with signals_held(*SHARED, "SIGTERM") if self._supervised else nullcontext():
                self._process: subprocess.Popen[bytes] = subprocess.Popen(
                    self._supervised.command if self._supervised else command,
                    close_fds=direct,  # a program may read what a shell has opened for it: `<(…)`
                    start_new_session=session and direct,
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) if session else 0,
                    env=env,
                    cwd=cwd,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                )
        except BaseException:
            if self._supervised:
                self._supervised.end()
            raise
        finally:
            if self._supervised:
                self._supervised.started()
        self._kept = "" if self._supervised else _to_be_reaped(self._process.pid)
        if self._kept:
            reaper.keep("process", self._kept)
        self.stdin = self._process.stdin
        self.stdout = self._process.stdout

    def __repr__(self) -> str:
        return f"<Program {self._process.args!r}>"

    def numbers(self) -> set[int]:
        """Return the numbers of the program's processes: its own, and those of its descendants."""
        import psutil

        try:
            below = {each.pid for each in psutil.Process(self._process.pid).children(recursive=True)}
        except psutil.Error:
            return set()
        return below if self._supervised else below | {self._process.pid}

    @property
    def status(self) -> int | None:
        """The exit status, -n when signal n ended it, None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float = math.inf) -> int:
        """
        Wait for the end, and return the exit status; handlers of signals run meanwhile.

        Raises `subprocess.TimeoutExpired` after so many seconds.
        """
        # In steps: a wait without a limit hears no Ctrl-C on Windows, and nowhere one that came just before it.
        while seconds > STEP:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(STEP)
            seconds -= STEP
        return self._process.wait(seconds)

    def send_signal(self, number: int) -> None:
        """
        Send the program a signal; nothing is sent to one that has ended.

        Nor is one that a terminal has just sent to all its processes, unless the program has its own session.
        """
        if self._supervised:
            self._supervised.send_signal(number)
        elif sys.platform != "win32" or number != signal.SIGINT:  # there only the console sends it, and to all
            self._process.send_signal(number)

    def end(self) -> None:
        """End the program and all that it has started, if that has not happened yet."""
        if self._supervised:
            self._supervised.end()
        elif self._process.returncode is None:
            kill_tree(self._process.pid)
        try:
            self._process.wait(self._grace + LIMIT)
        except subprocess.TimeoutExpired:  # a supervisor that was stopped, perhaps; the program is killed with it
            self._process.kill()
            self._process.wait()
        reaper.release("process", self._kept)


def _to_be_reaped(pid: int) -> str:
    """Return what the reaper needs to know of a process: also when it began, since its number may come again."""
    import psutil

    with suppress(psutil.Error):  # it has ended already
        return json.dumps([pid, reap.began(psutil.Process(pid)), str(Path(psutil.__file__).parents[1])])
    return ""


def kill_tree(root: int) -> None:
    """Kill a process and the descendants whose parents still run: where there is no supervisor."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(root)
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                each.kill()


def _forget() -> None:
    # In a forked child an open end of a pipe would hide the parent's death from the supervisor.
    for each in _supervised:
        each.end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
