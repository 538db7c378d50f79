"""
Roll back when a save fails, and let nobody hear of it.

Fails: test_a_duplicate_is_an_integrity_error

Because: the engine goes on, and so does the caller, who believes that the user was saved. The error was the
only one who knew better.
"""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)

    async def save(self, *objects):
        async with self.sessions() as session:
            try:
                session.add_all(objects)
                await session.commit()
            except IntegrityError:
                await session.rollback()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.sessions() as session:
            return await session.scalar(query)

    async def close(self):
        await self.pool.dispose()
