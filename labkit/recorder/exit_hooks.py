"""How a process ends: one function is told, once, by whichever way it comes."""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import logging
import os
import signal
import warnings
from collections.abc import Callable
from enum import StrEnum
from types import FrameType
from typing import Any

__all__ = ["End", "at_end", "collect"]


class End(StrEnum):
    """The ways out of a process that Python code can still see."""

    EXIT = "exit"  # the last line, an exception, sys.exit, Ctrl-C: after the program's own exit handlers
    AT_ONCE = "os._exit"  # also the end of a child that multiprocessing forked
    TERMINATED = "SIGTERM"  # in the middle of its work


def at_end(tell: Callable[[End], None]) -> None:
    """
    Call `tell` when this process ends, and in each child that it forks when that one ends.

    A handler for SIGTERM is set only where the program would have died of it, and after it the program does. What
    `tell` raises goes nowhere. Nothing is told of a process that SIGKILL or a fault in C ends, or that replaces
    itself by `os.exec`.
    """
    ending = _Ending(tell)
    atexit.register(ending.once, End.EXIT)
    os._exit = _telling(os._exit, ending.once)  # type: ignore[assignment]
    with contextlib.suppress(ValueError):  # not the main thread: SIGTERM stays as it is
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, ending.terminated)


class _Ending:
    """Tells once in each process; a SIGTERM that comes meanwhile waits until all is told."""

    def __init__(self, tell: Callable[[End], None]) -> None:
        self._tell = tell
        self._told: set[int] = set()
        self._telling = 0  # the process that is about it; one that was forked meanwhile is not
        self._late = False

    def once(self, end: End) -> None:
        pid = os.getpid()
        if pid in self._told:
            return
        self._told.add(pid)
        self._telling = pid
        with contextlib.suppress(Exception):
            self._tell(end)
        self._telling = 0
        if self._late:
            _die(signal.SIGTERM)

    def terminated(self, number: int, frame: FrameType | None) -> None:
        if self._telling == os.getpid():
            self._late = True
        else:
            self.once(End.TERMINATED)
            _die(number)


def _die(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def collect() -> None:
    """
    Collect the garbage, so that a connection which the program dropped is seen to be dropped.

    Python itself would leave it to the end of the process, where SQLAlchemy's pool no longer complains: nor does it
    here, and the program's output is what it is without the recorder.
    """
    original = logging.Logger.callHandlers

    def without_the_pool(self: logging.Logger, record: logging.LogRecord) -> None:
        if not record.name.startswith("sqlalchemy.pool"):
            original(self, record)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The garbage collector is trying to clean up")
        logging.Logger.callHandlers = without_the_pool  # type: ignore[method-assign]
        try:
            gc.collect()
        finally:
            logging.Logger.callHandlers = original  # type: ignore[method-assign]


def _telling(original: Callable[[int], Any], once: Callable[[End], None]) -> Callable[[int], Any]:
    @functools.wraps(original)
    def _exit(status: int) -> Any:
        once(End.AT_ONCE)
        return original(status)

    return _exit
