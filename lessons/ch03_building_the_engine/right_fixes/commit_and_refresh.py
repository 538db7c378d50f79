"""Let the objects expire, and ask for their values again while that can still be awaited."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool)

    async def save(self, *objects):
        async with self.sessions() as session:
            session.add_all(objects)
            await session.commit()
            for each in objects:
                await session.refresh(each)

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.sessions() as session:
            return await session.scalar(query)

    async def close(self):
        await self.pool.dispose()
