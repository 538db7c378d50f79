"""Statistics: what an engine holds at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from labkit.engine.bus import Bus
from labkit.engine.cache import Cache
from labkit.engine.pool import Pool

__all__ = ["EngineStatistics"]


@dataclass(frozen=True)
class EngineStatistics:
    """Count what an engine holds now, and what its cache and bus have done since it was built."""

    pool_size: int
    """Connections that the pool keeps open."""
    checked_out: int
    """Connections that somebody holds now."""
    overflow: int
    """Connections open beyond `pool_size`."""
    waiting: int
    """Tasks that wait for a connection."""
    sessions: tuple[str, ...]
    """The name of each task that has a session open."""
    cache_hits: int
    cache_misses: int
    messages_lost: int
    """Messages not handed to Redis because it was away."""

    @classmethod
    def of(cls, pool: Pool, tasks: Iterable[asyncio.Task[Any]], cache: Cache, bus: Bus) -> Self:
        """Count now; `tasks` are those that have a session open."""
        return cls(
            pool_size=pool.size(),
            checked_out=pool.checkedout(),
            overflow=max(0, pool.overflow()),
            waiting=pool.waiting,
            sessions=tuple(sorted(task.get_name() for task in tasks)),
            cache_hits=cache.hits,
            cache_misses=cache.misses,
            messages_lost=bus.lost,
        )
