"""
Close the connections that lie idle in the pool.

Fails: test_redis_lists_no_client_after_the_last_block

Because: the connection of a subscription does not lie idle: it is out for as long as the subscription is open, and
`unsubscribe` does not end that.
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
        await redis.connection_pool.disconnect(inuse_connections=False)
