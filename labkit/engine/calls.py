"""Calls: what tasks do in an engine at this moment, so that its `close()` can end it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from labkit.engine.completion import run_to_completion
from labkit.errors import NotOpen

__all__ = ["Calls"]

Task = asyncio.Task[Any]

GRACE = 0.05  # seconds that `end` gives to what is under way, before and after it has cancelled it
UNKNOWN = "it is not known whether the commit has happened"


class Calls:
    """
    The calls of one engine that wait for its database, and the commits and rollbacks that end a block.

    `end()` cancels each of them; a task that was cancelled so gets `NotOpen`, and its own cancellation is not lost.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ended: dict[Task, bool] = {}  # each task in a call, and whether `end()` has cancelled it
        self._finishing: dict[Task, Task] = {}  # helper tasks that commit or roll back, and for whom
        self._left = asyncio.Event()
        self._closed = False

    @contextmanager
    def enter(self, task: Task) -> Iterator[None]:
        """Let `end()` stop what `task` does here, wherever it waits; a call inside a call is part of it."""
        if task in self._ended:
            yield
            return
        before = task.cancelling()
        self._ended[task] = False
        try:
            yield
        except asyncio.CancelledError:
            if self._ended[task] and task.cancelling() - 1 <= before:
                raise NotOpen(
                    "The engine was closed meanwhile.", remedy="Close it when its tasks are done."
                ) from None
            raise
        finally:
            if self._ended.pop(task):
                task.uncancel()
            self._left.set()

    async def finish(self, caller: Task, work: Coroutine[Any, Any, None]) -> None:
        """
        Run a commit or a rollback to its end, also when its caller is cancelled meanwhile.

        Raises `TimeoutError` when the server has not answered in time, and `NotOpen` when the engine was closed.
        """
        helper = asyncio.ensure_future(work)
        self._finishing[helper] = caller
        try:
            await run_to_completion(helper, self._seconds)
        except asyncio.CancelledError:
            if not helper.cancelled():
                raise
            if self._closed:
                raise NotOpen(f"The engine was closed meanwhile; {UNKNOWN}.", remedy="Look for the row.") from None
            raise TimeoutError(f"The server did not answer for {self._seconds} s; {UNKNOWN}.") from None
        finally:
            del self._finishing[helper]

    async def end(self, closer: Task) -> None:
        """End every call but those of `closer`; a commit or rollback is given a moment."""
        self._closed = True
        for task in self._ended:
            if task is not closer and task not in self._finishing.values():
                self._ended[task] = task.cancel()
        await self._wait(closer)
        for helper in self._finishing:
            helper.cancel()
        await self._wait(closer)

    async def _wait(self, closer: Task) -> None:
        def some_are_left() -> bool:
            return any(task is not closer and not task.done() for task in self._ended)

        if some_are_left():
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    while some_are_left():
                        self._left.clear()
                        await self._left.wait()
