"""
BUG: a subscription is ended with `unsubscribe()`, and its connection stays open.

Symptom: every subscriber that ever came and went has left a client on the Redis server, until it says that there
are too many connections.

Sources: https://github.com/kdcube/kdcube/issues/245, https://github.com/redis/redis-py/issues/1343
"""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from labkit.engine import Engine

__all__ = ["PubsubNeverClosed"]


class PubsubNeverClosed(Engine):
    """The correct engine, but for one seam."""

    async def unsubscribe(self, pubsub: PubSub, client: Redis) -> None:
        """Give a subscription's connection back."""
        # "Without a channel there is nothing left to hold the connection for."
        await pubsub.unsubscribe()
