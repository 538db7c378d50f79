"""Write the beginning and the end of a unit of work down once, for saving and for reading."""

from contextlib import asynccontextmanager

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)

    @asynccontextmanager
    async def unit_of_work(self):
        session = self.sessions()
        try:
            yield session
            await session.commit()
        except BaseException:
            await session.rollback()
            raise
        finally:
            await session.close()

    async def save(self, *objects):
        async with self.unit_of_work() as session:
            session.add_all(objects)

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.unit_of_work() as session:
            return await session.scalar(query)

    async def close(self):
        await self.pool.dispose()
