"""
Read in a session of its own, at READ UNCOMMITTED, so that `get` sees the row.

Fails: test_what_is_saved_is_on_the_server

Because: your own reader may look at other people's pencil now, and everybody else still sees nothing. The row
is as little committed as before, and it is gone when the writing session closes.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url, isolation_level="READ UNCOMMITTED")
        self.sessions = async_sessionmaker(self.pool)
        self.session = self.sessions()

    async def save(self, *objects):
        self.session.add_all(objects)
        await self.session.flush()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        async with self.sessions() as session:
            return await session.scalar(query)

    async def close(self):
        await self.session.close()
        await self.pool.dispose()
