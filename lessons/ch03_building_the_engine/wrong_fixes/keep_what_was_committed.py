"""
Set `expire_on_commit=False`, and nothing else.

Fails: test_what_is_saved_is_on_the_server

Because: this setting says what is forgotten at a commit. There is no commit, so it never comes to that.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)
        self.session = self.sessions()

    async def save(self, *objects):
        self.session.add_all(objects)
        await self.session.flush()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        return await self.session.scalar(query)

    async def close(self):
        await self.session.close()
        await self.pool.dispose()
