"""
Commit in `add`, at once.

Fails: test_a_unit_of_work_that_fails_leaves_nothing

Because: the row is there now, whatever comes of the unit of work. A block that fails in the middle has half of its
writes on the server, and the end of the block still commits a session in which nothing was done.
"""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker


class Repository:
    def __init__(self, pool):
        self.factory = async_sessionmaker(pool)

    def session(self):
        registry = async_scoped_session(self.factory, scopefunc=asyncio.current_task)
        return registry()

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
        await session.commit()
