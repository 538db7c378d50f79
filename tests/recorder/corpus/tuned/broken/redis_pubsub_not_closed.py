"""A WebSocket-like endpoint that listens to a channel for each client until its first message.

It unsubscribes and does not close the subscription, so every client leaves a connection behind.
"""

# needs: redis
# drivers: aiosqlite

import asyncio
import os

import redis.asyncio as redis


class Rooms:
    def __init__(self, client):
        self.client = client
        self.open = []

    async def first_message(self, room, ready):
        pubsub = self.client.pubsub()
        self.open.append(pubsub)
        await pubsub.subscribe(room)  # finding: redis-leaked-connection
        await pubsub.get_message(timeout=2)
        ready.set()
        message = await pubsub.get_message(timeout=2)
        await pubsub.unsubscribe(room)
        return message["data"]


async def main():
    client = redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    rooms = Rooms(client)
    for text in ("hello", "again"):
        ready = asyncio.Event()
        listener = asyncio.create_task(rooms.first_message("redis_pubsub_not_closed", ready))
        await ready.wait()
        await client.publish("redis_pubsub_not_closed", text)
        print(await listener)
    await client.aclose()


asyncio.run(main())
