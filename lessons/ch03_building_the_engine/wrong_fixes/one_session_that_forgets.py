"""
Keep the one session, and let it forget all its objects at the end of each call.

Fails: test_many_can_save_at_once

Because: one session has one transaction and one connection. When two tasks use it at the same time, one of
them commits what the other has not finished, is told that the session is busy, or is left waiting.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool)
        self.session = self.sessions()

    async def save(self, *objects):
        try:
            self.session.add_all(objects)
            await self.session.flush()
            self.session.expunge_all()
            await self.session.commit()
        except BaseException:
            await self.session.rollback()
            raise

    async def get(self, model, **unique_key):
        found = await self.session.scalar(select(model).filter_by(**unique_key))
        self.session.expunge_all()
        await self.session.rollback()
        return found

    async def close(self):
        await self.session.close()
        await self.pool.dispose()
