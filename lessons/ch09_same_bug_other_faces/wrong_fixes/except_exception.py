"""
Close everything when an `Exception` comes, and when none comes.

Fails: test_a_block_that_is_cancelled_leaves_nothing

Because: a cancellation is a `CancelledError`, and that is no `Exception`. It passes `except Exception`, and `else`
as well.
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
    except Exception:
        await leave(redis, pubsub, room, who)
        raise
    else:
        await leave(redis, pubsub, room, who)


async def leave(redis, pubsub, room, who):
    await pubsub.aclose()
    await redis.srem(room, who)
    await redis.aclose()
