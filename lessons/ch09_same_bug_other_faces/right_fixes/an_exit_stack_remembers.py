"""Note how each thing is undone when it has been done, and let a stack do it in the end."""

from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis


@asynccontextmanager
async def present(redis_url, room, who):
    async with AsyncExitStack() as undo:
        redis = Redis.from_url(redis_url, decode_responses=True)
        undo.push_async_callback(redis.aclose)
        undo.push_async_callback(redis.srem, room, who)
        await redis.sadd(room, who)
        await redis.publish(room, who)
        pubsub = redis.pubsub()
        undo.push_async_callback(pubsub.aclose)
        await pubsub.subscribe(room)
        await pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed

        async def next_arrival():
            return (await pubsub.get_message(timeout=None))["data"]

        yield next_arrival
