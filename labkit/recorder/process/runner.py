"""
Running a program under the recorder, as it is.

The program is run by Python itself, as `python SCRIPT` would: labkit is no part of its stack, and begins to
record when the program first imports SQLAlchemy or redis. Processes that it forks, and other Pythons of the
environment that it starts, are recorded too. What it can notice: `PYTHONPATH` and `LABKIT_FLIGHT_SPOOL` in its
environment, a handler for SIGTERM where there was none, a handler for one signal that is otherwise unused, an
open file, a supervisor as its parent, which ends what it leaves running, and in a forked child that the garbage
collector leaves alone what the parent has made. On Windows, which has no such signal, a thread looks whether a
file asks.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from labkit.errors import InvalidInput
from labkit.process import Program, private_folder
from labkit.recorder.process import handoff
from labkit.recorder.process.agent import STACKS
from labkit.recorder.process.diagnosis import Diagnosis, Process
from labkit.recorder.process.handoff import ASK, Handoff

if TYPE_CHECKING:
    from labkit.recorder.flight import Level

__all__ = ["diagnose"]

ANSWER = 3.0  # seconds for a process to say what it knows
GRACE = 2.0  # seconds from SIGTERM to SIGKILL
STEP = 0.01  # seconds between two looks for an answer


def diagnose(
    arguments: Sequence[str], *, module: bool = False, level: Level = "pool", timeout: float | None = None
) -> Diagnosis:
    """
    Run a script, or with `module` a module, and return what the recorder saw.

    The first of `arguments` is the script, or the module's name; the rest is the program's. It inherits this
    process's input, output and environment. After `timeout` seconds it is asked what it is waiting for, and stopped
    with everything that it has started. SIGTERM and SIGINT sent to this process are passed on to the program; a
    second Ctrl-C stops it. Call it in the main thread. Raises `InvalidInput` when there is no such script.
    """
    if not module:
        _check(arguments[0])
    with private_folder() as folder:
        run = _Run([*(["-m"] if module else []), *arguments], Handoff(level, folder))
        try:
            with _signals(run.signalled):
                return run.play(timeout)
        finally:
            run.end()


def _check(script: str) -> None:
    path = Path(script)
    if path.is_dir() and not (path / "__main__.py").exists():
        raise InvalidInput(f"{script} is a folder.", remedy="Give a script, or -m and the name of a module.")
    if script != "-" and not path.exists():
        raise InvalidInput(f"There is no script {script}.", remedy="Give its path, or -m and the name of a module.")


class _Interrupted(Exception):
    """A second signal, while the program runs."""


class _Run:
    """A program that runs."""

    def __init__(self, command: list[str], box: Handoff) -> None:
        self._command = command
        self._box = box
        self._program: Program | None = None
        self._signals = 0
        self._stopping = False

    def play(self, timeout: float | None) -> Diagnosis:
        """Run the program until it ends; bring its end about when it takes too long."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("LABKIT_FLIGHT")}
        began = time.monotonic()
        command = [sys.executable, *self._command]
        self._program = program = Program(command, env=own | self._box.environment(), grace=GRACE)
        try:
            program.wait(math.inf if timeout is None else timeout)
        except (subprocess.TimeoutExpired, _Interrupted) as error:
            seconds = time.monotonic() - began
            why = "interrupted" if isinstance(error, _Interrupted) else "timeout"
            return self._stop(program, why, seconds)
        return self._diagnosis(program, None, time.monotonic() - began)

    def signalled(self, number: int) -> None:
        """Pass a signal on to the program; at the second one, stop it."""
        if self._program is None:
            raise KeyboardInterrupt
        if self._stopping:
            return
        self._signals += 1
        if self._signals > 1:
            raise _Interrupted
        self._program.send_signal(number)

    def end(self) -> None:
        """Leave no program behind, should anything here have failed; one that has ended is sent nothing."""
        if self._program is not None:
            self._program.end()

    def _stop(self, program: Program, why: str, seconds: float) -> Diagnosis:
        self._stopping = True
        self._ask(program)
        answered = handoff.first(self._box.folder) in handoff.written(self._box.folder, "asked")
        stacks = "" if answered else self._stacks()
        program.end()
        return self._diagnosis(program, why, seconds, stacks)

    def _ask(self, program: Program) -> None:
        """Ask every recorded process what it knows."""
        folder = self._box.folder
        begun = {handoff.first(folder), *handoff.written(folder, "begun")}
        asked = begun & program.numbers()
        if sys.platform == "win32" or ASK is None:
            asked |= begun - set(handoff.written(folder, "ended"))
            self._box.ask()
        else:
            for pid in asked:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, ASK)
        end = time.monotonic() + ANSWER
        while (
            program.status is None and not asked <= set(handoff.written(folder, "asked")) and time.monotonic() < end
        ):
            time.sleep(STEP)

    def _stacks(self) -> str:
        with contextlib.suppress(OSError):
            return (self._box.folder / STACKS).read_text(errors="replace")
        return ""

    def _diagnosis(self, program: Program, why: str | None, seconds: float, stacks: str = "") -> Diagnosis:
        folder, status = self._box.folder, program.status
        assert status is not None
        told = {each.pid: each for each in handoff.read(folder, "ended")}
        if why:
            # What a process said before it was stopped: afterwards it shows the marks of that.
            told |= {each.pid: each for each in handoff.read(folder, "asked")}
        unheard = [pid for pid in handoff.written(folder, "begun") if pid not in told]
        first = handoff.first(folder)
        processes = [Process(each) for each in sorted(told.values(), key=lambda each: each.pid != first)]
        return Diagnosis(self._command, status, seconds, processes, why, unheard, stacks)


@contextmanager
def _signals(handle: Callable[[int], None]) -> Iterator[None]:
    """Have SIGINT and SIGTERM call `handle`, where they aren't ignored."""

    def handler(number: int, frame: FrameType | None) -> None:
        handle(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    heard = {number: old for number, old in before.items() if old != signal.SIG_IGN}
    for number in heard:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in heard.items():
            signal.signal(number, old)
