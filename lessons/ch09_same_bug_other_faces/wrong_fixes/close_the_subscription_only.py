"""
Close the subscription on every way out, and keep the client.

Fails: test_a_second_loop_is_served_as_the_first_one_was

Because: the subscription's connection is the one that you see. `sadd` and `publish` have opened another one, which
lies in the client's pool and waits for the next loop.
"""

from contextlib import asynccontextmanager

from redis.asyncio import Redis

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
        await redis.srem(room, who)
        await pubsub.aclose()
