"""Loops: one engine for each event loop and process, and what it says where it can't be used."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from labkit.errors import NotOpen, WrongLoop, WrongProcess

__all__ = ["PerLoop", "not_open", "wrong_loop", "wrong_process"]

T = TypeVar("T")
Loop = asyncio.AbstractEventLoop


class PerLoop:
    """The current object of each class on each loop that is not closed, in this process."""

    def __init__(self) -> None:
        self._objects: dict[tuple[Callable[[], Any], Loop, int], Any] = {}

    def get(self, make: Callable[[], T]) -> T:
        """Return the object that `make` has made on the running loop; call it the first time."""
        self._objects = {key: each for key, each in self._objects.items() if not key[1].is_closed()}
        # A forked child inherits its parent's loop and objects, and may use neither.
        key = make, asyncio.get_running_loop(), os.getpid()
        if key not in self._objects:
            self._objects[key] = make()
        return cast(T, self._objects[key])

    def loops(self) -> set[Loop]:
        """Return the loops that have an object."""
        return {loop for _, loop, _ in self._objects}

    def forget(self, unwanted: object) -> None:
        """Let the next one who asks get another object."""
        self._objects = {key: each for key, each in self._objects.items() if each is not unwanted}


def not_open(engine: object) -> NotOpen:
    """Return the error of an engine that is not open, or not any more."""
    return NotOpen(f"{engine!r} is used.", remedy="Use it inside `async with Engine(…) as engine:`.")


def wrong_process(pid: int) -> WrongProcess:
    """Return the error of an engine that process `pid` has opened."""
    return WrongProcess(
        f"This engine was opened in process {pid} and is used in its child {os.getpid()}.",
        remedy="Open another one in the child.",
    )


def wrong_loop(own: Loop | None) -> WrongLoop:
    """Return the error of an engine that was opened on the loop `own`."""
    return WrongLoop(
        f"This engine was opened on {_name(own)} and is used on {_name(asyncio.get_running_loop())}.",
        remedy="Open one engine for each loop, for example with Engine.current().",
    )


def _name(loop: Loop | None) -> str:
    # Two loops may have the same repr.
    if loop is None:
        return "no loop"
    state = "closed" if loop.is_closed() else "running" if loop.is_running() else "not running"
    return f"<{type(loop).__name__} at {id(loop):#x}, {state}>"
