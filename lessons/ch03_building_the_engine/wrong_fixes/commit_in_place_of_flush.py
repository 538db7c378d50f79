"""
Commit in place of the flush.

Fails: test_what_was_saved_can_be_read

Because: the row is there, and the object has expired: after the commit its values are asked for again at the
next access, and an attribute can't be awaited.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool)
        self.session = self.sessions()

    async def save(self, *objects):
        self.session.add_all(objects)
        await self.session.commit()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        return await self.session.scalar(query)

    async def close(self):
        await self.session.close()
        await self.pool.dispose()
