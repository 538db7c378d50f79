"""Make the client in the block, and close what was opened in a `finally`."""

from contextlib import asynccontextmanager

from redis.asyncio import Redis


@asynccontextmanager
async def present(redis_url, room, who):
    redis = Redis.from_url(redis_url, decode_responses=True)
    pubsub = redis.pubsub()
    try:
        await redis.sadd(room, who)
        await redis.publish(room, who)
        await pubsub.subscribe(room)
        await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed

        async def next_arrival():
            return (await pubsub.get_message(timeout=None))["data"]

        yield next_arrival
    finally:
        try:
            try:
                await pubsub.aclose()
            finally:
                await redis.srem(room, who)
        finally:
            await redis.aclose()
