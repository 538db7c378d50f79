"""
Keeps on Redis who is in a room, and tells those who are there who arrives. It works once.

Mend it, so that it works on every loop and leaves nothing behind, in whatever way its blocks end.
"""

from contextlib import asynccontextmanager

from redis.asyncio import Redis

clients = {}


@asynccontextmanager
async def present(redis_url, room, who):
    if redis_url not in clients:
        clients[redis_url] = Redis.from_url(redis_url, decode_responses=True)
    redis = clients[redis_url]
    await redis.sadd(room, who)
    await redis.publish(room, who)
    pubsub = redis.pubsub()
    await pubsub.subscribe(room)
    await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed

    async def next_arrival():
        return (await pubsub.get_message(timeout=None))["data"]

    yield next_arrival
    await pubsub.unsubscribe(room)
    await redis.srem(room, who)
