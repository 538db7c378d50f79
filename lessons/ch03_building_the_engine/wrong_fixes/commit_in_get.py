"""
Commit in `get`, so that what was found is there for everybody.

Fails: test_what_is_saved_is_on_the_server

Because: now a row is true once somebody reads it through this engine. Who saves and asks nobody has saved
nothing; and a question that changes what others see is no question.
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
        found = await self.session.scalar(select(model).filter_by(**unique_key))
        await self.session.commit()
        return found

    async def close(self):
        await self.session.close()
        await self.pool.dispose()
