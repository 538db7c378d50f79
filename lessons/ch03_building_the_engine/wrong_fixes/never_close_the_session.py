"""
Give every call a session of its own, commit in `save`, and close none of them.

Fails: test_no_connection_is_out_after_a_call

Because: a commit ends the transaction and gives the connection back. `get` has no commit, and neither has a
save that fails: their sessions are dropped with the connection in their hand.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)
        self.sessions = async_sessionmaker(self.pool, expire_on_commit=False)

    async def save(self, *objects):
        session = self.sessions()
        session.add_all(objects)
        await session.commit()

    async def get(self, model, **unique_key):
        session = self.sessions()
        return await session.scalar(select(model).filter_by(**unique_key))

    async def close(self):
        await self.pool.dispose()
