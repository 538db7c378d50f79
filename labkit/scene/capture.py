"""Capture: log records, warnings and unraisable errors of this process, in the order in which they come."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TextIO

from labkit.scene.happening import Happening, Kind

__all__ = ["Capture"]

POOL_LOGGER = "sqlalchemy.pool"


class Capture(logging.Handler):
    """
    Keep what the process would print and nobody could catch, from `with` to its end.

    It is the whole process that is listened to, since the garbage collector may run in any thread. With
    `pool_log` the pool's every checkout and checkin is kept too.
    """

    def __init__(self, *, pool_log: bool = False) -> None:
        super().__init__(logging.DEBUG if pool_log else logging.WARNING)
        self.happenings: list[Happening] = []
        self.loop_closed = False
        self._pool_log = pool_log
        self._undo = ExitStack()

    def keep(self, kind: Kind, text: str, source: str = "", detail: str = "") -> None:
        """Add a happening, now."""
        self.happenings.append(Happening(kind, text, source, detail or text, self.loop_closed))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a log record."""
        error = record.exc_info[1] if record.exc_info else None
        reason = f": {type(error).__name__}: {error}" if error else ""
        self.keep(Kind.LOG, record.getMessage() + reason, record.name, self.format(record))

    def __enter__(self) -> Self:
        # The only handler: another one might keep a record's traceback, and with it what should be garbage.
        root = logging.getLogger()
        self._undo.callback(setattr, root, "handlers", root.handlers)
        root.handlers = [self]
        if self._pool_log:
            pool_logger = logging.getLogger(POOL_LOGGER)
            self._undo.callback(pool_logger.setLevel, pool_logger.level)
            pool_logger.setLevel(logging.DEBUG)
        self._undo.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always")
        warnings.showwarning = self._keep_warning
        self._undo.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
        sys.unraisablehook = self._keep_unraisable
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._undo.close()

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
        where = f"{found.err_msg or 'Exception ignored in'}: {found.object!r}"
        detail = "".join(traceback.format_exception(found.exc_type, found.exc_value, found.exc_traceback))
        self.keep(Kind.UNRAISABLE, f"{where}: {found.exc_value}", found.exc_type.__name__, f"{where}\n{detail}")
