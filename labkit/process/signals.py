"""Signals that ask a command to end, handled by the event loop so that nothing is left half done."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["SHELL_OFFSET", "comes_from_terminal", "signals_to"]

SHELL_OFFSET = 128  # a shell says 128 + n for a command that signal n ended
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def signals_to(handle: Callable[[int], None]) -> Iterator[None]:
    """Have the running event loop call `handle` with the number of each signal that asks this process to end."""
    loop = asyncio.get_running_loop()

    def tell(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(handle, number)

    before = {}
    for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
        before[number] = signal.getsignal(number)
        try:
            loop.add_signal_handler(number, handle, number)
        except NotImplementedError:  # Windows
            signal.signal(number, tell)
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


def comes_from_terminal(number: int) -> bool:
    """Return True if the terminal has sent this signal to the whole group: a command in it needs no other one."""
    if number != signal.SIGINT:
        return False
    if sys.platform == "win32":  # Ctrl-C comes from the console only, which tells all that run in it
        return True
    with suppress(OSError, ValueError, AttributeError):  # no stdin, or none that can be asked
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False
