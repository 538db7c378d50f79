"""
Make one session, and give it to everybody.

Fails: test_two_tasks_at_once_have_two_sessions

Because: it is always the same session, in every task. What one task has written is committed by the end of another
one's unit of work, or rolled back by its error.
"""

from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_sessionmaker


class Repository:
    def __init__(self, pool):
        self.only = async_sessionmaker(pool)()

    def session(self):
        return self.only

    @asynccontextmanager
    async def unit_of_work(self):
        try:
            yield self
            await self.session().commit()
        finally:
            await self.session().close()

    async def add(self, user):
        session = self.session()
        session.add(user)
        await session.flush()
