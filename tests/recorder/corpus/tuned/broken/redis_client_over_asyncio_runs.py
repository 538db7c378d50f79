"""A cache-aside reader of settings that is called from synchronous code with asyncio.run.

The module-level Redis client keeps its connection from the first run's loop and uses it in the second.
"""

# needs: redis

import asyncio
import os

import redis.asyncio as redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
cache = redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


async def from_database(name):
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT LENGTH(:name)"), {"name": name})


async def setting(name):
    key = f"redis_client_over_asyncio_runs:{name}"
    cached = await cache.get(key)  # finding: redis-crossed-loops
    if cached is None:
        cached = await from_database(name)
        await cache.set(key, cached, ex=1)
    return int(cached)


def read(name):
    try:
        return asyncio.run(setting(name))
    except (RuntimeError, redis.RedisError) as error:
        return type(error).__name__


if __name__ == "__main__":
    print(read("colour"), read("size"))
