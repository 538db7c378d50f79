"""A price list that looks in Redis first and asks the database in several tasks, each with its own session."""

# needs: redis

import asyncio
import os
from contextlib import AsyncExitStack

import redis.asyncio as redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


class Prices:
    def __init__(self, sessions: async_sessionmaker[AsyncSession], cache: redis.Redis) -> None:
        self.sessions = sessions
        self.cache = cache

    async def price(self, article: int) -> int:
        key = f"price:{os.getpid()}:{article}"
        if (known := await self.cache.get(key)) is not None:
            return int(known)
        async with self.sessions() as session:
            price = await session.scalar(text("SELECT :article * 5"), {"article": article})
        await self.cache.set(key, price, ex=5)
        return price

    async def list(self, articles: range) -> list[int]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.price(article)) for article in articles]
        return [task.result() for task in tasks]


async def main() -> None:
    async with AsyncExitStack() as stack:
        engine = create_async_engine(os.environ["DATABASE_URL"])
        stack.push_async_callback(engine.dispose)
        cache = await stack.enter_async_context(redis.Redis.from_url(os.environ["REDIS_URL"]))
        prices = Prices(async_sessionmaker(engine), cache)
        first, second = [await prices.list(range(4)) for _ in range(2)]
    assert first == second == [0, 5, 10, 15]
    print(first)


if __name__ == "__main__":
    asyncio.run(main())
