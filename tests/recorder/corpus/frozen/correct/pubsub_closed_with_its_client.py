"""A notification service that publishes and listens over Redis, and closes all it has opened."""

# drivers: asyncmy
# needs: redis

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.client import PubSub


@asynccontextmanager
async def listening(client: Redis, channel: str) -> AsyncIterator[PubSub]:
    async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(channel)
        yield pubsub
        await pubsub.unsubscribe(channel)


async def receive(pubsub: PubSub, count: int) -> list[str]:
    messages: list[str] = []
    while len(messages) < count:
        if (message := await pubsub.get_message(timeout=1.0)) is not None:
            messages.append(message["data"])
    return messages


async def main() -> None:
    client = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    channel = f"pubsub-closed-{os.getpid()}"
    try:
        async with listening(client, channel) as pubsub:
            async with client.pipeline(transaction=True) as pipe:
                for body in ("one", "two", "three"):
                    pipe.publish(channel, body)
                await pipe.execute()
            print(await receive(pubsub, 3))
    finally:
        await client.aclose()


if __name__ == "__main__":
    asyncio.run(main())
