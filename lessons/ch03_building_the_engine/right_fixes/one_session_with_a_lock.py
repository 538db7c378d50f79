"""Keep one session, let one task at a time use it, and let it forget everything after each call."""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool)
        self.turn = asyncio.Lock()
        self.session = self.sessions()

    async def save(self, *objects):
        async with self.turn:
            try:
                self.session.add_all(objects)
                await self.session.flush()
                self.session.expunge_all()
                await self.session.commit()
            finally:
                await self.session.close()

    async def get(self, model, **unique_key):
        async with self.turn:
            try:
                return await self.session.scalar(select(model).filter_by(**unique_key))
            finally:
                await self.session.close()

    async def close(self):
        await self.pool.dispose()
