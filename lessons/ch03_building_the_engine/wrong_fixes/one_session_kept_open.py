"""
Keep the one session, commit, and roll back after an error.

Fails: test_get_gives_what_is_on_the_server_now

Because: the session has an object for this row already, with its values, and gives that one. Whatever
somebody else has written since then stays unseen, for as long as this session lives.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)
        self.session = self.sessions()

    async def save(self, *objects):
        try:
            self.session.add_all(objects)
            await self.session.commit()
        except BaseException:
            await self.session.rollback()
            raise

    async def get(self, model, **unique_key):
        query = select(model).filter_by(**unique_key)
        return await self.session.scalar(query)

    async def close(self):
        await self.session.close()
        await self.pool.dispose()
