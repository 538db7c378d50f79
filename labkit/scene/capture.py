"""Capture: log records, warnings and unraisable errors of this process, in the order in which they come."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import ClassVar, Self, TextIO

from labkit.scene.gate import hide_failures
from labkit.scene.happening import Happening, Kind

__all__ = ["Capture"]

POOL_LOGGER = "sqlalchemy.pool"
SPEAKERS = ("asyncio", POOL_LOGGER)  # the loggers that tell of what no caller got


class Capture(logging.Handler):
    """
    Keep what the process would print and no code could catch, from `with` to its end.

    It is the whole process that is listened to, since the garbage collector may run in any thread. With
    `pool_log` the pool's every checkout and checkin is kept too. When the loop is closed, what keeps it from
    hearing is kept as a silent failure, and fixed as far as it can be: the garbage that comes now is heard.
    """

    _listening: ClassVar[Capture | None] = None

    def __init__(self, *, pool_log: bool = False) -> None:
        super().__init__(logging.DEBUG if pool_log else logging.WARNING)
        self.happenings: list[Happening] = []
        self._loop_closed = False
        self._frozen = 0
        self._pool_log = pool_log
        self._undo = ExitStack()

    @property
    def loop_closed(self) -> bool:
        """Return True if the scene's loop is closed, which is told to it from outside."""
        return self._loop_closed

    @loop_closed.setter
    def loop_closed(self, closed: bool) -> None:
        if closed and Capture._listening is self:
            for what in self._deaf():
                self.keep(Kind.WARNING, f"{what}: what fails in silence could not be heard", "labkit")
            self._listen()
        self._loop_closed = closed

    def keep(self, kind: Kind, text: str, source: str = "", detail: str = "") -> None:
        """Add a happening, now."""
        self.happenings.append(Happening(kind, text, source, detail or text, self.loop_closed))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a log record."""
        error = record.exc_info[1] if record.exc_info else None
        reason = f": {type(error).__name__}: {error}" if error else ""
        self.keep(Kind.LOG, record.getMessage() + reason, record.name, self.format(record))

    def __enter__(self) -> Self:
        # One that was left behind by a scene without an end must not take the hooks away in the middle of this one.
        if Capture._listening is not None:
            Capture._listening.__exit__(None, None, None)
        Capture._listening = self
        root = logging.getLogger()
        self._undo.callback(setattr, root, "handlers", root.handlers)
        if self._pool_log:
            pool_logger = logging.getLogger(POOL_LOGGER)
            self._undo.callback(pool_logger.setLevel, pool_logger.level)
            pool_logger.setLevel(logging.DEBUG)
        self._undo.enter_context(warnings.catch_warnings())
        self._undo.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
        self._undo.callback(setattr, threading, "excepthook", threading.excepthook)
        self._frozen = gc.get_freeze_count()
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if Capture._listening is self:
            Capture._listening = None
        self._undo.close()

    def _listen(self) -> None:
        # The only handler: another one might keep a record's traceback, and with it what should be garbage.
        logging.getLogger().handlers = [self]
        warnings.simplefilter("always")
        warnings.showwarning = self._keep_warning
        sys.unraisablehook = self._keep_unraisable
        threading.excepthook = self._keep_dead_thread

    def _deaf(self) -> Iterator[str]:
        """Return what keeps this capture from hearing."""
        if sys.unraisablehook != self._keep_unraisable:
            yield "sys.unraisablehook is another one"
        if threading.excepthook != self._keep_dead_thread:
            yield "threading.excepthook is another one"
        if warnings.showwarning != self._keep_warning:
            yield "warnings.showwarning is another one"
        if hide_failures(warnings.filters):
            yield "warnings are ignored"
        if self not in logging.getLogger().handlers:
            yield "the root logger has lost a handler"
        yield from (f"the logger {each.name} is muted" for each in _speakers() if not self._reached_by(each))
        if gc.get_freeze_count() > self._frozen:
            yield "the garbage is frozen"

    def _reached_by(self, logger: logging.Logger) -> bool:
        if not logger.isEnabledFor(logging.ERROR) or logger.filters or self.filters or self.level > logging.ERROR:
            return False
        above: logging.Logger | None = logger
        while above is not None and above.propagate:
            above = above.parent
        return above is None

    def _keep_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        self.keep(Kind.WARNING, str(message), category.__name__, f"{filename}:{lineno}: {message}")

    def _keep_unraisable(self, found: sys.UnraisableHookArgs) -> None:
        # Only texts are kept: a reference to the object would bring it back to life.
        where = found.err_msg or "Exception ignored in"
        if found.object is not None:  # from Python 3.14 on the message names it
            where = f"{where}: {found.object!r}"
        detail = "".join(traceback.format_exception(found.exc_type, found.exc_value, found.exc_traceback))
        self.keep(Kind.UNRAISABLE, f"{where}: {found.exc_value}", found.exc_type.__name__, f"{where}\n{detail}")

    def _keep_dead_thread(self, found: threading.ExceptHookArgs) -> None:
        if found.exc_type is SystemExit:  # a thread may end itself
            return
        text = f"Exception in thread {found.thread.name if found.thread else 'unknown'}: {found.exc_value}"
        detail = "".join(traceback.format_exception(found.exc_type, found.exc_value, found.exc_traceback))
        self.keep(Kind.UNRAISABLE, text, found.exc_type.__name__, f"{text}\n{detail}")


def _speakers() -> list[logging.Logger]:
    known = list(logging.Logger.manager.loggerDict.items())
    return [
        logger
        for name, logger in known
        if isinstance(logger, logging.Logger) and any(f"{name}.".startswith(f"{each}.") for each in SPEAKERS)
    ]
