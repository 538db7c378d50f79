"""
Send everything to one loop that never ends, in a thread.

Fails: test_redis_lists_no_client_after_the_last_block

Because: no connection meets another loop any more, and none is ever closed: the server keeps your clients for as
long as the program lives. What a loop must not outlive is its connections, and this one does not end at all.
"""

import asyncio
import threading
from contextlib import asynccontextmanager

from redis.asyncio import Redis

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
clients = {}


async def on_the_loop(work):
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


def connect(redis_url):
    if redis_url not in clients:
        clients[redis_url] = Redis.from_url(redis_url, decode_responses=True)
    return clients[redis_url]


@asynccontextmanager
async def present(redis_url, room, who):
    redis = connect(redis_url)
    pubsub = redis.pubsub()
    await on_the_loop(enter(redis, pubsub, room, who))

    async def next_arrival():
        return (await on_the_loop(pubsub.get_message(timeout=None)))["data"]

    try:
        yield next_arrival
    finally:
        await on_the_loop(pubsub.aclose())
        await on_the_loop(redis.srem(room, who))


async def enter(redis, pubsub, room, who):
    await redis.sadd(room, who)
    await redis.publish(room, who)
    await pubsub.subscribe(room)
    await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed
