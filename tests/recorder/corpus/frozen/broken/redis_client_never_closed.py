"""A rate limiter of a web application, which counts requests in Redis and reads the limit from the database.

The application disposes the engine on shutdown and forgets the Redis client, whose connections stay open.
"""

# needs: redis

import asyncio
import os
from dataclasses import dataclass

import redis.asyncio as aioredis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


@dataclass
class Limiter:
    engine: AsyncEngine
    counters: aioredis.Redis

    async def limit(self) -> int:
        async with self.engine.connect() as conn:
            return await conn.scalar(text("SELECT 2"))

    async def allow(self, address: str) -> bool:
        key = f"limit:{os.getpid()}:{address}"
        count = await self.counters.incr(key)
        await self.counters.expire(key, 5)
        return count <= await self.limit()


def build() -> Limiter:
    counters = aioredis.from_url(os.environ["REDIS_URL"])  # finding: redis-leaked-connection
    return Limiter(create_async_engine(os.environ["DATABASE_URL"]), counters)


async def application() -> None:
    limiter = build()
    try:
        print([await limiter.allow("192.0.2.1") for _ in range(3)])
    finally:
        await limiter.engine.dispose()


asyncio.run(application())
