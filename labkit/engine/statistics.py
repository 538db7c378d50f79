"""Statistics: what an engine holds at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from labkit.engine.connections import Pool

__all__ = ["EngineStatistics"]


@dataclass(frozen=True)
class EngineStatistics:
    """
    Count what an engine holds now, and what its cache and bus have done since it was built.

    An engine has two pools of one size: one for blocks, and one for reads outside of them.
    """

    pool_size: int
    """Connections that each pool keeps open."""
    checked_out: int
    """Connections that are checked out now."""
    overflow: int
    """Connections open beyond `pool_size`."""
    waiting: int
    """Calls that wait for a connection."""
    sessions: tuple[str, ...]
    """The name of each task that has a session open."""
    cache_hits: int = 0
    cache_misses: int = 0
    cache_unsent: int = 0
    """Keys of changed rows that Redis could not be told yet: other engines may find old rows under them."""
    messages_lost: int = 0
    """Messages not handed to Redis because it was away."""

    @classmethod
    def of(cls, engines: Sequence[AsyncEngine], tasks: Iterable[asyncio.Task[Any]]) -> Self:
        """Count now; `tasks` are those that have a session open."""
        pools = [cast(Pool, each.pool) for each in engines]
        return cls(
            pool_size=pools[0].size(),
            checked_out=sum(pool.checkedout() for pool in pools),
            overflow=sum(max(0, pool.overflow()) for pool in pools),
            waiting=sum(pool.waiting for pool in pools),
            sessions=tuple(sorted(task.get_name() for task in tasks)),
        )
