"""
Commit after each object.

Fails: test_a_save_that_fails_leaves_nothing

Because: each object is a piece of work of its own now. A save of two of which one is refused leaves half of
itself, and the caller can't know which half.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)

    async def save(self, *objects):
        async with self.sessions() as session:
            for each in objects:
                session.add(each)
                await session.commit()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.sessions() as session:
            return await session.scalar(query)

    async def close(self):
        await self.pool.dispose()
