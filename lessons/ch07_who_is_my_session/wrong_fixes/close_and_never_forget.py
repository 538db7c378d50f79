"""
Keep one registry, and close the session at the end without removing it.

Fails: test_the_next_unit_of_work_gets_a_new_session

Because: the registry still has the session, and gives it to the next unit of work of this task. It also has the
task, for as long as the program runs: the list grows with every task that there ever was.
"""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker


class Repository:
    def __init__(self, pool):
        self.registry = async_scoped_session(async_sessionmaker(pool), scopefunc=asyncio.current_task)

    def session(self):
        return self.registry()

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
