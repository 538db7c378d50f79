"""
Make a new client for each block.

Fails: test_redis_lists_no_client_after_the_last_block

Because: each block now has a client of its own loop. A client that goes out of sight is not closed: its connections
stay on the server until the garbage is collected, and that is too late for some of them.
"""

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
