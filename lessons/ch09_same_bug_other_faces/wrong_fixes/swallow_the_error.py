"""
Catch what goes wrong in the block, and close everything.

Fails: test_a_block_that_fails_leaves_nothing

Because: everything is closed, and the block's own error is gone. Whoever called it believes that all went well.
"""

from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis


@asynccontextmanager
async def present(redis_url, room, who):
    async with Redis.from_url(redis_url, decode_responses=True) as redis, redis.pubsub() as pubsub:
        with suppress(Exception):
            await redis.sadd(room, who)
            await redis.publish(room, who)
            await pubsub.subscribe(room)
            await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed

            async def next_arrival():
                return (await pubsub.get_message(timeout=None))["data"]

            yield next_arrival
        await redis.srem(room, who)
