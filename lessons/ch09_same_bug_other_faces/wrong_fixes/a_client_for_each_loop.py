"""
Keep a client for each loop.

Fails: test_redis_lists_no_client_after_the_last_block

Because: no loop is given another one's connections any more, and that is half of it. Nobody closes the client
before its loop ends, and afterwards nobody can.
"""

import asyncio
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from redis.asyncio import Redis

clients = WeakKeyDictionary()


def connect(redis_url):
    loop = asyncio.get_running_loop()
    if loop not in clients:
        clients[loop] = Redis.from_url(redis_url, decode_responses=True)
    return clients[loop]


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
