"""The lifetime: opened once, on one event loop, and closed there."""

from __future__ import annotations

import asyncio
import os
import warnings
from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Self, cast

from labkit.engine.completion import run_to_completion
from labkit.errors import NotOpen

__all__ = ["Lifetime", "Loop", "loop_name"]

Loop = asyncio.AbstractEventLoop


class Lifetime(ABC):
    """What opens on the running loop, belongs to that loop alone, and gives everything back in it."""

    _current: ClassVar[dict[tuple[type[Lifetime], Loop, int], Lifetime]] = {}
    _loop: Loop | None = None
    _pid = 0
    _closed = False

    @abstractmethod
    async def _open_all(self) -> None: ...

    @abstractmethod
    async def _close_all(self) -> None: ...

    @abstractmethod
    def _opening(self) -> asyncio.Lock: ...

    @abstractmethod
    def _check_loop(self) -> None: ...

    @abstractmethod
    def _check_process(self) -> None: ...

    @classmethod
    def current(cls) -> Self:
        """Return the one of the running loop, built from the environment when there is none yet; open it."""
        loop = asyncio.get_running_loop()
        for key in [key for key in Lifetime._current if key[1].is_closed()]:
            del Lifetime._current[key]
        # A forked child inherits its parent's loop and engine, and may use neither.
        key = cls, loop, os.getpid()
        if key not in Lifetime._current:
            Lifetime._current[key] = cls()
        return cast(Self, Lifetime._current[key])

    async def open(self) -> Self:
        """
        Bind to the running loop and see that the database answers; opening it twice is harmless.

        Raises `Unreachable`, without the password, when it does not answer, and `NotOpen` after `close()`.
        """
        async with self._opening():
            if self._loop is None and not self._closed:
                self._loop, self._pid = asyncio.get_running_loop(), os.getpid()
                try:
                    await self._open_all()
                except BaseException:
                    await self.close()
                    raise
        self._check()
        return self

    async def close(self) -> None:
        """
        Return every connection, in the loop that opened it; closing twice is harmless.

        What a task still holds is closed when that task gives it back. A cancellation waits until all is done.
        """
        if self._closed or self._loop is None:
            self._closed = True
            return
        self._check()
        self._closed = True
        if Lifetime._current.get((type(self), self._loop, self._pid)) is self:
            del Lifetime._current[type(self), self._loop, self._pid]
        await run_to_completion(self._close_all())

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        if self._loop is not None and not self._closed:
            warnings.warn(f"{self!r} was dropped open: use `async with`.", ResourceWarning, stacklevel=2)

    @property
    def state(self) -> str:
        """Say "not opened", "open" or "closed"."""
        return "closed" if self._closed else "open" if self._loop else "not opened"

    def _check(self) -> None:
        if self._loop is None or self._closed:
            raise NotOpen(f"{self!r} is used.", remedy="Use it inside `async with Engine(…) as engine:`.")
        self._check_process()
        self._check_loop()


def loop_name(loop: Loop) -> str:
    """Name a loop so that it can be told from others: two of them have the same repr."""
    state = "closed" if loop.is_closed() else "running" if loop.is_running() else "not running"
    return f"<{type(loop).__name__} at {id(loop):#x}, {state}>"
