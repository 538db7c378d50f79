"""A broadcast in which each client has a listener task on a Redis channel, until its client says good-bye.

The listener closes its pub/sub object only when a message does not come in time, and not when it returns
at the good-bye, so the subscription lives on.
"""

# needs: redis

import asyncio
import os

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


class Listener:
    def __init__(self, client: Redis, channel: str) -> None:
        self.client = client
        self.channel = channel
        self.subscribed = asyncio.Event()

    async def run(self) -> str:
        pubsub = self.client.pubsub()
        await pubsub.subscribe(self.channel)  # finding: redis-leaked-connection
        self.subscribed.set()
        while message := await pubsub.get_message(timeout=2.0):
            if message["data"] == b"bye":
                return "left"
        await pubsub.aclose()
        return "silent"


async def farewell(engine: AsyncEngine) -> str:
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT 'bye'"))


async def visit(engine: AsyncEngine, client: Redis, name: str) -> str:
    listener = Listener(client, f"listener-returns-{os.getpid()}-{name}")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listener.run())
        await listener.subscribed.wait()
        await client.publish(listener.channel, await farewell(engine))
    return task.result()


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with Redis.from_url(os.environ["REDIS_URL"]) as client:
        print([await visit(engine, client, name) for name in ("ada", "bob")])
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
