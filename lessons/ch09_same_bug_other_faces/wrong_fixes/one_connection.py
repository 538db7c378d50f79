"""
Give the client a single connection.

Fails: test_a_second_loop_is_served_as_the_first_one_was

Because: one connection belongs to one loop as much as ten do. It is the client in the module that outlives the
loop, however few connections it has.
"""

from contextlib import asynccontextmanager

from redis.asyncio import Redis

clients = {}


def connect(redis_url):
    if redis_url not in clients:
        clients[redis_url] = Redis.from_url(redis_url, decode_responses=True, single_connection_client=True)
    return clients[redis_url]


@asynccontextmanager
async def present(redis_url, room, who):
    redis = connect(redis_url)
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
        await pubsub.aclose()
        await redis.srem(room, who)
