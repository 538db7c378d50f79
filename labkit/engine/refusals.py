"""Refusals: what an engine says when it is used where, or when, it can't be used."""

from __future__ import annotations

import asyncio
import os

from labkit.errors import NotOpen, WrongLoop, WrongProcess

__all__ = ["not_open", "wrong_loop", "wrong_process"]

Loop = asyncio.AbstractEventLoop


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
