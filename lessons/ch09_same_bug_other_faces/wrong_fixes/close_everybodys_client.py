"""
Keep one client, and close it at the end of each block.

Fails: test_one_leaves_and_the_other_goes_on_hearing

Because: the client is everybody's, and so are its connections: whoever leaves first hangs up for all. Redis-py
connects again, and what was said meanwhile is lost without a word.
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
        await pubsub.aclose()
        await redis.srem(room, who)
        await redis.aclose()
