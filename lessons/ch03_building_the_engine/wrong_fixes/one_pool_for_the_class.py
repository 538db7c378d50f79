"""
Make the pool once for the class, so that many engines share it.

Fails: test_each_engine_has_its_own_database

Because: a pool belongs to one URL. The second engine gets the pool of the first, and writes into the database of
the first. When one of them closes, the other has lost its pool too.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    pool = None

    def __init__(self, database_url):
        if SmallEngine.pool is None:
            SmallEngine.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(SmallEngine.pool, expire_on_commit=False)

    async def save(self, *objects):
        async with self.sessions.begin() as session:
            session.add_all(objects)

    async def get(self, model, **unique_key):
        async with self.sessions() as session:
            return await session.scalar(select(model).filter_by(**unique_key))

    async def close(self):
        await SmallEngine.pool.dispose()
