"""Share a client among the blocks of one loop, and let the last one close it."""

import asyncio
from contextlib import asynccontextmanager

from redis.asyncio import Redis

clients = {}  # for each loop and URL: a client, and how many blocks have it


@asynccontextmanager
async def connected(redis_url):
    key = asyncio.get_running_loop(), redis_url
    redis, blocks = clients.get(key) or (Redis.from_url(redis_url, decode_responses=True), 0)
    clients[key] = redis, blocks + 1
    try:
        yield redis
    finally:
        redis, blocks = clients.pop(key)
        if blocks > 1:
            clients[key] = redis, blocks - 1
        else:
            await redis.aclose()


@asynccontextmanager
async def present(redis_url, room, who):
    async with connected(redis_url) as redis, redis.pubsub() as pubsub:
        await redis.sadd(room, who)
        try:
            await redis.publish(room, who)
            await pubsub.subscribe(room)
            await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed

            async def next_arrival():
                return (await pubsub.get_message(timeout=None))["data"]

            yield next_arrival
        finally:
            await redis.srem(room, who)
