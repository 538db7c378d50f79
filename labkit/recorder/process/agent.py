"""In a recorded process: records it, answers when it is asked, and hands over what it knows when it ends."""

from __future__ import annotations

import _thread
import contextlib
import faulthandler
import os
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

from labkit.recorder.bootstrap import after_import, purge_shadowed_modules
from labkit.recorder.exit_hooks import End, at_end, collect
from labkit.recorder.process.handoff import ASK, Handoff, ProcessReport

if TYPE_CHECKING:
    from labkit.recorder.flight import FlightRecorder

__all__ = ["RECORDED", "STACKS", "begin"]

RECORDED = ("sqlalchemy", "redis", "nest_asyncio", "nest_asyncio2")  # without these there is nothing to record
STACKS = "stacks.txt"  # in the folder: what Python writes itself when the process can't answer
STEP = 0.05  # seconds between two looks for a question


def begin() -> None:
    """Record this process, and those that it forks, as the folder in its environment says."""
    handoff = Handoff.from_environment()
    child = _Child(handoff, first=handoff.first())
    at_end(child.ended)
    child.listen()
    after_import(RECORDED, child.record)
    purge_shadowed_modules()


class _Child:
    """This process; after a fork, the forked one."""

    def __init__(self, handoff: Handoff, first: int) -> None:
        self._handoff = handoff
        self._first = first
        self._flight: FlightRecorder | None = None
        self._faults: list[str] = []

    def record(self) -> None:
        """Begin to record."""
        try:
            from labkit.recorder.flight import FlightRecorder

            self._flight = FlightRecorder(level=self._handoff.level).start()  # type: ignore[arg-type]
        except Exception as error:
            self._faults.append(f"recording did not begin: {type(error).__name__}: {error}")
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

    def ended(self, end: End) -> None:
        """Hand over what is known at the end."""
        if self._flight is None and os.getpid() != self._first:
            return
        if end == End.EXIT:
            collect()
        if end != End.TERMINATED and self._flight is not None:
            self._flight.finish()
        record = self._record()
        self._handoff.write(ProcessReport(os.getpid(), end, sys.argv, self._faults), record)

    def _look(self) -> None:
        while not self._handoff.is_asked():
            time.sleep(STEP)
        self._asked()

    def _asked(self, number: int = 0, frame: FrameType | None = None) -> None:
        with contextlib.suppress(Exception):
            from labkit.recorder.task_dump import waiting

            ledger = self._flight and self._flight._ledger
            record = self._record()
            self._handoff.write(
                ProcessReport(os.getpid(), "asked", sys.argv, self._faults, waiting(ledger, frame)), record
            )

    def _record(self) -> str:
        try:
            return self._flight.to_json() if self._flight is not None else ""
        except Exception as error:
            self._faults.append(f"the record could not be written: {type(error).__name__}: {error}")
            return ""


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
