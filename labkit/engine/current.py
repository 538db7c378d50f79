"""Current: one object of each class for each event loop, made when it is first asked for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["PerLoop"]

T = TypeVar("T")
Key = tuple[Callable[[], Any], asyncio.AbstractEventLoop, int]


class PerLoop:
    """The current object of each class on each loop that is not closed, in this process."""

    def __init__(self) -> None:
        self._objects: dict[Key, Any] = {}

    def get(self, make: Callable[[], T]) -> T:
        """Return the object that `make` has made on the running loop; call it the first time."""
        self._objects = {key: each for key, each in self._objects.items() if not key[1].is_closed()}
        # A forked child inherits its parent's loop and objects, and may use neither.
        key = make, asyncio.get_running_loop(), os.getpid()
        if key not in self._objects:
            self._objects[key] = make()
        return cast(T, self._objects[key])

    def loops(self) -> set[asyncio.AbstractEventLoop]:
        """Return the loops that have an object."""
        return {loop for _, loop, _ in self._objects}

    def forget(self, unwanted: object) -> None:
        """Let the next one who asks get another object."""
        self._objects = {key: each for key, each in self._objects.items() if each is not unwanted}
