"""The agent: records the process that it is in, from its first import of SQLAlchemy or redis to its end."""

from __future__ import annotations

import _thread
import contextlib
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from labkit.recorder.bootstrap import after_import, purge_shadowed_modules
from labkit.recorder.exit_hooks import End, at_end, collect
from labkit.recorder.process.handoff import ASK, Handoff, ProcessReport

if TYPE_CHECKING:
    from labkit.recorder.flight import FlightRecorder, Level
    from labkit.recorder.task_dump import Waiting

__all__ = ["STACKS", "Agent", "Reporter", "begin"]

RECORDED = ("sqlalchemy", "redis", "nest_asyncio", "nest_asyncio2")  # without these there is nothing to record
STACKS = "stacks.txt"  # in the folder: what Python writes itself when the process can't answer
STEP = 0.05  # seconds between two looks for a question


class Reporter(Protocol):
    """What an agent tells: `diagnose` by files, an application that records itself on stderr."""

    def began(self, fault: str) -> None:
        """Recording has begun, or could not."""

    def ended(self, flight: FlightRecorder | None, end: End) -> None:
        """The process ends, or one that it has forked; without a recorder it has imported nothing."""


class Agent:
    """The recorder of this process; after a fork, of the forked one, too."""

    def __init__(self, level: Level, reporter: Reporter) -> None:
        self.flight: FlightRecorder | None = None
        self._level = level
        self._reporter = reporter
        at_end(self._ended)
        after_import(RECORDED, self._record)

    def _record(self) -> None:
        fault = ""
        try:
            from labkit.recorder.flight import FlightRecorder

            self.flight = FlightRecorder(level=self._level).start()
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        self._reporter.began(fault)

    def _ended(self, end: End) -> None:
        if self.flight is not None:
            if end == End.EXIT:
                collect()
            if end != End.TERMINATED:
                self.flight.finish()
        self._reporter.ended(self.flight, end)


def begin() -> None:
    """Record this process, and those that it forks, as the folder in its environment says."""
    handoff = Handoff.from_environment()
    files = _Files(handoff, first=handoff.first())
    files.agent = Agent(handoff.level, files)  # type: ignore[arg-type]
    files.listen()
    purge_shadowed_modules()


class _Files:
    """Report to `diagnose`, by files in its folder."""

    agent: Agent

    def __init__(self, handoff: Handoff, first: int) -> None:
        self._handoff = handoff
        self._first = first
        self._faults: list[str] = []

    def began(self, fault: str) -> None:
        """Announce this process, and those that it forks."""
        if fault:
            self._faults.append(f"recording did not begin: {fault}")
        self._handoff.announce()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._handoff.announce)

    def listen(self) -> None:
        """Answer the signal; if the main thread can't, Python itself writes down where each thread is."""
        if sys.platform == "win32" or ASK is None:
            _thread.start_new_thread(self._look, ())  # `threading`, where the program may count, has none more
        else:
            with contextlib.suppress(ValueError, OSError):
                signal.signal(ASK, self._asked)
                faulthandler.register(ASK, _high(self._handoff.folder / STACKS), all_threads=True, chain=True)

    def ended(self, flight: FlightRecorder | None, end: End) -> None:
        """Hand over what is known at the end."""
        if flight is not None or os.getpid() == self._first:
            self._write(end)

    def _look(self) -> None:
        while not self._handoff.is_asked():
            time.sleep(STEP)
        self._asked()

    def _asked(self, number: int = 0, frame: FrameType | None = None) -> None:
        with contextlib.suppress(Exception):
            from labkit.recorder.task_dump import waiting

            ledger = self.agent.flight and self.agent.flight._ledger
            self._write("asked", lambda: waiting(ledger, frame))

    def _write(self, how: str, waiting: Callable[[], list[Waiting]] = list) -> None:
        record = ""
        try:
            record = self.agent.flight.to_json() if self.agent.flight is not None else ""
        except Exception as error:
            self._faults.append(f"the record could not be written: {type(error).__name__}: {error}")
        self._handoff.write(ProcessReport(os.getpid(), how, sys.argv, self._faults, waiting()), record)


def _high(path: Any) -> int:
    """Open a file to append to, with a number far above those that a program is given."""
    if sys.platform == "win32":
        raise NotImplementedError
    import fcntl
    import resource

    low = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, min(limit, 65_536) - 8)
    finally:
        os.close(low)
