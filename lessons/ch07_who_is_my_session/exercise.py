"""A repository that forgets: who is added in a unit of work is lost, and a connection too.

`async with repository.unit_of_work() as unit` gives `unit.add(user)` and `unit.session()`, one session, which the
end commits, or undoes if the block fails or is cancelled. A task has one at a time. Mend it; keep these names."""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker


class Repository:
    def __init__(self, pool):
        self.factory = async_sessionmaker(pool)

    def session(self):
        return async_scoped_session(self.factory, scopefunc=asyncio.current_task)()

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
