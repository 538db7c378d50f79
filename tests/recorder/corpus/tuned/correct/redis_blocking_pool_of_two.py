"""A cache-aside reader whose Redis pool has two connections and lets further tasks wait."""

# needs: redis

import asyncio
import os

from redis.asyncio import BlockingConnectionPool, Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

PREFIX = "redis_blocking_pool_of_two"


class Squares:
    def __init__(self, engine, client):
        self.engine = engine
        self.client = client

    async def of(self, number):
        key = f"{PREFIX}:{number}"
        if (cached := await self.client.get(key)) is not None:
            return int(cached)
        async with self.engine.connect() as conn:
            answer = int(await conn.scalar(text("SELECT :number * :number"), {"number": number}))
        await self.client.set(key, answer, px=200)
        return answer


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    pool = BlockingConnectionPool.from_url(os.environ["REDIS_URL"], max_connections=2, timeout=5)
    client = Redis.from_pool(pool)
    squares = Squares(engine, client)
    for _ in range(2):
        print(await asyncio.gather(*map(squares.of, range(6))))
    await client.aclose()
    await engine.dispose()


asyncio.run(main())
