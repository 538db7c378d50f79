"""A cache-aside repository that reads through Redis.

Its engine is disposed of at the end, and the Redis client is forgotten.
"""

# needs: redis

import asyncio
import json
import os

from redis.asyncio import Redis
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
users = Table(
    "redis_client_never_closed", metadata, Column("id", Integer, primary_key=True), Column("name", String(20))
)


class Users:
    def __init__(self, database_url, redis_url):
        self.engine = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.engine)
        self.cache = Redis.from_url(redis_url)  # finding: redis-leaked-connection

    async def get(self, number):
        key = f"redis_client_never_closed:{number}"
        if cached := await self.cache.get(key):
            return json.loads(cached)
        async with self.sessions() as session:
            name = await session.scalar(select(users.c.name).where(users.c.id == number))
        await self.cache.set(key, json.dumps(name), px=500)
        return name

    async def create_tables(self):
        async with self.engine.begin() as conn:
            await conn.run_sync(metadata.drop_all)
            await conn.run_sync(metadata.create_all)
            await conn.execute(insert(users).values(id=1, name="Ada"))

    async def close(self):
        await self.engine.dispose()


async def main():
    repository = Users(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await repository.create_tables()
    print(await repository.get(1), await repository.get(1))
    await repository.close()


asyncio.run(main())
