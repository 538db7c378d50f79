"""A cache-aside function with Redis before the database, called from a nightly and an hourly loop.

Each loop has an engine of its own and disposes it, but the Redis client is made at import, and the
second loop finds the connection of the first one in it.
"""

# needs: redis

import asyncio
import os

import redis.asyncio as redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

cache = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


async def compute(engine: AsyncEngine, day: int) -> int:
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT :day * 24"), {"day": day})


async def cached_hours(engine: AsyncEngine, day: int) -> int:
    key = f"hours:{os.getpid()}:{day}"
    if (known := await cache.get(key)) is not None:  # finding: redis-crossed-loops
        return int(known)
    hours = await compute(engine, day)
    await cache.set(key, hours, ex=5)
    return hours


async def report(day: int) -> int:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        return await cached_hours(engine, day)
    finally:
        await engine.dispose()


def main() -> None:
    for name, day in (("nightly", 1), ("hourly", 2)):
        with asyncio.Runner() as runner:
            try:
                print(name, runner.run(report(day)))
            except (RuntimeError, RedisError) as error:
                print(name, "failed:", type(error).__name__)


if __name__ == "__main__":
    main()
