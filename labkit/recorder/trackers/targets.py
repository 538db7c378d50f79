"""Which engines and Redis clients a recorder watches: all of them, or those it was given."""

from __future__ import annotations

import weakref
from typing import Any

__all__ = ["Targets"]


class Targets:
    """
    The engines and Redis clients that were attached; when there are none, everything is watched.

    They are held weakly: a recorder that kept an engine alive would hide the very leak that it looks for.
    """

    def __init__(self) -> None:
        self._engines: weakref.WeakSet[Any] = weakref.WeakSet()
        self._redis: weakref.WeakSet[Any] = weakref.WeakSet()
        self.everything = True

    def add(self, kind: str, target: Any) -> bool:
        """Watch a sync engine ("engine") or a Redis pool ("redis"); return True if it was new."""
        self.everything = False
        chosen = self._engines if kind == "engine" else self._redis
        new = target not in chosen
        chosen.add(target)
        return new

    def discard(self, kind: str, target: Any) -> bool:
        """Watch it no more; return True if it was watched. Without its last target a recorder watches nothing."""
        chosen = self._engines if kind == "engine" else self._redis
        known = target in chosen
        chosen.discard(target)
        return known

    def wants_pool(self, pool: Any) -> bool:
        """Return True if connections of an engine's pool are watched."""
        return self.everything or any(engine.pool is pool for engine in self._engines)

    def wants_redis(self, pool: Any) -> bool:
        """Return True if a Redis client's pool is watched."""
        return self.everything or pool in self._redis
