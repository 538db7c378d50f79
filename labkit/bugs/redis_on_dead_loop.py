"""
BUG: all engines share one Redis client, whichever event loop each of them lives on.

Symptom: the first loop reads through the cache, the second gets `attached to a different loop` or `Event loop is
closed` from a connection that the first one has left in the client.

Sources: https://github.com/redis/redis-py/issues/3351, https://github.com/django/channels_redis/issues/332
"""

from __future__ import annotations

from typing import ClassVar

from labkit.engine import Engine, OptionalRedis

__all__ = ["RedisOnDeadLoop"]


class RedisOnDeadLoop(Engine):
    """The correct engine, but for one seam."""

    _clients: ClassVar[dict[str, OptionalRedis]] = {}

    def create_redis(self, url: str) -> OptionalRedis:
        """Return a Redis client that belongs to this engine alone."""
        # "A client is there to be shared: one for each Redis is enough."
        if url not in self._clients:
            self._clients[url] = OptionalRedis(url, self.settings)
        return self._clients[url]
