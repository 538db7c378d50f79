"""
A connection belongs to the loop that opened it, so what holds connections must not outlive a loop.

A client is not a connection: it has a pool of them, and that is the trouble with one that is kept in the module.
The next loop is given what the last one has left in it. A client that is made in the block belongs to the block,
and so to its loop. Two clients that are open at once cost a connection or two more, and share nothing.

Three things end with the block, each tied to it by a statement that works on every way out: the name in the room,
the subscription's connection, and the client's other connections. `unsubscribe` ends the messages, and not the
connection.
"""

from contextlib import asynccontextmanager

from redis.asyncio import Redis


@asynccontextmanager
async def present(redis_url, room, who):
    async with Redis.from_url(redis_url, decode_responses=True) as redis, redis.pubsub() as pubsub:

        async def next_arrival():
            return (await pubsub.get_message(timeout=None))["data"]

        await redis.sadd(room, who)
        try:
            await redis.publish(room, who)
            await pubsub.subscribe(room)
            await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed
            yield next_arrival
        finally:
            await redis.srem(room, who)
