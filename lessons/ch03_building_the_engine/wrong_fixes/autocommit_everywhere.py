"""
Let the server commit each statement by itself.

Fails: test_a_save_that_fails_leaves_nothing

Because: what was sent is true at once, so the flush is enough. It also can't be taken back: when the second
object is refused the first one stays. All or nothing needs a transaction.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url, isolation_level="AUTOCOMMIT")
        self.sessions = async_sessionmaker(self.pool)

    async def save(self, *objects):
        async with self.sessions() as session:
            session.add_all(objects)
            await session.flush()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.sessions() as session:
            return await session.scalar(query)

    async def close(self):
        await self.pool.dispose()
