"""Signals that ask a command to end: handled by the event loop, or held back for a moment."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

__all__ = ["SHELL_OFFSET", "signals_held", "signals_to"]

SHELL_OFFSET = 128  # a shell says 128 + n for a command that signal n ended
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def signals_to(handle: Callable[[int], None]) -> Iterator[None]:
    """
    Have the running event loop call `handle` with the number of each signal that asks this process to end.

    A signal that this process ignores stays ignored, as SIGHUP under `nohup`.
    """
    loop = asyncio.get_running_loop()

    def tell(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(handle, number)

    before = {}
    for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
        handler = signal.getsignal(number)
        if handler is signal.SIG_IGN:
            continue
        before[number] = handler
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


@contextmanager
def signals_held(*names: str) -> Iterator[None]:
    """
    Handle signals of these names only after the block; a process that is started in it has them blocked.

    Threads that are not blocked take them meanwhile, and the main thread runs the handlers: they are held back too.
    """
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers: dict[int, Any] = {}
    came: list[tuple[int, FrameType | None]] = []
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in numbers}
        handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda *signalled: came.append(signalled))
    try:
        with _blocked(numbers):
            yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in came:
            handlers[number](number, frame)


@contextmanager
def _blocked(numbers: list[signal.Signals]) -> Iterator[None]:
    if sys.platform == "win32":  # it has no masks
        yield
    else:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
