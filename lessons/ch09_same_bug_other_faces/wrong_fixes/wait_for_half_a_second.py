"""
Make the client in the block, and wait at most half a second for a message.

Fails: test_who_comes_late_is_heard

Because: when nobody comes in half a second, `get_message` returns `None`, as if somebody without a name had come.
`timeout=None` waits until there is a message; a limit is a matter for the caller, who can use `asyncio.timeout`.
"""

from contextlib import asynccontextmanager

from redis.asyncio import Redis


@asynccontextmanager
async def present(redis_url, room, who):
    async with Redis.from_url(redis_url, decode_responses=True) as redis, redis.pubsub() as pubsub:
        await redis.sadd(room, who)
        try:
            await redis.publish(room, who)
            await pubsub.subscribe(room)
            await pubsub.get_message(timeout=None)

            async def next_arrival():
                message = await pubsub.get_message(timeout=0.5)
                return message and message["data"]

            yield next_arrival
        finally:
            await redis.srem(room, who)
