"""
Keep the one session, commit, and keep the values after it.

Fails: test_after_a_save_that_failed_the_engine_goes_on

Because: after an error in a flush a session refuses everything until somebody says `rollback`. One session
for all means that one caller's mistake is everybody's.
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
        await self.session.commit()

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        return await self.session.scalar(query)

    async def close(self):
        await self.session.close()
        await self.pool.dispose()
