"""A WebSocket-like endpoint that listens to a channel for each client and closes each subscription."""

# needs: redis
# drivers: aiosqlite

import asyncio
import os

import redis.asyncio as redis

CHANNEL = "redis_pubsub_closed"


async def first_message(client, ready):
    async with client.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        await pubsub.get_message(timeout=2)
        await ready.wait()
        message = await pubsub.get_message(timeout=2)
        await pubsub.unsubscribe()
        return message["data"]


async def main():
    client = redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    ready = asyncio.Barrier(3)
    async with asyncio.TaskGroup() as group:
        listeners = [group.create_task(first_message(client, ready)) for _ in range(2)]
        await ready.wait()
        await client.publish(CHANNEL, "hello")
    print([listener.result() for listener in listeners])
    await client.aclose()


asyncio.run(main())
