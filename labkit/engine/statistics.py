"""Statistics: what an engine holds at this moment."""

from __future__ import annotations

from dataclasses import dataclass

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
