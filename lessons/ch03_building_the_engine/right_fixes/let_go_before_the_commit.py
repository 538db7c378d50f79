"""Take the objects out of the session before it commits: what it does not have can't expire."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool)

    async def save(self, *objects):
        session = self.sessions()
        try:
            session.add_all(objects)
            await session.flush()
            session.expunge_all()
            await session.commit()
        finally:
            await session.close()

    async def get(self, model, **unique_key):
        session = self.sessions()
        try:
            return await session.scalar(select(model).filter_by(**unique_key))
        finally:
            await session.close()

    async def close(self):
        await self.pool.dispose()
