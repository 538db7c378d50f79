"""Async work in a thread, so that Ctrl-C stays ours: libraries set signal handlers on the main thread's loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["run_interruptibly"]

T = TypeVar("T")


def run_interruptibly(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """
    Run `work()` on an event loop in a thread and return its result.

    Ctrl-C, or what a signal's handler raises, cancels the work, waits for its end, and only then goes on.
    """
    result: T = _Work(work).result()
    return result


class _Work(threading.Thread):
    def __init__(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        super().__init__(name="labkit work", daemon=True)
        self._work = work
        self._ended: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._running: concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = (
            concurrent.futures.Future()
        )

    def run(self) -> None:
        try:
            self._ended.set_result(asyncio.run(self._main()))
        except BaseException as error:
            self._ended.set_exception(error)

    async def _main(self) -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._running.set_result((asyncio.get_running_loop(), task))
        return await self._work()

    def result(self) -> Any:
        self.start()
        try:
            return self._ended.result()
        except BaseException:
            if not self._ended.done():
                loop, task = self._running.result()
                loop.call_soon_threadsafe(task.cancel)
                self.join()
            raise
