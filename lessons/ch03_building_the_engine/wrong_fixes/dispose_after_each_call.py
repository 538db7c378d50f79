"""
Dispose of the pool at the end of each call, so that nothing is left.

Fails: test_one_connection_is_kept_for_the_next_call

Because: a pool is there to keep its connections. Now every call opens one, logs in and hangs up; and a
connection that is out at that moment comes back to a pool that nobody closes any more.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)

    async def save(self, *objects):
        async with self.sessions.begin() as session:
            session.add_all(objects)
        await self.pool.dispose()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.sessions() as session:
            instance = await session.scalar(query)
        await self.pool.dispose()
        return instance

    async def close(self):
        await self.pool.dispose()
