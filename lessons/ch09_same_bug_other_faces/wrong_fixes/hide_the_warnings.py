"""
Hide the warnings.

Fails: test_redis_lists_no_client_after_the_last_block

Because: a warning that nobody hears is a connection that nobody closes. The server lists it all the same.
"""

import warnings
from contextlib import asynccontextmanager

from redis.asyncio import Redis


@asynccontextmanager
async def present(redis_url, room, who):
    warnings.simplefilter("ignore", ResourceWarning)
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
