"""
Collect the garbage at the end of the block.

Fails: test_redis_lists_no_client_after_the_last_block

Because: the collector takes what nobody holds. Your client is still held, by the function that the block was given.
And what it takes it only tears down: to say goodbye takes a loop, and somebody who awaits it.
"""

import gc
from contextlib import asynccontextmanager

from redis.asyncio import Redis


@asynccontextmanager
async def present(redis_url, room, who):
    redis = Redis.from_url(redis_url, decode_responses=True)
    await redis.sadd(room, who)
    await redis.publish(room, who)
    pubsub = redis.pubsub()
    await pubsub.subscribe(room)
    await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed

    async def next_arrival():
        return (await pubsub.get_message(timeout=None))["data"]

    try:
        yield next_arrival
    finally:
        await pubsub.unsubscribe(room)
        await redis.srem(room, who)
        gc.collect()
