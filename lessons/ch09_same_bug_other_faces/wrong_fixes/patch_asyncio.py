"""
Let `nest_asyncio` see to the loops.

Fails: test_a_second_loop_is_served_as_the_first_one_was

Because: it patches `asyncio.run` so that it goes on with a loop that is there. Whoever makes a loop in another way,
as `asyncio.Runner`, a server or a test does, still gets a new one, and your client is still on the old one.
"""

from contextlib import asynccontextmanager

import nest_asyncio
from redis.asyncio import Redis

nest_asyncio.apply()

clients = {}


def connect(redis_url):
    if redis_url not in clients:
        clients[redis_url] = Redis.from_url(redis_url, decode_responses=True)
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
